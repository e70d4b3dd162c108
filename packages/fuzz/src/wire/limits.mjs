// The limits of the servers that are attacked. Attackers get beyond them, and the witnesses never do,
// however late the machine is: two questions are on their way at most, and each is answered before
// there is another.

/** @import { Server as Engine } from "@jackfield/engine-core" */
/** @import { Server } from "@jackfield/socketio" */

/** Those of the server with everything: most cases stay below. */
export const GENEROUS = Object.freeze({
  maxNamespacesPerConnection: 4,
  maxDynamicNamespacesPerConnection: 2,
  maxRoomsPerSocket: 4,
  maxPendingAcksPerSocket: 3,
  eventRate: Object.freeze({ perSecond: 500, burst: 8 }),
});

/** Those of the limited server: most cases get beyond one of them. */
export const SMALL = Object.freeze({
  maxNamespacesPerConnection: 3,
  maxDynamicNamespacesPerConnection: 1,
  maxRoomsPerSocket: 3,
  maxPendingAcksPerSocket: 1,
});

/** How many sessions and waiting handshakes the limited server has room for. */
export const MAX_CONNECTIONS = 80;

/** What becomes of events that come too fast, in turns. */
export function eventRateInTurns() {
  const verdicts = /** @type {const} */ (["drop", "keep", "drop", "disconnect"]);
  let turn = 0;
  return {
    perSecond: 500,
    burst: 4,
    policy: () => verdicts[(turn += 1) % verdicts.length] ?? "drop",
  };
}

/**
 * Counts what is above the limits of a server, and finds what is there in spite of them.
 *
 * @param {Server} io
 * @param {{ maxRoomsPerSocket: number, maxPendingAcksPerSocket: number }} limits
 * @param {(kind: string, error: unknown) => void} complain
 * @returns {() => Record<string, number>} the counts so far
 */
export function watchLimits(io, limits, complain) {
  /** @type {Record<string, number>} */
  const counts = {
    maxNamespacesPerConnection: 0,
    maxDynamicNamespacesPerConnection: 0,
    maxRoomsPerSocket: 0,
    maxPendingAcksPerSocket: 0,
    eventRate: 0,
  };
  const check = (
    /** @type {string} */ what,
    /** @type {number} */ count,
    /** @type {number} */ max,
  ) => {
    if (count > max) complain("beyond a limit", new Error(`${count} ${what} where ${max} may be`));
  };
  io.on("limit_exceeded", ({ limit }, { socket }) => {
    counts[limit] = (counts[limit] ?? 0) + 1;
    if (socket === undefined) return;
    check("rooms", socket.rooms.size, limits.maxRoomsPerSocket);
    check("acknowledgements", socket.acks.size, limits.maxPendingAcksPerSocket);
  });
  const engine = /** @type {Engine} */ (io.engine);
  const { maxConnections } = engine.opts;
  engine.on("connection", () => check("sessions", engine.clientsCount, maxConnections));
  return () => ({ ...counts, handshakes: engine.counters.refusedByLimits });
}

/**
 * Prints how often limits were exceeded.
 *
 * @param {import("./arena.mjs").Exceeded} exceeded
 */
export function printExceeded(exceeded) {
  for (const [server, counts] of Object.entries(exceeded)) {
    const list = Object.entries(counts).map(([limit, count]) => `${limit} ${count}`);
    console.log(`limits exceeded on the server "${server}": ${list.join(", ")}`);
  }
}
