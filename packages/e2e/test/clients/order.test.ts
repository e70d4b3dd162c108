import type { Socket as ServerSocket } from "socket.io";
import type { Socket } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { CELLS, collect, connect, pair } from "../support/clients.js";
import { range } from "../support/range.js";
import { startServer } from "../support/subject.js";
import { first, received, until } from "../support/wait.js";

const BURST = range(1000);

/** Emits numbers from now on, more of them when asked, until stopped. */
class Pump {
  readonly #peer: Pick<Socket | ServerSocket, "emit">;
  readonly #timer: NodeJS.Timeout;
  #sent = 0;

  constructor(peer: Pick<Socket | ServerSocket, "emit">) {
    this.#peer = peer;
    this.#timer = setInterval(() => this.send(1), 1);
  }

  send(count: number): void {
    for (let index = 0; index < count; index++) {
      const value = this.#sent++;
      // Every seventh event is binary, so packets of several frames cross as well.
      this.#peer.emit("number", value, value % 7 === 0 ? Buffer.from([value & 0xff]) : "text");
    }
  }

  /** Marks the end and returns the numbers that were sent. */
  stop(): number[] {
    clearInterval(this.#timer);
    this.#peer.emit("end");
    return range(this.#sent);
  }
}

describe.each(CELLS)("$name", (cell) => {
  test("a burst of 1000 events keeps its order in both directions", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const onServer = collect(socket, "number");
    const onClient = collect(client, "number");
    const done = [received(socket, "end"), received(client, "end")];
    for (const peer of [client, socket]) {
      for (const value of BURST) {
        peer.emit("number", value);
      }
      peer.emit("end");
    }
    await Promise.all(done);
    expect(onServer).toEqual(BURST.map((value) => [value]));
    expect(onClient).toEqual(BURST.map((value) => [value]));
  });

  test("a burst of broadcasts, direct emits and acknowledgements keeps its order", async () => {
    const server = await startServer();
    const { client, socket } = await pair(server, cell);
    await socket.join("room");
    const onClient = collect(client, "number");
    const acknowledged: number[] = [];
    const done = received(client, "end");
    client.on("number", (...[, acknowledge]: [number, (() => void)?]) => acknowledge?.());
    for (const value of range(100)) {
      const how = value % 4;
      if (how === 0) {
        socket.emit("number", value);
      } else if (how === 1) {
        server.io.emit("number", value);
      } else if (how === 2) {
        server.io.to("room").emit("number", value);
      } else {
        socket.emit("number", value, () => acknowledged.push(value));
      }
    }
    socket.emit("end");
    await done;
    await until(() => acknowledged.length === 25);
    expect(onClient.map(([value]) => value)).toEqual(range(100));
    expect(acknowledged).toEqual(range(100).filter((value) => value % 4 === 3));
  });
});

describe.each(CELLS.filter(({ transport }) => transport === "upgrade"))("$name", (cell) => {
  test("both sides emit through the whole upgrade and nothing is lost, doubled or swapped", async () => {
    const server = await startServer();
    await Promise.all(
      range(8).map(async () => {
        const client = connect(server.port, cell);
        const onClient = collect(client, "number");
        const clientEnd = received(client, "end");
        await received(client, "connect");
        const socket = server.io.sockets.sockets.get(client.id ?? "");
        if (socket === undefined) {
          throw new Error("the server has no socket with the id of the client");
        }
        const onServer = collect(socket, "number");
        const serverEnd = received(socket, "end");
        const pumps = [new Pump(client), new Pump(socket)];
        const burst = (): void => {
          for (const pump of pumps) {
            pump.send(5);
          }
        };
        // The moments at which packets are lost if they are: the probe, the switch, and just after.
        socket.conn.on("upgrading", burst);
        socket.conn.on("upgrade", burst);
        client.io.engine.on("upgrading", burst);
        client.io.engine.on("upgrade", burst);
        await first(socket.conn, "upgrade");
        await until(() => client.io.engine.transport.name === "websocket");
        burst();
        const [byClient, byServer] = pumps.map((pump) => pump.stop());
        await Promise.all([clientEnd, serverEnd]);
        expect(onServer.map(([value]) => value)).toEqual(byClient);
        expect(onClient.map(([value]) => value)).toEqual(byServer);
        expect(socket.conn.transport.name).toBe("websocket");
      }),
    );
  });
});
