import { hostileMessages, validMessages } from "../socket-packets.mjs";
import { ENGINE } from "./script.mjs";

/** @import { Random } from "../random.mjs" */
/** @import { Script } from "./script.mjs" */
/** @import { FrameStep } from "./steps.js" */

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/**
 * @param {Script} script
 * @param {number} c
 * @param {string | Buffer} data
 * @returns {FrameStep}
 */
export function frame({ random }, c, data) {
  /** @type {FrameStep} */
  const step = {
    do: "frame",
    c,
    opcode: typeof data === "string" ? TEXT : BINARY,
    payload: typeof data === "string" ? data.toWellFormed() : { base64: data.toString("base64") },
    mask: random.next().toString(16).padStart(8, "0"),
  };
  if (random.oneIn(12)) step.split = random.between(1, 7);
  return step;
}

/** @param {Script} script @param {number} c */
export function joinByFrame(script, c) {
  if (script.server === ENGINE) return;
  script.add(frame(script, c, script.random.oneIn(4) ? '40{"token":"let me in"}' : "40"));
  if (script.random.oneIn(3)) script.add(frame(script, c, `40/dyn-${script.random.below(50)},`));
  if (!script.random.oneIn(3)) script.add({ do: "await", c });
}

/** @param {Script} script @param {number} c @param {number} count */
export function sendFrames(script, c, count) {
  const { random, protocol } = script;
  for (let left = count; left > 0; left -= 1) {
    for (const message of messages(random)) {
      if (typeof message === "string")
        addText(script, c, random.oneIn(25) ? message : `4${message}`);
      else {
        const bytes =
          protocol === 3 && !random.oneIn(6) ? Buffer.concat([Buffer.of(4), message]) : message;
        script.add(frame(script, c, bytes));
      }
    }
    if (random.oneIn(8))
      addText(
        script,
        c,
        random.pick(["2", "3", "1", "6", "5", "0", "7", "", "b", "bAAA", "b4AAA", "2probe"]),
      );
    if (random.oneIn(8)) script.add({ do: "await", c });
  }
}

/** One text message, now and then in several frames with a control frame between. @param {Script} script @param {number} c @param {string} text */
function addText(script, c, text) {
  const { random } = script;
  if (!random.oneIn(10)) {
    script.add(frame(script, c, text));
    return;
  }
  const cut = random.below(text.length + 1);
  script.add({ ...frame(script, c, text.slice(0, cut)), fin: false });
  if (random.oneIn(3))
    script.add({ ...frame(script, c, "beat"), opcode: random.pick([PING, PONG]) });
  if (!random.oneIn(6)) script.add({ ...frame(script, c, text.slice(cut)), opcode: 0 });
}

/** @param {Script} script @param {number} c */
export function closeWebSocket(script, c) {
  const { random } = script;
  if (random.oneIn(2)) return;
  const code = random.pick([undefined, 1000, 1001, 1005, 1006, 1015, 2999, 3000, 4999, 0, 65_535]);
  const bytes = Buffer.alloc(code === undefined ? random.below(2) : 2 + random.below(3), 0xc0);
  if (code !== undefined) bytes.writeUInt16BE(code);
  script.add({ ...frame(script, c, bytes), opcode: CLOSE });
  if (random.oneIn(3)) sendFrames(script, c, 1);
  if (random.oneIn(3)) script.add({ do: "await", c });
}

/** @param {Script} script @param {number} c @returns {FrameStep} */
export function badFrame(script, c) {
  const { random } = script;
  const step = frame(
    script,
    c,
    random.oneIn(2)
      ? `4${random.pick(messages(random).filter(isText).concat("2"))}`
      : random.bytes(random.below(200)),
  );
  switch (random.below(9)) {
    case 0:
      step.opcode = random.below(16);
      break;
    case 1:
      step.rsv = random.between(1, 7);
      break;
    case 2:
      delete step.mask;
      break;
    case 3:
      step.length = random.pick([
        0,
        1,
        125,
        126,
        127,
        65_535,
        65_536,
        20_001,
        2 ** 31,
        2 ** 32,
        2 ** 53,
        2 ** 60,
      ]);
      break;
    case 4:
      step.lengthForm = random.pick([7, 16, 64]);
      break;
    case 5:
      step.opcode = random.pick([CLOSE, PING, PONG]);
      step.fin = random.oneIn(2);
      step.payload = { base64: random.bytes(random.between(100, 140)).toString("base64") };
      break;
    case 6:
      step.opcode = 0;
      break;
    case 7:
      step.opcode = TEXT;
      step.payload = {
        base64: Buffer.concat([Buffer.from("42"), random.bytes(8)]).toString("base64"),
      };
      break;
    default:
      step.fin = false;
  }
  return step;
}

/** @param {string | Buffer} message @returns {message is string} */
export function isText(message) {
  return typeof message === "string";
}

/** @param {Random} random */
export function messages(random) {
  return random.oneIn(3) ? validMessages(random) : hostileMessages(random);
}
