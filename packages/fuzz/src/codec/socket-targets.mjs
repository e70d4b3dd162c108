import { isDeepStrictEqual } from "node:util";
import { hostileMessages, validMessages } from "../socket-packets.mjs";
import { eventName, jsonObject, jsonValue, namespace, word } from "../vocabulary.mjs";
import { Decoder, Encoder, officialSocket, PacketError } from "./subject.mjs";
import { demand, show, Violation } from "./violation.mjs";

/** @import { Target } from "./targets.mjs" */
/** @typedef {string | Buffer} Piece */
/** @typedef {{ packet: unknown } | { error: string } | "pending"} Outcome */

const RESERVED = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

const ours = new Encoder();
const theirs = new officialSocket.Encoder();

/** @type {Target} */
export const packetRoundTrip = {
  name: "socket packets: encoded as by the official encoder, decoded to what they were",
  make(random) {
    const type = random.pick([0, 1, 2, 2, 2, 3, 4]);
    const nsp = namespace(random);
    const bytes = () => random.bytes(random.below(12));
    const leaves = random.oneIn(2) ? bytes : undefined;
    const values = () => random.list(4, () => jsonValue(random, leaves));
    switch (type) {
      case 0:
        return { type, nsp, data: jsonObject(random) };
      case 1:
        return { type, nsp };
      case 4:
        return { type, nsp, data: { message: word(random), data: jsonValue(random) } };
      case 2: {
        const name = eventName(random);
        const data = [RESERVED.has(name) ? "echo" : name, ...values()];
        return random.oneIn(2) ? { type, nsp, data, id: random.next() } : { type, nsp, data };
      }
      default:
        return { type, nsp, data: values(), id: random.next() };
    }
  },
  check(input) {
    const packet = /** @type {any} */ (input);
    // Through JSON, as the official encoder changes what it is given.
    const copy = () => reviveBytes(structuredClone(packet));
    if (hasTooManyBytes(packet)) return;
    const pieces = ours.encode(copy());
    // With attachments, it loses members of the name `__proto__`.
    if (pieces.length === 1 || !JSON.stringify(packet).includes("__proto__")) {
      const official = theirs.encode(copy());
      demand(
        isDeepStrictEqual(pieces, official),
        () => `encoded as ${show(pieces)}, officially as ${show(official)}`,
      );
    }
    const decoder = new Decoder();
    /** @type {import("@jackfield/parser").SocketPacket | undefined} */
    let decoded;
    for (const piece of pieces) {
      demand(decoded === undefined, () => "complete before the last attachment");
      decoded = decoder.push(piece);
    }
    const { type, nsp, data, id } = copy();
    const wanted = { type, nsp, data, id };
    demand(
      isDeepStrictEqual(plain({ ...decoded }), plain(wanted)),
      () => `${show(packet)} came back as ${show(decoded)}`,
    );
  },
};

/** What the decoder holds after hostile messages: nothing that harms the next packet. */
const PROBE = '2["probe",{"a":1}]';

/** @type {Target} */
export const hostileDecoding = {
  name: "socket packets: whatever arrives, packets or PacketErrors, as the official decoder has it",
  make(random) {
    const pieces = [];
    for (let count = random.between(1, 3); count > 0; count -= 1) {
      pieces.push(...(random.oneIn(4) ? validMessages(random) : hostileMessages(random)));
    }
    return pieces;
  },
  check(input) {
    const pieces = /** @type {Piece[]} */ (input);
    const decoder = new Decoder();
    const mine = outcomes(pieces, (piece) => pushTo(decoder, piece));
    if (isFailure(mine.at(-1))) {
      demand(
        decoder.push(PROBE) !== undefined,
        () => "a packet after an error is not a packet of its own",
      );
    }
    if (pieces.some((piece) => typeof piece === "string" && differs(piece))) return;
    const official = officialOutcomes(pieces);
    demand(
      isDeepStrictEqual(mine, official),
      () => `our verdict is ${show(mine)}, the official one ${show(official)}`,
    );
  },
};

/** @param {Outcome | undefined} outcome */
function isFailure(outcome) {
  return typeof outcome === "object" && "error" in outcome;
}

/**
 * Where the two differ on purpose: types and ids given as white space, attachment counts that are
 * zero or no digits, ids that a number cannot hold, placeholders with a fraction, depth.
 *
 * @param {string} text
 */
function differs(text) {
  return (
    /^(?:\s|$)/.test(text) ||
    /^[56](?!\d+-)/.test(text) ||
    /^[56]0+-/.test(text) ||
    /^(?:[0-4]|[56]\d+-)(?:\/[^,]*(?:,|$))?\d*\s/.test(text) ||
    /^(?:[0-4]|[56]\d+-)(?:\/[^,]*(?:,|$))?\d{16}/.test(text) ||
    /"num":-?\d*\.?\d*[.e]/i.test(text) ||
    (text.length > 2000 && /[[{]{20}/.test(text))
  );
}

/**
 * Both close the connection at the first error, so that what follows does not matter.
 *
 * @param {Piece[]} pieces
 * @param {(piece: Piece) => unknown} push
 * @returns {Outcome[]}
 */
function outcomes(pieces, push) {
  /** @type {Outcome[]} */
  const result = [];
  for (const piece of pieces) {
    try {
      const packet = push(typeof piece === "string" ? piece : Buffer.from(piece));
      result.push(
        packet === undefined ? "pending" : { packet: plain({ .../** @type {any} */ (packet) }) },
      );
    } catch (error) {
      if (error instanceof Violation) throw error;
      result.push({ error: /** @type {Error} */ (error).message });
      break;
    }
  }
  return result;
}

/**
 * @param {Decoder} decoder
 * @param {Piece} piece
 */
function pushTo(decoder, piece) {
  try {
    return decoder.push(piece);
  } catch (error) {
    demand(error instanceof PacketError, () => `not a PacketError: ${show(error)}`);
    throw error;
  }
}

/** @param {Piece[]} pieces */
function officialOutcomes(pieces) {
  const decoder = new officialSocket.Decoder();
  /** @type {unknown} */
  let decoded;
  decoder.on("decoded", (packet) => {
    decoded = packet;
  });
  return outcomes(pieces, (piece) => {
    decoded = undefined;
    decoder.add(piece);
    return decoded;
  });
}

/** Absent and undefined members are the same to the server. @param {any} packet */
function plain({ type, nsp, data, id }) {
  return { type, nsp, data, id };
}

/** `structuredClone` makes plain arrays of bytes of buffers. @param {any} value @returns {any} */
function reviveBytes(value) {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (typeof value !== "object" || value === null) return value;
  for (const key of Object.keys(value)) {
    Object.defineProperty(value, key, {
      value: reviveBytes(value[key]),
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return value;
}

/** More attachments than decoders take. @param {unknown} packet */
function hasTooManyBytes(packet) {
  let count = 0;
  JSON.stringify(packet, (...[, value]) => {
    if (value?.type === "Buffer") count += 1;
    return value;
  });
  return count > 10;
}
