// How the steps of an attacker become bytes. Nothing is checked here: lies are what it is for.
import { createHash } from "node:crypto";

/** @import { FrameStep, HttpStep, Payload } from "./steps.js" */

const CRLF = "\r\n";

/** @param {Payload} payload */
export function payloadBytes(payload) {
  return typeof payload === "string" ? Buffer.from(payload) : Buffer.from(payload.base64, "base64");
}

/** @param {HttpStep} step */
export function formatHttp({ method, target, version = "1.1", headers, body, length, chunks }) {
  const lines = [`${method} ${target} HTTP/${version}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  const content = payloadBytes(body ?? "");
  if (chunks !== undefined) {
    lines.push("Transfer-Encoding: chunked");
    if (length !== undefined) lines.push(`Content-Length: ${length}`);
    return Buffer.concat([head(lines), ...chunked(content, chunks)]);
  }
  if (length !== undefined) lines.push(`Content-Length: ${length}`);
  else if (body !== undefined) lines.push(`Content-Length: ${content.length}`);
  return Buffer.concat([head(lines), content]);
}

/** @param {string[]} lines */
function head(lines) {
  // latin1, so that any byte can be in a header.
  return Buffer.from(lines.join(CRLF) + CRLF + CRLF, "latin1");
}

/**
 * @param {Buffer} content
 * @param {{ size: number, sizeText?: string, isUnfinished?: boolean }} chunks
 */
function chunked(content, { size, sizeText, isUnfinished = false }) {
  const parts = [];
  for (let start = 0; start < content.length; start += size) {
    const part = content.subarray(start, start + size);
    const announced = sizeText ?? part.length.toString(16);
    parts.push(Buffer.from(announced + CRLF), part, Buffer.from(CRLF));
  }
  if (!isUnfinished) parts.push(Buffer.from(`0${CRLF}${CRLF}`));
  return parts;
}

/** @param {FrameStep} step */
export function formatFrame({ opcode, payload, fin = true, rsv = 0, mask, length, lengthForm }) {
  const content = payloadBytes(payload);
  const announced = length ?? content.length;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const header = Buffer.from([
    first,
    ...lengthBytes(announced, lengthForm, mask === undefined ? 0 : 0x80),
  ]);
  if (mask === undefined) return Buffer.concat([header, content]);
  const key = Buffer.from(mask, "hex");
  return Buffer.concat([header, key, content.map((byte, index) => byte ^ (key[index & 3] ?? 0))]);
}

/**
 * @param {number} length
 * @param {7 | 16 | 64 | undefined} form
 * @param {number} maskBit
 */
function lengthBytes(length, form, maskBit) {
  const bits = form ?? (length < 126 ? 7 : length < 65_536 ? 16 : 64);
  if (bits === 7) return [maskBit | (length & 0x7f)];
  if (bits === 16) return [maskBit | 126, (length >>> 8) & 0xff, length & 0xff];
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(length)));
  return [maskBit | 127, ...bytes];
}

/** The headers that ask for a WebSocket. */
export const UPGRADE_HEADERS = Object.freeze([
  ["Connection", "Upgrade"],
  ["Upgrade", "websocket"],
  ["Sec-WebSocket-Version", "13"],
  ["Sec-WebSocket-Key", createHash("md5").update("fuzz").digest("base64")],
]);
