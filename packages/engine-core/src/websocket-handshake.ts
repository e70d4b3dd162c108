import { hash } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { UpgradeHeaders } from "./upgrade-headers.js";

// The opening handshake of RFC 6455, section 4.2. Status, headers and texts of the refusals are those
// of npm `ws`.

/** Why an upgrade request is refused. */
export interface UpgradeFault {
  readonly status: 400 | 405;
  readonly message: string;
  /** A further header of the answer. */
  readonly header?: string;
}

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const NOT_GET: UpgradeFault = { status: 405, message: "Invalid HTTP method" };
const NO_UPGRADE: UpgradeFault = { status: 400, message: "Invalid Upgrade header" };
const NO_KEY: UpgradeFault = {
  status: 400,
  message: "Missing or invalid Sec-WebSocket-Key header",
};
const NO_VERSION: UpgradeFault = {
  status: 400,
  message: "Missing or invalid Sec-WebSocket-Version header",
  header: "Sec-WebSocket-Version: 13, 8",
};
const NO_PROTOCOL: UpgradeFault = {
  status: 400,
  message: "Invalid Sec-WebSocket-Protocol header",
};

/** Judges an upgrade request. Version 8 is that of drafts; its frames are the same. */
export function judgeUpgrade(
  method: string | undefined,
  headers: UpgradeHeaders,
): UpgradeFault | undefined {
  if (method !== "GET") return NOT_GET;
  if (headers.upgrade?.toLowerCase() !== "websocket") return NO_UPGRADE;
  if (!KEY.test(headers["sec-websocket-key"] ?? "")) return NO_KEY;
  const version = Number(headers["sec-websocket-version"]);
  if (version !== 13 && version !== 8) return NO_VERSION;
  const protocols = headers["sec-websocket-protocol"];
  if (protocols !== undefined && subprotocolsIn(protocols) === undefined) return NO_PROTOCOL;
  return undefined;
}

/** The names in a list of subprotocols; `undefined` when that is no such list. */
function subprotocolsIn(header: string): string[] | undefined {
  const names = header.split(",").map((name) => name.trim());
  const isList = new Set(names).size === names.length && names.every((name) => TOKEN.test(name));
  return isList ? names : undefined;
}

/**
 * The 101 response to a request that is not refused. The first subprotocol is taken.
 *
 * @param lines what others add to it
 */
export function upgradeResponse(headers: UpgradeHeaders, lines: readonly string[]): string {
  const key = headers["sec-websocket-key"] ?? "";
  let response =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${hash("sha1", key + GUID, "base64")}\r\n`;
  const protocols = headers["sec-websocket-protocol"];
  if (protocols !== undefined) {
    response += `Sec-WebSocket-Protocol: ${subprotocolsIn(protocols)?.[0]}\r\n`;
  }
  for (const line of lines) response += `${line}\r\n`;
  return `${response}\r\n`;
}

/** Answers a request that is refused, and ends the connection. */
export function refuseUpgrade({ status, message, header }: UpgradeFault, stream: Duplex): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    "Content-Type: text/html",
    `Content-Length: ${Buffer.byteLength(message)}`,
  ];
  if (header !== undefined) lines.push(header);
  stream.on("error", destroyStream);
  stream.once("finish", destroyStream);
  stream.end(`${lines.join("\r\n")}\r\n\r\n${message}`);
}

function destroyStream(this: Duplex): void {
  this.destroy();
}
