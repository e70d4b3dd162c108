import { isDeepStrictEqual } from "node:util";
import { mutateBytes, mutateText } from "../mutate.mjs";
import { validMessages } from "../socket-packets.mjs";
import { word } from "../vocabulary.mjs";
import { codecV3, codecV4, FrameDecoder, official3, official4, PacketError } from "./subject.mjs";
import { demand, show } from "./violation.mjs";

/** @import { Random } from "../random.mjs" */
/** @import { Target } from "./targets.mjs" */

const TYPES = ["open", "close", "ping", "pong", "message", "message", "message", "upgrade", "noop"];
const SEPARATOR = "\u001e";

/** @param {Random} random */
function enginePacket(random) {
  const type = random.pick(TYPES);
  if (type === "message" && random.oneIn(3)) return { type, data: random.bytes(random.below(40)) };
  const data = random.oneIn(3) ? word(random) : String(validMessages(random)[0]);
  // Nobody who writes packets leaves lone surrogates or separators in them.
  return data === "" || random.oneIn(4)
    ? { type }
    : { type, data: data.replaceAll(SEPARATOR, " ").toWellFormed() };
}

/** @type {Target} */
export const payloadRoundTrip = {
  name: "engine payloads: encoded as by the official parsers, decoded to what they were",
  make: (random) => ({
    packets: Array.from({ length: random.between(1, 4) }, () => enginePacket(random)),
    supportsBinary: random.oneIn(2),
  }),
  check(input) {
    const { packets, supportsBinary } = /** @type {any} */ (input);
    for (const codec of [codecV4, codecV3]) {
      const payload = codec.encodePayload(packets, supportsBinary);
      const official =
        codec === codecV4 ? officialPayload4(packets) : officialPayload3(packets, supportsBinary);
      demand(
        isDeepStrictEqual(payload, official),
        () =>
          `protocol ${codec.protocol}: encoded as ${show(payload)}, officially as ${show(official)}`,
      );
      const { packets: decoded, error } = decodeAll(codec, payload);
      demand(
        error === undefined,
        () => `protocol ${codec.protocol}: refused what it has encoded: ${show(error)}`,
      );
      demand(
        isDeepStrictEqual(decoded, packets.map(plain)),
        () => `protocol ${codec.protocol}: ${show(packets)} came back as ${show(decoded)}`,
      );
    }
  },
};

/** @type {Target} */
export const hostileText = {
  name: "engine payloads of text: packets or PacketErrors, as the official parsers have it",
  make(random) {
    const packets = Array.from({ length: random.between(1, 3) }, () => enginePacket(random));
    const codec = random.oneIn(2) ? codecV4 : codecV3;
    return mutateText(String(codec.encodePayload(/** @type {any} */ (packets), false)), random);
  },
  check(input) {
    const text = /** @type {string} */ (input);
    compare(4, decodeAll(codecV4, text), official4.decodePayload(text).map(plainOfficial), text);
    const ours = decodeAll(codecV3, text);
    if (isComparable3(text)) compare(3, ours, officialDecode3(text), text);
    for (const codec of [codecV4, codecV3]) decodeOne(codec, text);
  },
};

/** @type {Target} */
export const hostileBytes = {
  name: "engine payloads of bytes: packets or PacketErrors",
  make(random) {
    const packets = Array.from({ length: random.between(1, 3) }, () => enginePacket(random));
    packets.push({ type: "message", data: random.bytes(random.below(5)) });
    const payload = Buffer.from(codecV3.encodePayload(/** @type {any} */ (packets), true));
    return random.oneIn(8) ? random.bytes(random.below(40)) : mutateBytes(payload, random);
  },
  check(input) {
    const bytes = Buffer.from(/** @type {Uint8Array} */ (input));
    const before = Buffer.from(bytes);
    for (const codec of [codecV4, codecV3]) {
      const { packets } = decodeAll(codec, bytes);
      const size = packets.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
      demand(size <= 3 * bytes.length, () => `${size} bytes of data in ${bytes.length} bytes`);
      decodeOne(codec, bytes);
    }
    demand(bytes.equals(before), () => "the input was changed");
  },
};

const FRAME_LIMIT = 1000;

