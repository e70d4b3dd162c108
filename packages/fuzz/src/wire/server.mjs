// The process that is attacked: four servers, and a watch over everything that must not happen.
import { createServer } from "node:http";
import { Socket } from "node:net";
import { plant } from "./defects.mjs";
import { bareEngine, fullServer, limitedServer, plainServer } from "./applications.mjs";
import { GENEROUS, SMALL, watchLimits } from "./limits.mjs";

/** @import { Server as Engine } from "@jackfield/engine-core" */
/** @import { Server } from "@jackfield/socketio" */
/** @import { Stats } from "./arena.mjs" */

const send = (/** @type {object} */ message) => process.send?.(message);

/** @param {string} kind @param {unknown} error */
function complain(kind, error) {
  send({ complaint: `${kind}: ${error instanceof Error ? error.stack : String(error)}` });
}

process.on("warning", (warning) => complain("warning", warning));
process.on("unhandledRejection", (reason) => complain("unhandled rejection", reason));
process.on("uncaughtException", (error) => complain("uncaught exception", error));
process.on("disconnect", () => process.exit());

const patience = Number(process.argv[2] ?? 1);
const defect = process.argv[3] ?? "";

/** @param {(httpServer: import("node:http").Server) => any} attach */
async function start(attach) {
  const httpServer = createServer({ keepAliveTimeout: 500, connectionsCheckingInterval: 500 });
  httpServer.on("request", (_req, res) => res.writeHead(404).end());
  const subject = attach(httpServer);
  await new Promise((resolve) => httpServer.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (httpServer.address());
  return { httpServer, subject, port: address.port };
}

const plain = await start((httpServer) => plainServer(httpServer, patience));
const full = await start((httpServer) => fullServer(httpServer, patience));
const bare = await start((httpServer) => bareEngine(httpServer, patience));
const limited = await start((httpServer) => limitedServer(httpServer, patience));
/** By index, as cases name them. */
const ports = [plain, full, bare, limited].map(({ port }) => port);

/** @type {Server[]} */
const ios = [plain.subject, full.subject, limited.subject];
for (const io of ios) plant(defect, io);
const limits = {
  everything: watchLimits(full.subject, GENEROUS, complain),
  limited: watchLimits(limited.subject, SMALL, complain),
};
/** @type {Engine[]} */
const engines = [...ios.map((io) => io.engine), bare.subject];

for (const io of ios) {
  io.on("handler_error", (error, { source }) => complain(`error in a ${source}`, error));
}
for (const engine of engines) {
  engine.on("handler_error", (error) => complain("error in a handler of the engine", error));
}

process.on("message", (/** @type {import("./arena.mjs").Question} */ { id, wanted }) => {
  send({ id, answer: answerTo(wanted) });
});
send({ ports });

/** @param {import("./arena.mjs").Question["wanted"]} wanted */
function answerTo(wanted) {
  switch (wanted) {
    case "connections":
      return describeConnections();
    case "limits":
      return { everything: limits.everything(), limited: limits.limited() };
    case "heap":
      globalThis.gc?.();
      return measure();
    default:
      return measure();
  }
}

/** @returns {Stats} */
function measure() {
  const namespaces = ios.flatMap((io) => [...io._nsps.values()]);
  const sum = (/** @type {(nsp: any) => number} */ count) =>
    namespaces.reduce((total, nsp) => total + count(nsp), 0);
  const resources = process.getActiveResourcesInfo();
  return {
    sessions: engines.reduce((total, engine) => total + engine.clientsCount, 0),
    "sessions in the tables": engines.reduce(
      (total, { clients }) => total + Object.keys(clients).length,
      0,
    ),
    namespaces: namespaces.length,
    sockets: sum((nsp) => nsp.sockets.size),
    "connecting sockets": sum((nsp) => nsp._preConnectSockets.size),
    rooms: sum((nsp) => nsp.adapter.rooms.size),
    "sockets in rooms": sum((nsp) => nsp.adapter.sids.size),
    timers: resources.filter((name) => name === "Timeout").length,
    connections: resources.filter((name) => name === "TCPSocketWrap").length,
    heap: process.memoryUsage().heapUsed,
  };
}

/**
 * The connections that are open, for a reader who wonders why. Node has no public list of them.
 *
 * @returns {string[]} one line each
 */
function describeConnections() {
  /* oxlint-disable no-underscore-dangle -- names of Node */
  return /** @type {any} */ (process)
    ._getActiveHandles()
    .filter((/** @type {unknown} */ handle) => handle instanceof Socket)
    .map((/** @type {any} */ socket) => {
      const response = socket._httpMessage;
      return JSON.stringify({
        server: ports.indexOf(socket.localPort),
        remotePort: socket.remotePort,
        state: socket.readyState,
        isPaused: socket.isPaused(),
        read: socket.bytesRead,
        written: socket.bytesWritten,
        unread: socket.readableLength,
        unwritten: socket.writableLength,
        ended: [socket.readableEnded, socket.writableEnded],
        destroyed: socket.destroyed,
        timeout: socket.timeout,
        http: Boolean(socket.parser),
        answering: response && [response.req?.method, response.req?.url, response.finished],
        listeners: socket.eventNames().map(String),
        owner: Object.getOwnPropertySymbols(socket)
          .map((symbol) => socket[symbol]?.constructor?.name)
          .filter((name) => /WebSocket|Connection|Transport/.test(name)),
      });
    });
}
