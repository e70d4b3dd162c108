import { codecV3, codecV4, Decoder, type PacketCodec, PacketError } from "@jackfield/parser";
import {
  formatFrame,
  OPCODE,
  RawConnection,
  type RawPolling,
  type RawWebSocket,
  splitPayload,
} from "@jackfield/testkit";
import * as official from "socket.io-parser";
import { expect, test } from "vitest";
import type { Socket } from "@jackfield/socketio";
import { range } from "../support/range.js";
import { first, received } from "../support/wait.js";
import { leave, Target, unharmed } from "./target.js";

/** Socket.IO packets of every type that a client may send, with all parts that a packet can have. */
const PACKETS: readonly (readonly [text: string, ...attachments: Buffer[]])[] = [
  ["0"],
  ['0/admin,{"token":"é"}'],
  ["1"],
  ["1/admin,"],
  ['2["echo"]'],
  ['2/admin,12["echo",{"a":[1,null,true,"x\\u0000"]},"é😀"]'],
  ['312["x",-1.5e3]'],
  ["3/admin,0[]"],
  ['51-["echo",{"_placeholder":true,"num":0}]', Buffer.from("0102", "hex")],
  [
    '52-/admin,7["echo",{"_placeholder":true,"num":1},{"a":{"_placeholder":true,"num":0}}]',
    Buffer.from("01", "hex"),
    Buffer.alloc(0),
  ],
  ['61-3[{"_placeholder":true,"num":0}]', Buffer.from("ff", "hex")],
];

/** Every packet text, cut behind each of its characters. */
const CUTS = PACKETS.flatMap(([text]) => range(text.length).map((length) => text.slice(0, length)));

type Verdict = "packet" | "pending" | "error";

function verdictOf(push: () => unknown): Verdict {
  try {
    return push() === undefined ? "pending" : "packet";
  } catch {
    return "error";
  }
}

function officialVerdict(text: string): Verdict {
  const decoder = new official.Decoder();
  let packet: unknown;
  decoder.on("decoded", (result) => {
    packet = result;
  });
  return verdictOf(() => {
    decoder.add(text);
    return packet;
  });
}

/** The official decoder takes the lack of a type for type 0. */
const ACCEPTED_OFFICIALLY = new Set([""]);

test("Socket.IO packets that were cut at any character are judged as by the official decoder", () => {
  expect(CUTS.length).toBeGreaterThan(250);
  for (const text of CUTS) {
    const decoder = new Decoder();
    const verdict = verdictOf(() => decoder.push(text));
    expect([text, verdict]).toEqual([
      text,
      ACCEPTED_OFFICIALLY.has(text) ? "error" : officialVerdict(text),
    ]);
    decoder.destroy();
    expect(decoder.push('2["next"]')).toMatchObject({ data: ["next"] });
  }
});

test("a binary packet that lacks attachments is none, and the next text is an error", () => {
  for (const [text, ...attachments] of PACKETS) {
    for (const count of range(attachments.length)) {
      const decoder = new Decoder();
      expect(decoder.push(text)).toBeUndefined();
      for (const attachment of attachments.slice(0, count)) {
        expect(decoder.push(attachment)).toBeUndefined();
      }
      expect(() => decoder.push('2["next"]')).toThrow(PacketError);
      expect(decoder.push('2["next"]')).toMatchObject({ data: ["next"] });
    }
  }
});

const ENGINE_PACKETS = [
  { type: "open", data: '{"sid":"é"}' },
  { type: "message", data: '2["echo","é😀"]' },
  { type: "message", data: Buffer.from("00ff10", "hex") },
  { type: "ping", data: "probe" },
  { type: "noop" },
] as const;

const PAYLOADS: readonly (readonly [string, PacketCodec, Buffer | string])[] = [
  ["protocol 4", codecV4, codecV4.encodePayload(ENGINE_PACKETS, true)],
  ["protocol 3 as text", codecV3, codecV3.encodePayload(ENGINE_PACKETS, false)],
  ["protocol 3 as bytes", codecV3, codecV3.encodePayload(ENGINE_PACKETS, true)],
];

test.each(PAYLOADS)(
  "a payload of %s that was cut anywhere gives packets from its beginning, and then an error",
  (_name, codec, payload) => {
    const whole = decoded(codec, payload);
    expect(whole.error).toBeUndefined();
    expect(whole.packets).toHaveLength(ENGINE_PACKETS.length);
    for (const length of range(payload.length)) {
      const { packets, error } = decoded(codec, payload.slice(0, length));
      // In protocol 4 the last packet may be cut without a trace; what is before it may not be.
      const certain = error === undefined ? packets.slice(0, -1) : packets;
      expect(certain).toEqual(whole.packets.slice(0, certain.length));
      expect(error ?? new PacketError("ERR_PACKET_TYPE", "")).toBeInstanceOf(PacketError);
      expect(packets.length).toBeLessThanOrEqual(ENGINE_PACKETS.length);
    }
  },
);

test("a packet of either protocol that was cut anywhere is a packet or an error", () => {
  for (const codec of [codecV4, codecV3]) {
    for (const packet of ENGINE_PACKETS) {
      const encoded = codec.encodePacket(packet, true);
      for (const length of range(encoded.length)) {
        const piece = encoded.slice(0, length);
        const verdict = verdictOf(() => codec.decodePacket(piece));
        // Without its type a packet is none; in protocol 4 bytes have none.
        const isPacket = length > 0 || (codec.protocol === 4 && typeof encoded !== "string");
        expect([piece, verdict]).toEqual([piece, isPacket ? "packet" : "error"]);
      }
    }
  }
});

