import api = require("./dist/cjs/index.js");
declare const socketio: typeof api &
  ((...args: ConstructorParameters<typeof api.Server>) => api.Server);
declare namespace socketio {
  export type Server = api.Server;
  export type Namespace = api.Namespace;
  export type Socket = api.Socket;
  export type ServerOptions = api.ServerOptions;
}
export = socketio;
