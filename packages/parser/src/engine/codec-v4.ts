import { PacketError } from "../errors.js";
import type { PacketCodec } from "./codec.js";
import type { EnginePacket, EnginePacketType, RawData } from "./packet.js";

const DIGITS: Readonly<Record<EnginePacketType, string>> = {
  open: "0",
  close: "1",
  ping: "2",
  pong: "3",
  message: "4",
  upgrade: "5",
  noop: "6",
};

const TYPES: readonly EnginePacketType[] = [
  "open",
  "close",
  "ping",
  "pong",
  "message",
  "upgrade",
  "noop",
];

const ZERO = 0x30;
const BASE64_MARK = 0x62;
const SEPARATOR = "\u001e";

/**
 * The wire format of Engine.IO protocol 4, spoken by clients of Socket.IO v3 and later.
 *
 * A text packet is its type digit and its data; a binary message is its bare bytes, or `b` and
 * base64 inside of payloads and for peers without binary support (protocol v4, "Packet encoding").
 * Characters that are not base64 are skipped, as Node does.
 * The packets of a payload are joined by U+001E, which the text of a packet must not contain.
 */
export const codecV4: PacketCodec & { readonly protocol: 4 } = {
  protocol: 4,

  encodePacket(packet: EnginePacket, supportsBinary: boolean): RawData {
    const { data } = packet;
    if (data === undefined || typeof data === "string") return encodeText(packet.type, data);
    return supportsBinary ? data : encodeBase64(data);
  },

  decodePacket(data: RawData): EnginePacket {
    return typeof data === "string" ? decodeText(data, 0, data.length) : { type: "message", data };
  },

  // Payloads of this revision are always text, so that binary support of the peer is no matter.
  encodePayload(packets: readonly EnginePacket[]): string {
    let payload = "";
    for (let i = 0; i < packets.length; i++) {
      const packet = packets[i];
      if (packet === undefined) continue;
      if (i > 0) payload += SEPARATOR;
      const { data } = packet;
      payload +=
        data === undefined || typeof data === "string"
          ? encodeText(packet.type, data)
          : encodeBase64(data);
    }
    return payload;
  },

  decodePayload(payload: RawData, onPacket: (packet: EnginePacket) => boolean): void {
    const text = typeof payload === "string" ? payload : payload.toString("utf8");
    let start = 0;
    for (;;) {
      const separator = text.indexOf(SEPARATOR, start);
      const end = separator === -1 ? text.length : separator;
      if (!onPacket(decodeText(text, start, end)) || separator === -1) return;
      start = separator + 1;
    }
  },
};

function encodeText(type: EnginePacketType, data: string | undefined): string {
  const digit = DIGITS[type];
  return data === undefined ? digit : digit + data;
}

function encodeBase64(bytes: Buffer): string {
  return "b" + bytes.toString("base64");
}

function decodeText(text: string, start: number, end: number): EnginePacket {
  if (start === end) throw new PacketError("ERR_PACKET_TYPE", "empty packet");
  const first = text.charCodeAt(start);
  if (first === BASE64_MARK) {
    return { type: "message", data: Buffer.from(text.slice(start + 1, end), "base64") };
  }
  const type = TYPES[first - ZERO];
  if (type === undefined) throw new PacketError("ERR_PACKET_TYPE", "unknown packet type");
  return { type, data: end - start > 1 ? text.slice(start + 1, end) : undefined };
}