function decoded(
  codec: PacketCodec,
  payload: Buffer | string,
): { packets: unknown[]; error: unknown } {
  const packets: unknown[] = [];
  try {
    codec.decodePayload(payload, (packet) => {
      packets.push(packet);
      return true;
    });
  } catch (error) {
    return { packets, error };
  }
  return { packets, error: undefined };
}

/** What a server makes of a text on a connection that has joined `/` and nothing else. */
function isFatal(text: string): boolean {
  const decoder = new Decoder();
  try {
    const packet = decoder.push(text);
    if (packet === undefined) return false;
    // A second CONNECT, and whatever is for a namespace that was not joined.
    return packet.type === 4 || (packet.type === 0 && packet.nsp === "/") || isElsewhere(packet);
  } catch {
    return true;
  }
}

function isElsewhere({ type, nsp }: { type: number; nsp: string }): boolean {
  return type !== 0 && nsp !== "/";
}

test("truncated packets over WebSocket end their connection if they are none, and no other", async () => {
  const target = await Target.start();
  for (const text of CUTS) {
    const { client } = await target.join();
    client.send(`4${text}`);
    client.sendFrame({ opcode: OPCODE.ping, payload: "alive" });
    const outcome = await Promise.race([client.closed, pongOf(client).catch(() => client.closed)]);
    const expected = isFatal(text) ? { hasCloseFrame: true, code: undefined } : "alive";
    expect([text, outcome]).toEqual([text, expected]);
    await leave(client);
  }
  expect(await target.aftermath()).toEqual(unharmed());
}, 60_000);

test("truncated packets in a POST get their answer, and end their session if they are none", async () => {
  const target = await Target.start();
  for (const text of CUTS) {
    const polling = await target.openPolling();
    await polling.post("40");
    await polling.poll();
    const answer = await polling.post(`4${text}`);
    expect([text, answer.status, answer.body]).toEqual([text, 200, "ok"]);
    // A session that has ended tells so by the next poll.
    expect([text, await lastPacket(target, polling, text)]).toEqual([text, "1"]);
  }
  expect(await target.aftermath()).toEqual(unharmed());
}, 60_000);

test("a frame that was cut anywhere by the end of the connection closes the session", async () => {
  const target = await Target.start();
  for (const frame of [
    formatFrame({ opcode: OPCODE.text, payload: '42["echo","é"]' }),
    formatFrame({ opcode: OPCODE.binary, payload: Buffer.alloc(130, 1) }),
    formatFrame({ opcode: OPCODE.ping, payload: "p" }),
    formatFrame({ opcode: OPCODE.close, payload: Buffer.from("03e8", "hex") }),
    formatFrame({ opcode: OPCODE.text, fin: false, payload: "42" }),
  ]) {
    for (const length of range(frame.length)) {
      const { client, socket } = await target.join();
      const gone = new Promise((resolve) => {
        socket.on("disconnect", resolve);
      });
      client.write(frame.subarray(0, length));
      client.destroy();
      expect(await gone).toBe("transport close");
    }
  }
  expect(await target.aftermath()).toEqual(unharmed());
}, 60_000);

test("an upgrade request that was cut anywhere opens nothing", async () => {
  const target = await Target.start();
  const request =
    `GET ${target.websocket} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  for (const length of range(request.length)) {
    const socket = new RawConnection(target.port);
    socket.write(request.slice(0, length));
    socket.end();
    const answer = (await socket.closed).toString();
    expect([length, answer]).toEqual([
      length,
      length === 0 ? "" : "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    ]);
  }
  expect(await target.aftermath()).toEqual(unharmed());
}, 60_000);

test("a POST whose body was cut anywhere by the end of the connection ends its session", async () => {
  const target = await Target.start();
  const body = '42["echo","é"]';
  for (const length of range(body.length)) {
    const connected = first<Socket>(target.io as never, "connection");
    const polling = await target.openPolling();
    await polling.post("40");
    const socket = await connected;
    const gone = received(socket as never, "disconnect");
    const { connection } = polling.start({
      method: "POST",
      contentLength: Buffer.byteLength(body),
      body: body.slice(0, length),
    });
    // Its own connection, so that the server has begun to read when the poll is answered.
    await polling.poll();
    connection.destroy();
    const [reason, description] = await gone;
    expect(reason).toBe("transport error");
    expect((description as Error).message).toBe("data request connection closed prematurely");
  }
  expect(await target.aftermath()).toEqual(unharmed());
}, 60_000);

/** The last packet that a polling client gets; a session that goes on is ended by its client. */
async function lastPacket(target: Target, polling: RawPolling, text: string): Promise<string> {
  if (isFatal(text)) return splitPayload((await polling.poll()).body).at(-1) ?? "";
  expect(target.io.engine?.clientsCount).toBe(2);
  const answer = await polling.post("1");
  return answer.body === "ok" ? "1" : answer.body;
}

async function pongOf(client: RawWebSocket): Promise<string> {
  for (;;) {
    const frame = await client.nextFrame();
    if (frame.opcode === OPCODE.pong) return frame.text;
  }
}
