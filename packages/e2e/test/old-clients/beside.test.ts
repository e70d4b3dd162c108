// A server that admits old clients serves those of the current protocol as any other server does.
import { describe, expect, test } from "vitest";
import * as current from "../support/clients.js";
import { received } from "../support/wait.js";
import { type Cell, CELLS as OLD_CELLS, pair, roundTrip, startOld } from "./clients.js";

const OLD = OLD_CELLS.find(({ transport }) => transport === "upgrade") as Cell;
const BYTES = Buffer.from([0, 4, 255]);

interface Refusal extends Error {
  readonly data: unknown;
}

describe.each(current.CELLS)("$name", (cell) => {
  test("events, answers and bytes go both ways, and to clients of both protocols", async () => {
    const server = await startOld();
    const old = await pair(server, OLD);
    const { client, socket } = await current.pair(server, cell);
    expect(socket.conn.protocol).toBe(4);
    socket.on("echo", (value: unknown, answer: (value: unknown) => void) => answer(value));
    client.on("echo", (value: unknown, answer: (value: unknown) => void) => answer(value));
    const value = { text: "é", bytes: BYTES };
    expect(
      await new Promise((resolve) => {
        client.emit("echo", value, resolve);
      }),
    ).toEqual(value);
    expect(await socket.emitWithAck("echo", value)).toEqual(value);

    await Promise.all([old.socket.join("room"), socket.join("room")]);
    const heard = [old.client, client].map((each) => current.collect(each, "news"));
    server.io.to("room").emit("news", value);
    socket.to("room").emit("news", "for the old one");
    old.socket.to("room").emit("news", "for the new one");
    await Promise.all([roundTrip(old.client), current.roundTrip(client)]);
    expect(heard).toEqual([
      [[value], ["for the old one"]],
      [[value], ["for the new one"]],
    ]);
  });

  test("namespaces are joined with auth, and refused with a message and data", async () => {
    const server = await startOld();
    server.io.of("/guarded").use((socket, next) => {
      const isGood = socket.handshake.auth["token"] === "good";
      next(isGood ? undefined : Object.assign(new Error("no"), { data: { code: 7 } }));
    });
    const { client, socket } = await current.pair(server, cell, {
      nsp: "/guarded",
      auth: { token: "good" },
    });
    // Not that of the session, as those of old clients are.
    expect(socket.id).not.toContain((socket.conn as unknown as { id: string }).id);
    await current.roundTrip(client);
    const refused = current.connect(server.port, cell, { nsp: "/guarded" });
    const [error] = await received<[Refusal]>(refused, "connect_error");
    expect([error.message, error.data]).toEqual(["no", { code: 7 }]);
  });
});
