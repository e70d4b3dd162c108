// A client: node examples/typed-events/dist/client.js <name> [<url>]
// Adds a task, finishes it, asks as an administrator what everybody is doing, and leaves.
import { io, type Socket } from "socket.io-client";
import type {
  AdminToServerEvents,
  ClientToServerEvents,
  ServerToAdminEvents,
  ServerToClientEvents,
} from "./events.js";

const [name = "", url = "http://localhost:3003"] = process.argv.slice(2);

// The same maps in the other order: first what is received, then what is sent.
const list: Socket<ServerToClientEvents, ClientToServerEvents> = io(url, { auth: { name } });
const admin: Socket<ServerToAdminEvents, AdminToServerEvents> = io(`${url}/admin`);

// One that is refused does not try again.
list.on("connect_error", ({ message }) => {
  console.error(message);
  if (!list.active) admin.disconnect();
});

list.on("tasks", (tasks) => console.log(`${tasks.length} tasks`));
list.on("task", ({ text, by, isDone }) => console.log(`[${isDone ? "x" : " "}] ${text} (${by})`));
list.on("still there?", (answer) => answer(`${name} looks at the list`));
admin.on("log", (line) => console.log(`log: ${line}`));

list.once("connect", async () => {
  // `added` is an Answer<Task>: without a look at `ok` there is no `value`.
  const added = await list.emitWithAck("add", "Write types");
  if (added.ok) await list.emitWithAck("toggle", added.value.id);
  for (const doing of await admin.emitWithAck("survey")) console.log(doing);
  list.disconnect();
  admin.disconnect();
});
