import { describe, expect, test } from "vitest";
import { CELLS, pair } from "../support/clients.js";
import { range } from "../support/range.js";
import { startServer } from "../support/subject.js";
import { received } from "../support/wait.js";

function bytesOf(value: unknown): number[] {
  if (value instanceof ArrayBuffer) {
    return [...new Uint8Array(value)];
  }
  if (ArrayBuffer.isView(value)) {
    return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  }
  throw new TypeError(`not binary: ${JSON.stringify(value)}`);
}

const backing = Uint8Array.from([9, 1, 2, 3, 9]);
const floats = Float64Array.from([1.5, -2, 3]);

/** Name, value, the bytes that have to arrive. */
const BINARY: [string, unknown, number[]][] = [
  ["a Buffer", Buffer.from([1, 2, 3]), [1, 2, 3]],
  ["an empty Buffer", Buffer.alloc(0), []],
  ["a slice of a Buffer", Buffer.from([9, 1, 2, 9]).subarray(1, 3), [1, 2]],
  ["a Uint8Array", Uint8Array.from([4, 5]), [4, 5]],
  ["a part of a Uint8Array", backing.subarray(1, 4), [1, 2, 3]],
  ["a part of a Float64Array", floats.subarray(1, 2), bytesOf(Float64Array.from([-2]))],
  ["an ArrayBuffer", Uint8Array.from([6, 7, 8]).buffer, [6, 7, 8]],
  ["a DataView", new DataView(backing.buffer, 1, 3), [1, 2, 3]],
];

const NESTED = {
  first: Buffer.from([1]),
  list: [Buffer.from([2]), { deep: Uint8Array.from([3]) }, "text"],
  last: Uint8Array.from([4, 5]).buffer,
};

const NESTED_BYTES = { first: [1], list: [[2], { deep: [3] }, "text"], last: [4, 5] };

/** The value with lists of bytes in the places of its binary parts. */
function describeParts(value: unknown): unknown {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return bytesOf(value);
  }
  if (Array.isArray(value)) {
    return value.map((part) => describeParts(part));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, part]) => [key, describeParts(part)]),
    );
  }
  return value;
}

describe.each(CELLS)("$name", (cell) => {
  test("binary of every kind reaches the server as Buffers", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    for (const [name, value, bytes] of BINARY) {
      const arrived = received(socket, "binary");
      client.emit("binary", value);
      const [got] = await arrived;
      expect([name, Buffer.isBuffer(got), bytesOf(got)]).toEqual([name, true, bytes]);
    }
  });

  test("binary of every kind reaches the client", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    for (const [name, value, bytes] of BINARY) {
      const arrived = received(client, "binary");
      socket.emit("binary", value);
      const [got] = await arrived;
      expect([name, bytesOf(got)]).toEqual([name, bytes]);
    }
  });

  test("several attachments keep their places among the arguments", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const parts = range(10).map((index) => Buffer.from([index]));
    const args = ["start", ...parts.slice(0, 5), { middle: true }, parts.slice(5)];
    const onServer = received(socket, "several");
    const onClient = received(client, "several");
    client.emit("several", ...args);
    socket.emit("several", ...args);
    for (const got of [await onServer, await onClient]) {
      expect(got.map((part) => describeParts(part))).toEqual([
        "start",
        [0],
        [1],
        [2],
        [3],
        [4],
        { middle: true },
        [[5], [6], [7], [8], [9]],
      ]);
    }
  });

  test("nested binary and binary in acknowledgements arrive in both directions", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    for (const [from, to] of [
      [client, socket],
      [socket, client],
    ] as const) {
      to.on("nested", (value: unknown, acknowledge: (value: unknown) => void) =>
        acknowledge(value),
      );
      const arrived = received(to, "nested");
      const answer = await new Promise((resolve) => {
        from.emit("nested", NESTED, resolve);
      });
      expect(describeParts((await arrived)[0])).toEqual(NESTED_BYTES);
      expect(describeParts(answer)).toEqual(NESTED_BYTES);
    }
  });

  test("what was sent is not changed by sending it", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const arrived = received(client, "binary");
    const value = { part: Buffer.from([1]), list: [Buffer.from([2])] };
    socket.emit("binary", value);
    await arrived;
    expect(value).toEqual({ part: Buffer.from([1]), list: [Buffer.from([2])] });
  });

  test("text and binary events keep their order", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const seen: Record<"server" | "client", unknown[]> = { server: [], client: [] };
    const record = (side: "server" | "client") => (value: unknown) => {
      seen[side].push(typeof value === "number" ? value : bytesOf(value)[0]);
    };
    socket.on("mixed", record("server"));
    client.on("mixed", record("client"));
    const done = [received(socket, "end"), received(client, "end")];
    for (const peer of [client, socket]) {
      for (let index = 0; index < 40; index++) {
        peer.emit("mixed", index % 3 === 0 ? Buffer.from([index]) : index);
      }
      peer.emit("end");
    }
    await Promise.all(done);
    const expected = range(40);
    expect(seen).toEqual({ server: expected, client: expected });
  });
});
