import { STATUS_CODES, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { HANDSHAKE_ERRORS, type Refusal } from "./errors.js";

/** Answers an HTTP request that is refused (behaviour 3). */
export function answerRefusal(
  { code, message, answer, status, retryAfter }: Refusal,
  res: ServerResponse,
): void {
  if (res.headersSent || res.destroyed) return;
  if (retryAfter !== undefined) res.setHeader("Retry-After", retryAfter);
  // Who comes back to this server by the same connection will be refused again.
  if (status === 503) res.shouldKeepAlive = false;
  res.writeHead(status ?? (code === HANDSHAKE_ERRORS.FORBIDDEN ? 403 : 400), {
    "Content-Type": "application/json",
  });
  res.end(JSON.stringify({ code, message: answer ?? message }));
}

/** Answers a WebSocket upgrade that is refused, and ends the connection (behaviour 12). */
export function rejectUpgrade(
  { message, answer = message, status, retryAfter }: Refusal,
  socket: Duplex,
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const response =
    `HTTP/1.1 ${status ?? 400} ${STATUS_CODES[status ?? 400]}\r\n` +
    "Connection: close\r\n" +
    (retryAfter === undefined ? "" : `Retry-After: ${retryAfter}\r\n`) +
    "Content-type: text/html\r\n" +
    `Content-Length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`;
  socket.end(response, () => socket.destroy());
}
