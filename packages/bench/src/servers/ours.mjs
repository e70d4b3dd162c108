import { Server } from "@jackfield/socketio";
import { applications } from "./applications.mjs";
import { host } from "./host.mjs";

host((httpServer, bench) => {
  applications[bench.application](/** @type {any} */ (new Server(httpServer)), bench.parameters);
});
