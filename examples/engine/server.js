// An Engine.IO server without Socket.IO: every message comes back to who sent it, text as text and
// bytes as bytes. Run it with `npm run example:engine` in the root folder; PORT says where it listens.
import { createServer } from "node:http";
import { Server } from "@jackfield/engine-core";

const httpServer = createServer((_req, res) => res.end("Connect with an Engine.IO client.\n"));
const engine = new Server().attach(httpServer);

engine.on("connection", (session) => {
  session.on("message", (data) => session.send(data));
  session.on("close", (reason) => console.log(`${session.id}: ${reason}`));
});

httpServer.listen(Number(process.env.PORT || 3001), () => {
  console.log(`Engine.IO listens on http://localhost:${httpServer.address().port}`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    engine.close();
    httpServer.close();
  });
}
