// The process of the server. It keeps a book of its own of who has to receive what.
import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "@jackfield/socketio";
import { serveWebTransport } from "./carried-webtransport.mjs";
import { serveCalls } from "./child.mjs";
import { isPayloadOf, payloadOf } from "./payload.mjs";
import { Random } from "./random.mjs";
import { heapUsed, snapshot } from "./snapshot.mjs";
import { Streams } from "./streams.mjs";

/** @typedef {import("./streams.mjs").Stream} Stream */

/** How long a broken connection may be recovered, in ms. Clients come back at once. */
const RECOVERY_MS = 4000;
const TICK_MS = 10;
const ROOMS = Array.from({ length: 6 }, (...[, index]) => `room ${index}`);

const httpServer = createServer();
const io = new Server(httpServer, {
  transports: ["polling", "websocket", "webtransport"],
  pingInterval: 500,
  pingTimeout: 10_000,
  serveClient: false,
  cleanupEmptyChildNamespaces: true,
  connectionStateRecovery: { maxDisconnectionDuration: RECOVERY_MS },
});

const webTransportServer = serveWebTransport((session, request) =>
  /** @type {any} */ (io.engine).onWebTransportSession(session, request),
);

const streams = new Streams();
let random = new Random(1);
let lastId = 0;
let asked = 0;
let answered = 0;
let corrupt = 0;
/** Came back when their time was over. */
let late = 0;
/** @type {string[]} what must not have happened */
const complaints = [];
/** @type {NodeJS.Timeout | undefined} */
let ticking;

io.on("handler_error", (error) => complaints.push(`handler_error: ${String(error)}`));
io.engine.on("connection_error", ({ message, code, context }) => {
  // A session that was cut on the way of one of its requests is asked for once more.
  if (code !== 1) complaints.push(`${message} ${JSON.stringify(context)}`);
});
for (const nsp of [io.sockets, io.of("/chat"), io.of(/^\/dynamic-\d$/)]) {
  nsp.on("connection", onConnection);
}

/** @param {import("@jackfield/socketio").Socket} socket */
function onConnection(socket) {
  const stream = socket.recovered ? resume(socket) : begin(socket);
  const { connection } = socket.handshake.auth;
  /** @type {number[]} */
  const received = [];
  stream.received.set(connection, received);
  socket.on("event", (id, payload, answer) => {
    received.push(id);
    if (!isPayloadOf(id, payload)) corrupt += 1;
    if (typeof answer === "function") answer(id, payload);
  });
  socket.on("finish", (answer) => {
    stream.isFinished = true;
    answer();
    report(stream);
  });
  socket.on("arrived", (answer) => answer());
  socket.on("leave", () => socket.disconnect(true));
  socket.on("disconnecting", () => {
    stream.socket = undefined;
    stream.brokenAt = Date.now();
    if (stream.isFinished || stream.kind === "vanish") end(stream);
  });
}

/** @param {import("@jackfield/socketio").Socket} socket */
function begin(socket) {
  const { kind, before } = socket.handshake.auth;
  if (before !== "") judgeStranger(socket, streams.get(before));
  /** @type {Stream} */
  const stream = {
    sid: socket.id,
    nsp: socket.nsp.name,
    kind,
    socket,
    namespace: socket.nsp,
    rooms: new Set(),
    expected: [],
    received: new Map(),
    isFinished: false,
    brokenAt: 0,
  };
  socket.data = { kind, rooms: [] };
  streams.add(stream);
  // What was sent to a room before its member came is not its business, recovered or not.
  if (kind === "recover")
    for (const room of [random.pick(ROOMS), random.pick(ROOMS)]) join(stream, room);
  return stream;
}

/**
 * Somebody came back, and the server took them for somebody new. That is right after some time.
 *
 * @param {import("@jackfield/socketio").Socket} socket
 * @param {Stream | undefined} stream
 */
function judgeStranger({ handshake, conn }, stream) {
  const awayFor = stream === undefined ? Infinity : Date.now() - stream.brokenAt;
  if (stream?.socket === undefined && awayFor >= RECOVERY_MS) {
    late += 1;
    return;
  }
  const state = stream?.socket === undefined ? `away for ${awayFor} ms` : "connected";
  const offset = String(handshake.auth["offset"]);
  complaints.push(`not recovered: ${conn.transport.name}, offset ${offset}, ${state}`);
}

/** @param {import("@jackfield/socketio").Socket} socket */
function resume(socket) {
  const stream = streams.get(socket.id);
  if (stream === undefined) throw new Error("a socket was recovered that has never been there");
  stream.socket = socket;
  const rooms = [...stream.rooms, socket.id].sort().join();
  if ([...socket.rooms].sort().join() !== rooms) complaints.push("recovered with other rooms");
  if (socket.data?.kind !== stream.kind) complaints.push("recovered with other data");
  return stream;
}

/**
 * @param {Stream} stream
 * @param {string} room
 */
