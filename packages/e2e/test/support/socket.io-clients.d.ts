// The packages ship no types for their ES module entries. Tests use only what all versions have,
// unless the cell says `modern`.
declare module "socket.io-client-3.1" {
  export { io } from "socket.io-client";
}
declare module "socket.io-client-4.0" {
  export { io } from "socket.io-client";
}
