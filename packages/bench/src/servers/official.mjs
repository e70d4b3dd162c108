import { Server } from "socket.io";
import { applications } from "./applications.mjs";
import { host } from "./host.mjs";

host((httpServer, bench) => {
  applications[bench.application](new Server(httpServer), bench.parameters);
});
