import { describe, expect, test } from "vitest";
import { CELLS, pair, roundTrip } from "../support/clients.js";
import { startServer } from "../support/subject.js";

/** A catch-all listener that writes down what it hears under a name. */
function into(calls: unknown[][], name: string): (...args: unknown[]) => void {
  return (...args) => {
    if (args[0] !== "round trip") {
      calls.push([name, ...args.filter((arg) => typeof arg !== "function")]);
    }
  };
}

describe.each(CELLS)("$name", (cell) => {
  test("catch-all listeners of the server hear what comes in, until removed", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const calls: unknown[][] = [];
    const any = into(calls, "any");
    const prepended = into(calls, "prepended");
    socket.on("event", into(calls, "listener"));
    socket.onAny(any);
    socket.prependAny(prepended);
    expect(socket.listenersAny()).toEqual([prepended, any]);
    client.emit("event", 1, "two");
    client.emit("other");
    await roundTrip(client);
    expect(calls.filter(([name]) => name !== "listener")).toEqual([
      ["prepended", "event", 1, "two"],
      ["any", "event", 1, "two"],
      ["prepended", "other"],
      ["any", "other"],
    ]);
    expect(calls.slice(0, 2).map(([name]) => name)).toEqual(["prepended", "any"]);
    expect(calls.filter(([name]) => name === "listener")).toEqual([["listener", 1, "two"]]);
    calls.length = 0;
    socket.offAny(any);
    client.emit("other");
    await roundTrip(client);
    expect(calls).toEqual([["prepended", "other"]]);
    socket.offAny();
    client.emit("other");
    await roundTrip(client);
    expect(calls).toHaveLength(1);
    expect(socket.listenersAny()).toEqual([]);
  });

  test("catch-all listeners of the client hear what the server sends", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    const calls: unknown[][] = [];
    client.onAny(into(calls, "any"));
    socket.emit("event", 1, { two: 2 });
    server.io.emit("all");
    await roundTrip(client);
    expect(calls).toEqual([
      ["any", "event", 1, { two: 2 }],
      ["any", "all"],
    ]);
  });

  test("outgoing catch-all listeners of the server hear emits and broadcasts, until removed", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    const calls: unknown[][] = [];
    const outgoing = into(calls, "outgoing");
    const prepended = into(calls, "prepended");
    socket.onAnyOutgoing(outgoing);
    socket.prependAnyOutgoing(prepended);
    expect(socket.listenersAnyOutgoing()).toEqual([prepended, outgoing]);
    socket.emit("direct", 1);
    server.io.emit("all", 2);
    server.io.to("nobody").emit("unheard");
    socket.broadcast.emit("others only");
    await roundTrip(client);
    expect(calls).toEqual([
      ["prepended", "direct", 1],
      ["outgoing", "direct", 1],
      ["prepended", "all", 2],
      ["outgoing", "all", 2],
    ]);
    socket.offAnyOutgoing(prepended);
    socket.emit("direct");
    expect(calls.slice(4)).toEqual([["outgoing", "direct"]]);
    socket.offAnyOutgoing();
    socket.emit("direct");
    expect(calls).toHaveLength(5);
  });

  test("outgoing catch-all listeners of the client hear its emits", async (context) => {
    context.skip(!cell.modern, `socket.io-client ${cell.client} does not have it`);
    const { client } = await pair(await startServer(), cell);
    const calls: unknown[][] = [];
    client.onAnyOutgoing(into(calls, "outgoing"));
    client.emit("event", 1);
    await roundTrip(client);
    expect(calls).toEqual([["outgoing", "event", 1]]);
  });
});
