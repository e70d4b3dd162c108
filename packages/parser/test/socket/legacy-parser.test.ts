import { EventEmitter } from "node:events";
import * as msgpack from "socket.io-msgpack-parser";
import * as official from "socket.io-parser";
import { expect, test } from "vitest";
import type { RawData } from "../../src/engine/packet.js";
import { PacketError } from "../../src/errors.js";
import { wrapParser, type LegacyParserModule } from "../../src/socket/legacy-parser.js";
import { PacketType, type SocketPacket } from "../../src/socket/packet.js";

const A = Buffer.from("a");

/** A module whose encoder returns, and whose decoder announces, what the test says. */
function stub(encoded: unknown, announced: readonly unknown[] = []): LegacyParserModule {
  return {
    Encoder: class {
      encode(): unknown {
        return encoded;
      }
    },
    Decoder: class extends EventEmitter {
      add(): void {
        for (const packet of announced) this.emit("decoded", packet);
      }
      destroy(): void {}
    },
  };
}

function throwing(error: unknown): LegacyParserModule {
  return {
    Encoder: official.Encoder,
    Decoder: class extends EventEmitter {
      add(): void {
        throw error;
      }
      destroy(): void {}
    },
  };
}

function decode(module: LegacyParserModule, data: RawData = ""): SocketPacket | undefined {
  return wrapParser(module).createDecoder().push(data);
}

test("the official parser works, with attachments", () => {
  const parser = wrapParser(official);
  const packet = { type: PacketType.EVENT, nsp: "/admin", data: ["a", { b: A }], id: 7 };
  const [text = "", ...attachments] = parser.createEncoder().encode(packet);
  expect(text).toBe('51-/admin,7["a",{"b":{"_placeholder":true,"num":0}}]');
  expect(attachments).toEqual([A]);
  const decoder = parser.createDecoder();
  expect(decoder.push(text)).toBeUndefined();
  expect(decoder.push(A)).toEqual(packet);
});

test("the MessagePack parser works, with one binary message per packet", () => {
  const parser = wrapParser(msgpack);
  const packet = { type: PacketType.EVENT, nsp: "/", data: ["a", { b: A }], id: 7 };
  const pieces = parser.createEncoder().encode(packet);
  expect(pieces).toHaveLength(1);
  expect(pieces[0]).toBeInstanceOf(Buffer);
  expect(parser.createDecoder().push(pieces[0] ?? "")).toEqual(packet);
});

test("members that are undefined are not given to the encoder", () => {
  const [bytes = ""] = wrapParser(msgpack)
    .createEncoder()
    .encode({ type: PacketType.DISCONNECT, nsp: "/", data: undefined, id: undefined });
  expect((bytes as Buffer).toString("hex")).toBe("82a47479706501a36e7370a12f");
});

test("an encoder cannot change the packet", () => {
  const packet = { type: PacketType.EVENT, nsp: "/", data: ["a"] };
  const module: LegacyParserModule = {
    ...stub([]),
    Encoder: class {
      encode(given: object): unknown {
        Object.assign(given, { type: PacketType.BINARY_EVENT, data: undefined });
        return ["x"];
      }
    },
  };
  expect(wrapParser(module).createEncoder().encode(packet)).toEqual(["x"]);
  expect(packet).toEqual({ type: PacketType.EVENT, nsp: "/", data: ["a"] });
});

test("bytes of any form that an encoder returns become Buffers", () => {
  const encoder = wrapParser(stub(["x", new Uint8Array([97]), A])).createEncoder();
  expect(encoder.encode({ type: PacketType.EVENT, nsp: "/" })).toEqual(["x", A, A]);
});

test.each([undefined, "x", [1], [null]])("an encoder must not return %j", (encoded) => {
  const encoder = wrapParser(stub(encoded)).createEncoder();
  expect(() => encoder.encode({ type: PacketType.EVENT, nsp: "/" })).toThrow(TypeError);
});

