import fc from "fast-check";
import type { RawData } from "../../src/engine/packet.js";
import { Encoder } from "../../src/socket/encoder.js";
import { PacketType, type SocketPacket } from "../../src/socket/packet.js";
import { RESERVED_EVENTS } from "../../src/socket/reserved-events.js";

const text = fc.string({ unit: "binary", maxLength: 12 });

const leaf = fc.oneof(
  text,
  fc.integer(),
  // JSON knows no negative zero.
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  fc.boolean(),
  fc.constant(null),
);

const key = fc.oneof(
  { weight: 9, arbitrary: text },
  { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "num", "toJSON", "length") },
);

function tree(leaves: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaves,
      fc.array(tie("node"), { maxLength: 5 }),
      fc.dictionary(key, tie("node"), { maxKeys: 5, noNullPrototype: true }),
    ),
  })).node;
}

/** Bytes as they are received. */
export const attachment: fc.Arbitrary<Buffer> = fc
  .uint8Array({ maxLength: 8 })
  .map((bytes) => Buffer.from(bytes));

/** What can be sent and received without a change. */
const json: fc.Arbitrary<unknown> = tree(leaf);

/** The same, with bytes somewhere. */
const jsonWithBytes: fc.Arbitrary<unknown> = tree(fc.oneof(leaf, attachment));

const nsp = fc.oneof(
  fc.constantFrom("/", "/admin", "/a?b=c"),
  text.filter((name) => !name.includes(",")).map((name) => `/${name}`),
);
const id = fc.option(fc.maxSafeNat(), { nil: undefined });
const eventName = fc.oneof(
  text.filter((name) => !RESERVED_EVENTS.has(name)),
  fc.nat(),
);

/** Valid packets of every type. */
export const packet: fc.Arbitrary<SocketPacket> = fc.oneof(
  fc.record({
    type: fc.constant(PacketType.CONNECT),
    nsp,
    data: fc.option(fc.dictionary(key, json, { noNullPrototype: true }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant(PacketType.DISCONNECT), nsp }),
  fc.record({
    type: fc.constant(PacketType.CONNECT_ERROR),
    nsp,
    data: fc.record({ message: text, data: json }),
  }),
  fc.record({
    type: fc.constant(PacketType.EVENT),
    nsp,
    data: fc.tuple(eventName, fc.array(jsonWithBytes)).map(([name, args]) => [name, ...args]),
    id,
  }),
  fc.record({ type: fc.constant(PacketType.ACK), nsp, data: fc.array(jsonWithBytes), id }),
);

const grammar = fc
  .array(
    fc.constantFrom(
      ...Array.from('0123456789-/,[]{}"\\ '),
      "/admin,",
      '["a"]',
      '{"_placeholder":true,"num":0}',
      '["a",{"_placeholder":true,"num":0}]',
      "null",
      "1e0",
      "__proto__",
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

const header = fc
  .tuple(
    fc.constantFrom("0", "1", "2", "3", "4", "50-", "51-", "52-", "61-", "7", ""),
    fc.constantFrom("", "/admin,", "/", "/a"),
    fc.constantFrom("", "0", "12", " "),
    fc.constantFrom("", '["a"]', "{}", '["a",{"_placeholder":true,"num":0}]', "[", '"x"', "[1]"),
  )
  .map((parts) => parts.join(""));

/** Valid texts with something cut out of the middle and something else put there. */
const mutated = fc
  .tuple(packet, fc.nat(), fc.nat({ max: 3 }), fc.string({ maxLength: 2 }))
  .map(([original, position, removed, inserted]) => {
    const [encoded] = new Encoder().encode(original);
    const start = position % (String(encoded).length + 1);
    return String(encoded).slice(0, start) + inserted + String(encoded).slice(start + removed);
  });

/** Texts that are packets, nearly packets, or nothing of the kind. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary" }),
  grammar,
  header,
  mutated,
);

/** What a peer may send. */
export const hostilePiece: fc.Arbitrary<RawData> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  { weight: 1, arbitrary: attachment },
);
