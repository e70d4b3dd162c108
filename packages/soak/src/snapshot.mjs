/**
 * What a server holds when nobody is connected. Everything in it must be the same after a load as
 * before it.
 *
 * @param {import("@jackfield/socketio").Server} io
 * @param {import("node:http").Server} httpServer
 */
export function snapshot(io, httpServer) {
  // Adapters use more members of a namespace than its type shows.
  const namespaces = /** @type {any[]} */ ([...io._nsps.values()]);
  return {
    sessions: io.engine.clientsCount,
    sessionTable: Object.keys(io.engine.clients).length,
    sockets: sum(namespaces, ({ sockets }) => sockets.size),
    connecting: sum(namespaces, (nsp) => nsp._preConnectSockets.size),
    rooms: sum(namespaces, ({ adapter }) => adapter.rooms.size),
    members: sum(namespaces, ({ adapter }) => adapter.sids.size),
    recoverable: sum(namespaces, ({ adapter }) => (adapter.hasSessions === true ? 1 : 0)),
    namespaces: namespaces.map(({ name }) => String(name)).sort(),
    resources: countBy(process.getActiveResourcesInfo()),
    listeners: {
      process: listeners(process),
      http: listeners(httpServer),
      engine: listeners(io.engine),
      server: listeners(io.sockets),
    },
  };
}

/** The bytes of the heap that are in use, after a thorough collection. */
export function heapUsed() {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("node needs --expose-gc");
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

/**
 * @template T
 * @param {T[]} items
 * @param {(item: T) => number} measure
 */
function sum(items, measure) {
  return items.reduce((total, item) => total + measure(item), 0);
}

/** @param {string[]} names */
function countBy(names) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const name of names.sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** @param {{ eventNames(): (string | symbol)[], listenerCount(event: any): number }} emitter */
function listeners(emitter) {
  return sum(emitter.eventNames(), (name) => emitter.listenerCount(name));
}
