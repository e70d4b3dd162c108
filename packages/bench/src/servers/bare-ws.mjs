import { WebSocketServer } from "ws";
import { host } from "./host.mjs";

// The floor for whatever stands on ws: no Socket.IO at all, every answer is a text made beforehand.
host((httpServer, bench) => {
  const server = new WebSocketServer({ server: httpServer, perMessageDeflate: false });
  const answer = bench.answer.map(String);
  const broadcast = bench.driver === "broadcast";
  server.on("connection", (socket) => {
    socket.on("error", () => socket.terminate());
    socket.on("message", () => {
      for (const message of answer) {
        if (!broadcast) socket.send(message);
        else for (const client of server.clients) client.send(message);
      }
    });
  });
});