test.each([
  [PacketType.BINARY_EVENT, PacketType.EVENT],
  [PacketType.BINARY_ACK, PacketType.ACK],
])("the binary type %i is decoded as %i", (wireType, type) => {
  const packet = { type: wireType, nsp: "/", data: ["a"], attachments: 0 };
  expect(decode(stub([], [packet]))).toEqual({ type, nsp: "/", data: ["a"] });
});

test("a decoder that announces nothing waits for more", () => {
  expect(decode(stub([]))).toBeUndefined();
});

test("an announcement that comes too late is not taken for the next packet", () => {
  const emitters: EventEmitter[] = [];
  const decoder = wrapParser({
    ...stub([]),
    Decoder: class extends EventEmitter {
      add(): void {
        emitters.push(this);
      }
      destroy(): void {}
    },
  }).createDecoder();
  decoder.push("a");
  expect(emitters).toHaveLength(1);
  emitters[0]?.emit("decoded", { type: PacketType.EVENT, nsp: "/", data: ["late"] });
  expect(decoder.push("b")).toBeUndefined();
});

test("several packets in one message are refused", () => {
  const packet = { type: PacketType.EVENT, nsp: "/", data: ["a"] };
  expect(() => decode(stub([], [packet, packet]))).toThrow(
    expect.objectContaining({ name: "PacketError", code: "ERR_PACKET_ORDER" }),
  );
});

test.each<[string, unknown, string]>([
  ["an Error", new RangeError("out of range"), "out of range"],
  ["an Error without a message", new Error(), "invalid packet"],
  ["a string", "text", "invalid packet"],
  ["nothing", undefined, "invalid packet"],
  ["an object without prototype", Object.create(null), "invalid packet"],
])("%s that a decoder throws becomes the cause of a packet error", (_name, cause, message) => {
  let thrown: unknown;
  try {
    decode(throwing(cause));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(PacketError);
  expect(thrown).toMatchObject({ code: "ERR_PACKET_PAYLOAD", message });
  expect((thrown as PacketError).cause).toBe(cause);
});

test("garbage that the MessagePack parser cannot decode is a packet error", () => {
  expect(() => decode(msgpack, Buffer.from("c1", "hex"))).toThrow(PacketError);
  expect(() => decode(msgpack, "text")).toThrow(PacketError);
});

test.each<[string, unknown]>([
  ["no object", "x"],
  ["nothing", undefined],
  ["null", null],
  ["an unknown type", { type: 7, nsp: "/" }],
  ["a type that is no number", { type: "2", nsp: "/", data: ["a"] }],
  ["no namespace", { type: 2, data: ["a"] }],
  ["an id that is no integer", { type: 2, nsp: "/", data: ["a"], id: "1" }],
  ["an event that is no list", { type: 2, nsp: "/", data: { 0: "a" } }],
  ["a reserved event name", { type: 2, nsp: "/", data: ["disconnect"] }],
  ["an event name that is an object", { type: 2, nsp: "/", data: [{}] }],
  ["an acknowledgement that is no list", { type: 3, nsp: "/", data: null, id: 1 }],
])("%s is no packet", (_name, announced) => {
  expect(() => decode(stub([], [announced]))).toThrow(PacketError);
});

test.each<[string, object]>([
  ["a null id", { type: 2, nsp: "/", data: ["a"], id: null }],
  ["an event without data", { type: 2, nsp: "/" }],
  ["a DISCONNECT with data", { type: 1, nsp: "/", data: null }],
  ["a CONNECT with whatever the parser makes of it", { type: 0, nsp: "/", data: new Map() }],
])("%s is accepted", (_name, announced) => {
  expect(decode(stub([], [announced]))).toEqual({ ...announced, id: undefined });
});

test("destroying a decoder destroys that of the module", () => {
  let destroyed = 0;
  const decoder = wrapParser({
    ...stub([]),
    Decoder: class extends EventEmitter {
      add(): void {}
      destroy(): void {
        destroyed++;
      }
    },
  }).createDecoder();
  decoder.destroy();
  expect(destroyed).toBe(1);
});