function join(stream, room) {
  stream.rooms.add(room);
  void stream.socket?.join(room);
}

/** Hands the account of a stream out. Nothing is added to it any more. */
function report(/** @type {Stream} */ { sid, expected, received, isFinished }) {
  process.send?.({ sid, expected, received, isFinished });
}

function tick(/** @type {number} */ actions) {
  const now = Date.now();
  for (const stream of streams.all()) {
    // Nobody comes back so late.
    if (stream.socket === undefined && now - stream.brokenAt > RECOVERY_MS + 5000) end(stream);
  }
  for (let action = 0; action < actions && streams.size > 0; action++)
    random.pick(DEEDS)(random.pick(streams.all()), random.pick(ROOMS), ++lastId);
}

/** @param {Stream} stream */
function end(stream) {
  if (!stream.isFinished) report(stream);
  streams.delete(stream);
}

/**
 * What servers do, in the name of a socket: each as often as it stands here.
 *
 * @type {((stream: Stream, room: string, id: number) => void)[]}
 */
const DEEDS = [
  ({ nsp, namespace }, ...[, id]) => {
    streams.expect(id, { nsp });
    namespace.emit("event", id, payloadOf(id));
  },
  emitToRoom,
  emitToRoom,
  ({ nsp, namespace }, room, id) => {
    const rooms = [room, random.pick(ROOMS)];
    const except = [random.pick(ROOMS)];
    streams.expect(id, { nsp, rooms, except });
    namespace.to(rooms).except(except).emit("event", id, payloadOf(id));
  },
  (stream, room, id) => {
    const { nsp, socket } = stream;
    if (socket === undefined) return;
    streams.expect(id, { nsp, rooms: [room], without: stream });
    socket.to(room).emit("event", id, payloadOf(id));
  },
  ({ nsp, namespace, sid }, ...[, id]) => {
    streams.expect(id, { nsp, rooms: [sid] });
    namespace.to(sid).emit("event", id, payloadOf(id));
  },
  (stream, ...[, id]) => ask(stream, id),
  moveAbout,
  emitToOne,
  emitToOne,
  emitToOne,
  emitToOne,
];

/**
 * @param {Stream} stream
 * @param {string} room
 * @param {number} id
 */
function emitToRoom({ nsp, namespace }, room, id) {
  streams.expect(id, { nsp, rooms: [room] });
  namespace.to(room).emit("event", id, payloadOf(id));
}

/**
 * @param {Stream} stream
 * @param {string} _room
 * @param {number} id
 */
function emitToOne({ nsp, sid, socket }, _room, id) {
  if (socket === undefined) return;
  streams.expect(id, { nsp, rooms: [sid] });
  socket.emit("event", id, payloadOf(id));
}

/**
 * Emits with an acknowledgement. Such events are not kept for recovery.
 *
 * @param {Stream} stream
 * @param {number} id
 */
function ask({ kind, isFinished, expected, socket }, id) {
  if (kind !== "stay" || isFinished || socket === undefined) return;
  expected.push(id);
  asked += 1;
  const answer = (/** @type {unknown} */ error, /** @type {unknown} */ value) => {
    if (error === null && value === id) answered += 1;
    else complaints.push(`an acknowledgement failed: ${String(error)} ${String(value)}`);
  };
  socket.timeout(20_000).emit("event", id, payloadOf(id), answer);
}

/**
 * Joins or leaves a room. Those who may be recovered stay where they are: what happens between the
 * death of a connection and its discovery would have no exact account.
 *
 * @param {Stream} stream
 * @param {string} room
 */
function moveAbout(stream, room) {
  if (stream.kind === "recover" || stream.socket === undefined) return;
  if (stream.rooms.delete(room)) {
    if (random.oneIn(2)) void stream.socket?.leave(room);
    else stream.namespace.in(stream.sid).socketsLeave(room);
  } else {
    stream.rooms.add(room);
    if (random.oneIn(2)) void stream.socket?.join(room);
    else stream.namespace.in(stream.sid).socketsJoin(room);
  }
}

/** @param {import("node:net").Server} server */
async function listenOn(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return /** @type {import("node:net").AddressInfo} */ (server.address()).port;
}

serveCalls({
  async listen() {
    return {
      port: await listenOn(httpServer),
      webTransportPort: await listenOn(webTransportServer),
    };
  },
  start(/** @type {{ seed: number, rate: number }} */ { seed, rate }) {
    random = new Random(seed);
    ticking = setInterval(tick, TICK_MS, Math.max(1, Math.round((rate * TICK_MS) / 1000)));
  },
  stop() {
    clearInterval(ticking);
  },
  /** Reports what is left, and what the process holds. */
  settle() {
    for (const stream of streams.all()) if (stream.socket === undefined) end(stream);
    return { open: streams.size, ...snapshot(io, httpServer) };
  },
  counts() {
    return { asked, answered, corrupt, late, complaints };
  },
  heap: heapUsed,
});
