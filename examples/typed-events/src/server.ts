// A list of tasks that all clients share. Run it with `npm run example:typed-events` in the root
// folder; PORT says where it listens. The client is in client.ts.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "@jackfield/socketio";
import type {
  AdminData,
  AdminToServerEvents,
  ClientToServerEvents,
  InterServerEvents,
  ServerToAdminEvents,
  ServerToClientEvents,
  SocketData,
  Task,
} from "./events.js";

const httpServer = createServer();

// From here on, the names of events, their arguments and answers, and `socket.data` are checked.
const io = new Server<ClientToServerEvents, ServerToClientEvents, InterServerEvents, SocketData>(
  httpServer,
);
// A namespace that is not given its own has those of the server.
const admin = io.of<AdminToServerEvents, ServerToAdminEvents, InterServerEvents, AdminData>(
  "/admin",
);

const MAX_TASKS = 1000;
const tasks = new Map<number, Task>();
let lastId = 0;

/** Tells everybody of a task that is new or has changed. */
function publish(task: Task, line: string): void {
  io.emit("task", task);
  admin.emit("log", line);
}

io.use((socket, next) => {
  // Types end where the network begins: what a client has sent is checked at run time, too.
  const { name } = socket.handshake.auth as { name?: unknown };
  if (typeof name !== "string" || name === "") {
    next(new Error("please say who you are"));
    return;
  }
  socket.data.name = name.slice(0, 20);
  next();
});

io.on("connection", (socket) => {
  const { name } = socket.data;
  socket.emit("tasks", [...tasks.values()]);

  socket.on("add", (text, answer) => {
    if (typeof answer !== "function") return;
    if (typeof text !== "string" || text === "" || text.length > 100) {
      answer({ ok: false, error: "a task has 1 to 100 characters" });
      return;
    }
    if (tasks.size === MAX_TASKS) {
      answer({ ok: false, error: "the list is full" });
      return;
    }
    const task: Task = { id: ++lastId, text, by: name, isDone: false };
    tasks.set(task.id, task);
    answer({ ok: true, value: task });
    publish(task, `${name} added "${text}"`);
  });

  socket.on("toggle", (id, answer) => {
    if (typeof answer !== "function") return;
    const task = tasks.get(id);
    if (task === undefined) {
      answer({ ok: false, error: `there is no task ${id}` });
      return;
    }
    task.isDone = !task.isDone;
    answer({ ok: true, value: task });
    publish(task, `${name} ${task.isDone ? "finished" : "took up"} "${task.text}"`);
  });
});

admin.use((socket, next) => {
  const { level } = socket.handshake.auth as { level?: unknown };
  socket.data.level = level === "write" ? "write" : "read"; // a real one asks for a password
  next();
});

admin.on("connection", (socket) => {
  socket.on("clear", (answer) => {
    if (typeof answer !== "function") return;
    const removed = socket.data.level === "write" ? tasks.size : 0;
    if (removed > 0) {
      tasks.clear();
      io.emit("tasks", []);
    }
    answer(removed);
  });

  socket.on("survey", async (answer) => {
    if (typeof answer !== "function") return;
    // Asks all clients of the main namespace, who have a second to answer.
    const doing = await io
      .timeout(1000)
      .emitWithAck("still there?")
      .catch((error: { responses: string[] }) => error.responses);
    answer(doing);
  });
});

httpServer.listen(Number(process.env["PORT"] || 3003), () => {
  const { port } = httpServer.address() as AddressInfo;
  console.log(`The list is on http://localhost:${port} (Ctrl+C stops it)`);
});

async function stop(): Promise<void> {
  await io.drain({ timeout: 5000 }); // everybody gets what was sent, and may reconnect elsewhere
  await io.close();
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop());
