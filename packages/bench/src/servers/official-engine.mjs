import { Server } from "engine.io";
import { echo } from "./engine-echo.mjs";
import { host } from "./host.mjs";

host((httpServer) => {
  const server = new Server();
  server.attach(httpServer);
  echo(server);
});
