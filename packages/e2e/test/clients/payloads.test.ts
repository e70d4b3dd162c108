import { describe, expect, test } from "vitest";
import { CELLS, collect, pair } from "../support/clients.js";
import { startServer } from "../support/subject.js";
import { first, received } from "../support/wait.js";

const SIZE = 500_000;

const TEXTS = [
  "\u{1f600}\u{1f468}\u200d\u{1f469}\u200d\u{1f467}",
  "astral \u{10348}\u{10ffff}",
  "line\u2028and\u2029paragraph\r\n\t\0",
  "\ufeffstarts with a byte order mark\ufeff",
  "lone high \ud800, lone low \udc00, swapped \udc00\ud800",
  "e\u0301\u00e9\u00df\u0130",
  "\u0001\u001e\u007f\u0080\u00ff",
  '\\" \\n \\u0041 </script>',
];

describe.each(CELLS)("$name", (cell) => {
  test("large texts arrive whole in both directions", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    // Two bytes in UTF-8 for every second character.
    const text = "aé".repeat(SIZE / 3);
    const onServer = first(socket, "large");
    client.emit("large", text);
    expect((await onServer) === text).toBe(true);
    const onClient = first(client, "large");
    socket.emit("large", text);
    expect((await onClient) === text).toBe(true);
  });

  test("large binary arrives whole in both directions", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const bytes = Buffer.alloc(SIZE);
    for (let index = 0; index < bytes.length; index++) {
      bytes[index] = (index * 7 + (index >> 8)) & 0xff;
    }
    const onServer = first<Buffer>(socket, "large");
    client.emit("large", bytes);
    expect((await onServer).equals(bytes)).toBe(true);
    const onClient = first<Uint8Array>(client, "large");
    socket.emit("large", bytes);
    expect(Buffer.from(await onClient).equals(bytes)).toBe(true);
  });

  test("large payloads keep their place among small ones", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const seen = { client: collect(client, "part"), server: collect(socket, "part") };
    const done = [received(client, "end"), received(socket, "end")];
    const parts = [1, "x".repeat(SIZE / 5), 2, "y".repeat(SIZE / 5), 3];
    for (const peer of [client, socket]) {
      for (const part of parts) {
        peer.emit("part", part);
      }
      peer.emit("end");
    }
    await Promise.all(done);
    const expected = parts.map((part) => [part]);
    expect(seen.client).toEqual(expected);
    expect(seen.server).toEqual(expected);
  });

  test("text of every kind arrives unchanged in both directions and in acknowledgements", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    const onServer = received(socket, "texts");
    socket.on("texts", (...args: unknown[]) => {
      const acknowledge = args.pop() as (...values: unknown[]) => void;
      acknowledge(...args);
    });
    const answer = await new Promise<unknown[]>((resolve) => {
      client.emit("texts", ...TEXTS, (...values: unknown[]) => resolve(values));
    });
    expect((await onServer).slice(0, -1)).toEqual(TEXTS);
    expect(answer).toEqual(TEXTS);
  });

  test("text of every kind may be an event name and an object key", async () => {
    const { client, socket } = await pair(await startServer(), cell);
    for (const text of TEXTS) {
      const onServer = received(socket, text);
      const onClient = received(client, text);
      client.emit(text, { [text]: text });
      socket.emit(text, { [text]: text });
      expect(await onServer).toEqual([{ [text]: text }]);
      expect(await onClient).toEqual([{ [text]: text }]);
    }
  });

  test("text of every kind reaches the handshake through auth and query", async () => {
    const text = TEXTS.slice(0, 4).join("");
    const { socket } = await pair(await startServer(), cell, {
      auth: { text },
      query: { text },
    });
    expect(socket.handshake.auth).toEqual({ text });
    expect(socket.handshake.query["text"]).toBe(text);
  });
});
