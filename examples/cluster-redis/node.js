// One of the servers: a chat with rooms. Everything below is as it would be without a cluster,
// except what is marked with (1), (2) and (3).
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { Server } from "@jackfield/socketio";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";

const { NODE_NAME, REDIS_URL } = process.env;

// (1) Redis needs two connections: one that subscribes can do nothing else.
const publisher = createClient({ url: REDIS_URL });
const subscriber = publisher.duplicate();
for (const client of [publisher, subscriber]) {
  client.on("error", ({ message }) => {
    console.error(`Node ${NODE_NAME}: Redis: ${message}`);
    // Later on, the connection comes back by itself, and the clients of this node are served alone.
    if (!httpServer.listening) process.exit(1);
  });
}

const page = await readFile(new URL("page.html", import.meta.url));
const httpServer = createServer((_req, res) => {
  res.setHeader("Content-Type", "text/html; charset=utf-8").end(page);
});
await Promise.all([publisher.connect(), subscriber.connect()]);

// (2) With the adapter, `io` means all clients of all nodes: io.emit, io.to, io.fetchSockets ...
const io = new Server(httpServer, { adapter: createAdapter(publisher, subscriber) });

// (3) Tells the balancer whose session it is.
io.engine.generateId = () => `${NODE_NAME}-${randomBytes(15).toString("base64url")}`;

/** What a client has sent, as a short text. */
function clean(text, fallback = "") {
  if (typeof text !== "string") return fallback;
  return (
    text
      .replace(/\p{Cc}/gu, "")
      .trim()
      .slice(0, 200) || fallback
  );
}

io.on("connection", async (socket) => {
  const name = clean(socket.handshake.auth.name, "Somebody").slice(0, 20);
  let room = "lobby";
  socket.data = { name, node: NODE_NAME };

  socket.on("join", async (wanted, answer) => {
    if (typeof answer !== "function") return;
    const left = room;
    room = clean(wanted, "lobby").slice(0, 20);
    await socket.leave(left);
    await socket.join(room);
    answer({ room });
  });

  socket.on("say", (text) => {
    if (clean(text) === "") return;
    io.to(room).emit("said", { name, node: NODE_NAME, room, text: clean(text) });
  });

  // Asks every node. `data` is what each has stored in socket.data.
  socket.on("who", async (answer) => {
    if (typeof answer !== "function") return;
    const sockets = await io.in(room).fetchSockets();
    answer(sockets.map(({ data }) => data));
  });

  socket.on("disconnect", () => io.emit("news", `${name} has left node ${NODE_NAME}`));

  await socket.join(room);
  socket.emit("welcome", { node: NODE_NAME, room });
  io.emit("news", `${name} is here, on node ${NODE_NAME}`);
});

let isStopping = false;
async function stop() {
  if (isStopping) return;
  isStopping = true;
  await io.drain({ timeout: 5000 }); // the clients get what was sent, and go to another node
  await io.close();
  await Promise.all([publisher.close(), subscriber.close()]);
}
process.on("SIGTERM", stop);
process.on("disconnect", stop); // server.js has died
process.channel.unref(); // ... but need not, for this process to end

httpServer.listen(0, "127.0.0.1");
await once(httpServer, "listening");
process.send({ port: httpServer.address().port });
