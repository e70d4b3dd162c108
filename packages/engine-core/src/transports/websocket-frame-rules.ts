import { isUtf8 } from "node:buffer";
import { FrameError } from "./websocket-frame-error.js";

/** The opcodes of RFC 6455, section 5.2. */
export const OPCODES = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** Control frames have opcodes from here on, and at most 125 bytes (section 5.5). */
export const FIRST_CONTROL_OPCODE = 0x8;
export const MAX_CONTROL_PAYLOAD = 125;

/**
 * Judges the first two bytes of a client's frame.
 *
 * @param message the opcode of the message that has begun and not ended; 0 if there is none
 */
export function judgeFrame(first: number, second: number, message: number): FrameError | undefined {
  if ((first & 0x30) !== 0) {
    return FrameError.invalid("WS_ERR_UNEXPECTED_RSV_2_3", "RSV2 and RSV3 must be clear");
  }
  if ((first & 0x40) !== 0) {
    return FrameError.invalid("WS_ERR_UNEXPECTED_RSV_1", "RSV1 must be clear");
  }
  const opcode = first & 0x0f;
  const fault =
    opcode < FIRST_CONTROL_OPCODE
      ? judgeDataFrame(opcode, message)
      : judgeControlFrame(opcode, first, second & 0x7f);
  if (fault !== undefined) return fault;
  // "The server MUST close the connection upon receiving a frame that is not masked" (section 5.1).
  if (second < 0x80) return FrameError.invalid("WS_ERR_EXPECTED_MASK", "MASK must be set");
  return undefined;
}

function judgeDataFrame(opcode: number, message: number): FrameError | undefined {
  const isExpected =
    opcode === OPCODES.continuation
      ? message !== 0
      : message === 0 && (opcode === OPCODES.text || opcode === OPCODES.binary);
  return isExpected ? undefined : invalidOpcode(opcode);
}

function judgeControlFrame(opcode: number, first: number, size: number): FrameError | undefined {
  if (opcode > OPCODES.pong) return invalidOpcode(opcode);
  if (first < 0x80) return FrameError.invalid("WS_ERR_EXPECTED_FIN", "FIN must be set");
  if (size > MAX_CONTROL_PAYLOAD || (opcode === OPCODES.close && size === 1)) {
    return FrameError.invalid(
      "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
      `invalid payload length ${size}`,
    );
  }
  return undefined;
}

function invalidOpcode(opcode: number): FrameError {
  return FrameError.invalid("WS_ERR_INVALID_OPCODE", `invalid opcode ${opcode}`);
}

/** Judges what a close frame says: nothing, or a status code and a reason in UTF-8 (section 5.5.1). */
export function judgeClosePayload(payload: Buffer): FrameError | undefined {
  if (payload.length === 0) return undefined;
  const code = payload.readUInt16BE(0);
  if (!isCloseCode(code)) {
    return FrameError.invalid("WS_ERR_INVALID_CLOSE_CODE", `invalid status code ${code}`);
  }
  return isUtf8(payload.subarray(2)) ? undefined : FrameError.invalidText();
}

/** The codes that may be sent: those that are registered, and those for applications (section 7.4). */
function isCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}