/** @type {Target} */
export const frames = {
  name: "frames of WebTransport: the same however they are cut, nothing but PacketErrors",
  make(random) {
    const parts = [];
    for (let count = random.between(1, 4); count > 0; count -= 1) {
      const length = random.pick([0, 1, 5, 125, 126, 127, 300, 1000, 1001]);
      const header = random.weighted([
        [6, () => Buffer.from(length < 126 ? [length] : [126, length >> 8, length & 0xff])],
        [1, () => Buffer.from([127, ...random.bytes(8)])],
        [1, () => Buffer.from([127, 0, 0, 0, 0, 0, 0, length >> 8, length & 0xff])],
      ])();
      if (random.oneIn(2)) header[0] = (header[0] ?? 0) | 0x80;
      parts.push(header, random.bytes(length));
    }
    const whole = Buffer.concat(parts);
    const bytes = random.oneIn(2) ? mutateBytes(whole, random) : whole;
    return { bytes, cuts: random.list(8, () => random.below(bytes.length + 1)) };
  },
  check(input) {
    const { bytes, cuts } = /** @type {{ bytes: Uint8Array, cuts: number[] }} */ (input);
    const inOne = decodeFrames([bytes]);
    const points = [
      0,
      ...cuts.filter((cut) => cut <= bytes.length).sort((a, b) => a - b),
      bytes.length,
    ];
    const pieces = points.slice(1).map((end, index) => bytes.subarray(points[index], end));
    const inPieces = decodeFrames(pieces);
    demand(
      isDeepStrictEqual(inOne, inPieces),
      () => `in one ${show(inOne)}, cut at ${show(points)} ${show(inPieces)}`,
    );
  },
};

/** @param {Uint8Array[]} pieces */
function decodeFrames(pieces) {
  const decoder = new FrameDecoder(FRAME_LIMIT);
  /** @type {unknown[]} */
  const result = [];
  for (const piece of pieces) {
    try {
      decoder.push(piece, (data) => {
        demand(data.length <= FRAME_LIMIT, () => "a frame above the limit");
        result.push(Buffer.from(data).toString("base64"));
      });
    } catch (error) {
      demand(error instanceof PacketError, () => `not a PacketError: ${show(error)}`);
      result.push(error.message);
      break;
    }
  }
  return result;
}

/**
 * @param {typeof codecV4 | typeof codecV3} codec
 * @param {string | Buffer} payload
 */
function decodeAll(codec, payload) {
  /** @type {any[]} */
  const packets = [];
  try {
    codec.decodePayload(payload, (packet) => {
      packets.push(plain(packet));
      demand(packets.length <= payload.length, () => "more packets than characters");
      return true;
    });
  } catch (error) {
    demand(error instanceof PacketError, () => `not a PacketError: ${show(error)}`);
    return { packets, error };
  }
  return { packets, error: undefined };
}

/**
 * @param {typeof codecV4 | typeof codecV3} codec
 * @param {string | Buffer} data
 */
function decodeOne(codec, data) {
  try {
    codec.decodePacket(data);
  } catch (error) {
    demand(error instanceof PacketError, () => `not a PacketError: ${show(error)}`);
  }
}

/**
 * @param {number} protocol
 * @param {ReturnType<typeof decodeAll>} ours
 * @param {any[]} official ends in an error packet if there is one
 * @param {string} text
 */
function compare(protocol, { packets, error }, official, text) {
  const mine = error === undefined ? packets : [...packets, "error"];
  demand(
    isDeepStrictEqual(mine, official),
    () =>
      `protocol ${protocol}, ${show(text)}: our verdict is ${show(mine)}, the official one ${show(official)}`,
  );
}

/** @param {any} packet */
function plainOfficial(packet) {
  return packet.type === "error" ? "error" : plain(packet);
}

/** @param {{ type: string, data?: unknown }} packet */
function plain({ type, data }) {
  return data === undefined ? { type } : { type, data };
}

/** @param {any[]} packets */
function officialPayload4(packets) {
  /** @type {string | undefined} */
  let result;
  official4.encodePayload(packets, (encoded) => {
    result = encoded;
  });
  return result;
}

/** @param {any[]} packets @param {boolean} supportsBinary */
function officialPayload3(packets, supportsBinary) {
  /** @type {unknown} */
  let result;
  official3.encodePayload(packets, supportsBinary, (/** @type {unknown} */ encoded) => {
    result = encoded;
  });
  return result;
}

/** @param {string} text */
function officialDecode3(text) {
  /** @type {unknown[]} */
  const packets = [];
  official3.decodePayload(text, (/** @type {any} */ packet) => {
    packets.push(plainOfficial(packet));
  });
  return packets;
}

/**
 * The official parser takes whatever `Number` takes for a length, and base64 of any packet type.
 *
 * @param {string} text
 */
function isComparable3(text) {
  let position = 0;
  while (position < text.length) {
    const colon = text.indexOf(":", position);
    const length = text.slice(position, colon === -1 ? undefined : colon);
    if (!/^\d{1,9}$/.test(length)) return colon === -1;
    const packet = colon === -1 ? "" : text.slice(colon + 1, colon + 1 + Number(length));
    if (packet.startsWith("b") && packet[1] !== "4") return false;
    if (colon === -1) return true;
    position = colon + 1 + Number(length);
  }
  return true;
}
