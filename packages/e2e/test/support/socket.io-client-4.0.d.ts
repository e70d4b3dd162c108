// The package ships no types for its ES module entry. Tests use only what both versions have, unless
// the cell says `modern`.
declare module "socket.io-client-4.0" {
  export { io } from "socket.io-client";
}
