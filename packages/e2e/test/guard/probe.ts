// A server in a process of its own, which says what its connections cost. Run by probe-process.ts.
import { EventEmitter } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import { getHeapSnapshot, queryObjects } from "node:v8";
import { Server, type Socket } from "@jackfield/socketio";

/** What Node makes for `setTimeout`; it has no public name. */
const Timeout = setTimeout(() => {}, 0).constructor;

/** What is counted. Whoever inherits from a class counts as one of its objects, too. */
const CLASSES = { Object, Function, EventEmitter, Map, Set, Promise, Array, Timeout };

/** What the process holds once garbage is collected. */
export interface Holdings {
  /** Bytes of objects, on the heap and outside of it. */
  readonly bytes: number;
  readonly objects: Readonly<Record<keyof typeof CLASSES, number>>;
}

const httpServer = createServer();
const io = new Server(httpServer);
io.on("connection", (socket) => {
  socket.on("echo", (data) => socket.emit("echo", data));
});

const methods = {
  listen: () => listen(httpServer),
  holdings,
  /** Bytes on the heap, garbage included. */
  heap: () => process.memoryUsage().heapUsed,
  /** Emits to everybody, once per turn of the event loop. */
  async broadcast(times: number) {
    for (let time = 0; time < times; time++) {
      io.emit("event", "0123456789012345678901234567890123456789");
      await turn();
    }
  },
  joinRooms: (count: number) => eachMembership(count, (socket, room) => void socket.join(room)),
  leaveRooms: (count: number) => eachMembership(count, (socket, room) => void socket.leave(room)),
};

/** What a parent may call. */
export type Probe = typeof methods;

async function listen(server: HttpServer): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function holdings(): Promise<Holdings> {
  const objects = Object.fromEntries(
    Object.entries(CLASSES).map(([name, type]) => [name, queryObjects(type, { format: "count" })]),
  ) as Record<keyof typeof CLASSES, number>;
  return { bytes: await countBytes(), objects };
}

/** Adds up the objects of a heap snapshot, for which garbage is collected: exact, unlike statistics. */
async function countBytes(): Promise<number> {
  const { snapshot, nodes } = JSON.parse(await text(getHeapSnapshot())) as Snapshot;
  const fields = snapshot.meta.node_fields;
  let bytes = 0;
  for (let at = fields.indexOf("self_size"); at < nodes.length; at += fields.length) {
    bytes += nodes[at] ?? 0;
  }
  return bytes;
}

/** What is read of a heap snapshot: all nodes in one array, so many numbers for each. */
interface Snapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[] } };
  readonly nodes: readonly number[];
}

/** For every socket in each of so many rooms, the same for all. */
function eachMembership(count: number, action: (socket: Socket, room: string) => void): void {
  const rooms = Array.from({ length: count }, (_, room) => `room ${room}`);
  for (const socket of io.sockets.sockets.values()) {
    for (const room of rooms) action(socket, room);
  }
}

interface Call {
  readonly id: number;
  readonly method: keyof Probe;
  readonly argument: never;
}

async function answer({ id, method, argument }: Call): Promise<void> {
  process.send?.({ id, result: await methods[method](argument) });
}

process.on("message", (message) => void answer(message as Call));
process.on("disconnect", () => process.exit());
