// What runs on the servers that are attacked: enough that hostile input gets everywhere. Nothing in
// here throws, so that every error that a server reports is a finding.
import { Server as Engine } from "@jackfield/engine-core";
import { Server } from "@jackfield/socketio";
import { eventRateInTurns, GENEROUS, MAX_CONNECTIONS, SMALL } from "./limits.mjs";

/** @import { Server as HttpServer } from "node:http" */

/** Small, so that attackers can go beyond it. */
export const MAX_BYTES = 20_000;

/** How many rooms one socket gets. */
const MAX_ROOMS = 20;

/** How long the answer to a question may take, in ms. */
const ANSWER_TIMEOUT = 50;

/** How long a polling session that is being closed waits for a poll, in ms. */
const CLOSE_TIMEOUT = 300;

/** @param {number} patience */
function times(patience) {
  return {
    pingInterval: 400,
    pingTimeout: 5000 * patience,
    upgradeTimeout: 500,
    connectTimeout: 1000,
    destroyUpgradeTimeout: 100,
    maxHttpBufferSize: MAX_BYTES,
    allowEIO3: true,
  };
}

/** @param {HttpServer} httpServer @param {number} patience */
export function plainServer(httpServer, patience) {
  const io = new Server(httpServer, { ...times(patience), cleanupEmptyChildNamespaces: true });
  return withNamespaces(io);
}

/** Everything that can be turned on. @param {HttpServer} httpServer @param {number} patience */
export function fullServer(httpServer, patience) {
  const io = new Server(httpServer, {
    ...times(patience),
    cleanupEmptyChildNamespaces: true,
    perMessageDeflate: { threshold: 16 },
    httpCompression: { threshold: 16 },
    connectionStateRecovery: { maxDisconnectionDuration: 1000, skipMiddlewares: false },
    cors: { origin: true, credentials: true },
    cookie: true,
    ...GENEROUS,
    maxBufferedBytes: 1_000_000,
    handshakeRate: { perSecond: 1e6, burst: 1e6 },
    maxConnectionsPerAddress: 10_000,
    allowRequest: (_req, answer) => {
      setImmediate(answer, null, true);
    },
  });
  io.engine?.use?.((_req, res, next) => {
    res.setHeader("X-Seen", "1");
    setImmediate(next);
  });
  io.use((socket, next) => {
    void socket.join("everybody");
    setImmediate(next);
  });
  return withNamespaces(io);
}

/**
 * Our own WebSocket connections, small limits, and an application that takes its time with each
 * handshake: those of web pages wait until they leave.
 *
 * @param {HttpServer} httpServer
 * @param {number} patience
 */
export function limitedServer(httpServer, patience) {
  const io = new Server(httpServer, {
    ...times(patience),
    cleanupEmptyChildNamespaces: true,
    ...SMALL,
    eventRate: eventRateInTurns(),
    maxConnections: MAX_CONNECTIONS,
    maxConnectionsPerAddress: MAX_CONNECTIONS,
    allowedOrigins: (origin) => origin.length < 100,
    allowRequest: ({ headers }, answer) => {
      if (headers.origin === undefined) setTimeout(answer, 5, null, true);
    },
  });
  return withNamespaces(io);
}

/** @param {HttpServer} httpServer @param {number} patience */
export function bareEngine(httpServer, patience) {
  const engine = new Engine({ ...times(patience), initialPacket: "hello" });
  engine.attach(httpServer, { destroyUpgradeTimeout: 100 });
  engine.on("connection", (session) => {
    session.on("data", (data) => session.send(data));
  });
  quicken(engine);
  return engine;
}

/** @param {import("@jackfield/socketio").Server} io */
function withNamespaces(io) {
  io.on("connection", application);
  io.of("/admin").on("connection", application);
  io.of(/^\/dyn-\w{1,8}$/).on("connection", application);
  const guarded = io.of("/guarded");
  guarded.use((socket, next) => {
    const isKnown = socket.handshake.auth["token"] === "let me in";
    setImmediate(next, isKnown ? undefined : new Error(String(socket.handshake.query["EIO"])));
  });
  guarded.on("connection", application);
  quicken(/** @type {any} */ (io.engine));
  return io;
}

/** @param {import("@jackfield/engine-core").Server} engine */
function quicken(engine) {
  engine.on("connection", ({ transport }) => {
    if ("closeTimeout" in transport) transport.closeTimeout = CLOSE_TIMEOUT;
  });
}

/** @param {import("@jackfield/socketio").Socket} socket */
function application(socket) {
  let asked = 0;
  socket.data = Object.create(null);
  socket.on("echo", (/** @type {any[]} */ ...args) => {
    const last = args.at(-1);
    if (typeof last === "function") last(...args.slice(0, -1));
    else socket.emit("echo", ...args);
  });
  socket.on("join", (room) => {
    if (typeof room === "string" && socket.rooms.size < MAX_ROOMS) void socket.join(room);
    if (typeof room === "string") socket.data[room] = room;
  });
  socket.on("leave", (room) => {
    if (typeof room === "string" && room !== socket.id) void socket.leave(room);
  });
  socket.on("shout", (room, /** @type {any[]} */ ...args) => {
    if (typeof room === "string" && typeof args.at(-1) !== "function") {
      socket.to(room).emit("shout", ...args);
    }
  });
  socket.on("noise", (/** @type {any[]} */ ...args) => {
    const noise = args.filter((arg) => typeof arg !== "function");
    socket.broadcast.volatile.emit("noise", ...noise);
  });
  socket.on("ask", () => {
    socket.timeout(ANSWER_TIMEOUT).emit("question", asked++, () => {});
  });
  socket.on("ask for ever", () => {
    if (socket.acks.size < MAX_ROOMS) socket.emit("question", asked++, () => {});
  });
  socket.on("bye", (isForAll) => socket.disconnect(isForAll === true));
  socket.on("error", () => {});
  socket.onAny(() => {});
  socket.use(([name], next) => {
    next(name === "refused" ? new Error("refused") : undefined);
  });
}
