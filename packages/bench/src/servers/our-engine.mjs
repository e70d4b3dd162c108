import { Server } from "@jackfield/engine-core";
import { echo } from "./engine-echo.mjs";
import { host } from "./host.mjs";

host((httpServer) => {
  const server = new Server();
  server.attach(httpServer);
  echo(/** @type {any} */ (server));
});
