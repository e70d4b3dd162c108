import { isDeepStrictEqual } from "node:util";
import * as ws from "ws";
// Not exported: applications have no use for it.
import { FrameReader } from "../../../engine-core/dist/esm/transports/websocket-frame-reader.js";
import { mutateBytes } from "../mutate.mjs";
import { formatFrame } from "../wire/format.mjs";
import { demand, show } from "./violation.mjs";

/** @import { Random } from "../random.mjs" */
/** @import { FrameStep } from "../wire/steps.js" */
/** @import { Target } from "./targets.mjs" */

/** Exported, but without types: it is what applications need least. */
const { Receiver } = /** @type {any} */ (ws);

const LIMIT = 1000;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;

/** @type {Target} */
export const webSocketFrames = {
  name: "frames of WebSocket: read as by ws, however they are cut",
  make(random) {
    const frames = [];
    for (let count = random.between(1, 5); count > 0; count -= 1) frames.push(...message(random));
    const whole = Buffer.concat(frames.map(formatFrame));
    const bytes = random.oneIn(2) ? mutateBytes(whole, random) : whole;
    return { bytes, cuts: random.list(8, () => random.below(bytes.length + 1)) };
  },
  check(input) {
    const { bytes, cuts } = /** @type {{ bytes: Uint8Array, cuts: number[] }} */ (input);
    const wanted = readOfficially(Buffer.from(bytes));
    const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
    for (const points of [[bytes.length], ends]) {
      const got = read(Buffer.from(bytes), points);
      demand(
        isDeepStrictEqual(got, wanted),
        () => `cut at ${show(points)}: ours ${show(got)}, officially ${show(wanted)}`,
      );
    }
  },
};

/** One message, or something like it, as the frames that it takes. @param {Random} random */
function message(random) {
  const length = random.pick([0, 1, 10, 124, 125, 126, 127, 300, 999, 1000, 1001]);
  const isText = random.oneIn(2);
  const payload = isText
    ? Buffer.from("é€😀a".repeat(length)).subarray(0, length)
    : random.bytes(length);
  const first = frame(random, isText ? TEXT : BINARY, payload);
  switch (random.below(6)) {
    case 0: {
      const cut = random.below(length + 1);
      const control = random.oneIn(2) ? [frame(random, random.pick([9, 10]), random.bytes(5))] : [];
      return [
        { ...frame(random, first.opcode, payload.subarray(0, cut)), fin: false },
        ...control,
        frame(random, 0, payload.subarray(cut)),
      ];
    }
    case 1:
      return [frame(random, random.below(16), random.bytes(random.below(130)))];
    case 2: {
      const close = Buffer.alloc(random.pick([0, 1, 2, 3, 10]), 0x61);
      if (close.length > 1)
        close.writeUInt16BE(
          random.pick([999, 1000, 1004, 1005, 1014, 1015, 2999, 3000, 4999, 5000]),
        );
      return [frame(random, CLOSE, close)];
    }
    case 3:
      return [spoiled(random, first)];
    default:
      return [first];
  }
}

/** @param {Random} random @param {number} opcode @param {Buffer} payload @returns {FrameStep} */
function frame(random, opcode, payload) {
  const mask = random.next().toString(16).padStart(8, "0");
  return { do: "frame", c: 0, opcode, payload: { base64: payload.toString("base64") }, mask };
}

/** @param {Random} random @param {FrameStep} step @returns {FrameStep} */
function spoiled(random, step) {
  const { mask: _mask, ...unmasked } = step;
  return random.weighted([
    [1, () => unmasked],
    [1, () => ({ ...step, rsv: random.below(8) })],
    [1, () => ({ ...step, fin: false })],
    [1, () => ({ ...step, lengthForm: random.pick(/** @type {const} */ ([7, 16, 64])) })],
    [
      1,
      () => ({
        ...step,
        length: random.pick([0, 1001, 65_536, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 62]),
      }),
    ],
  ])();
}

/** @param {Buffer} bytes @param {number[]} points where the pieces end */
function read(bytes, points) {
  /** @type {unknown[]} */
  const events = [];
  const sink = {
    onText: (/** @type {string} */ text) => events.push(["text", text]),
    onBinary: (/** @type {Buffer} */ data) => events.push(["binary", data.toString("base64")]),
    onPing: (/** @type {Buffer} */ data) => events.push(["ping", data.toString("base64")]),
    onCloseFrame: (/** @type {Buffer} */ data) => events.push(["close", data.toString("base64")]),
    onFrameError: (/** @type {any} */ { code, closeCode }) =>
      events.push(["error", code, closeCode]),
  };
  const reader = new FrameReader(LIMIT);
  let start = 0;
  for (const end of points) {
    reader.push(bytes.subarray(start, end), sink);
    start = end;
  }
  return events;
}

/** @param {Buffer} bytes */
function readOfficially(bytes) {
  /** @type {unknown[]} */
  const events = [];
  const receiver = new Receiver({ isServer: true, maxPayload: LIMIT });
  receiver.on("message", (/** @type {Buffer} */ data, /** @type {boolean} */ isBinary) =>
    events.push(isBinary ? ["binary", data.toString("base64")] : ["text", data.toString()]),
  );
  receiver.on("ping", (/** @type {Buffer} */ data) =>
    events.push(["ping", data.toString("base64")]),
  );
  receiver.on("conclude", (/** @type {number} */ code, /** @type {Buffer} */ reason) => {
    const status = Buffer.alloc(code === 1005 ? 0 : 2);
    if (code !== 1005) status.writeUInt16BE(code);
    events.push(["close", Buffer.concat([status, reason]).toString("base64")]);
  });
  // Past the queue of the stream, in which errors would wait for the next tick.
  // oxlint-disable-next-line no-underscore-dangle -- the name that Node gives it
  receiver._write(bytes, "buffer", (/** @type {any} */ error) => {
    if (error)
      events.push(["error", error.code, error[Object.getOwnPropertySymbols(error)[0] ?? ""]]);
  });
  return events;
}
