import { frames, hostileBytes, hostileText, payloadRoundTrip } from "./engine-targets.mjs";
import { webSocketFrames } from "./websocket-target.mjs";
import { hostileDecoding, packetRoundTrip } from "./socket-targets.mjs";

/** @import { Random } from "../random.mjs" */

/**
 * One thing to attack in this process.
 *
 * @typedef {object} Target
 * @property {string} name what it is about
 * @property {(random: Random) => unknown} make makes an input
 * @property {(input: unknown) => void} check throws a Violation when the codec is wrong
 */

/** @type {readonly Target[]} */
export const TARGETS = [
  packetRoundTrip,
  hostileDecoding,
  payloadRoundTrip,
  hostileText,
  hostileBytes,
  frames,
  webSocketFrames,
];
