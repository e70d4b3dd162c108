import { TransformStream } from "node:stream/web";
import { codecV4, encodeFrameHeader, FrameDecoder, isBytes } from "@jackfield/parser";
import {
  toBinaryType,
  toEnginePacket,
  toErrorPacket,
  toPacket,
  type BinaryType,
  type Packet,
  type RawData,
} from "./engine-parser-packet.js";

export type { BinaryType, Packet, PacketType, RawData } from "./engine-parser-packet.js";

// The functions of the npm package `engine.io-parser`, for code that uses them by `engine.parser`.
// The engine itself goes by the codec.

/** The revision of the Engine.IO protocol that these functions speak. */
export const protocol = 4;

/**
 * Encodes a packet, and hands it over at once. Without `supportsBinary`, bytes become base64.
 *
 * @throws {TypeError} for a packet of type `error`
 */
export function encodePacket(
  packet: Packet,
  supportsBinary: boolean,
  callback: (encodedPacket: RawData) => void,
): void {
  const { data } = packet;
  // Bytes are a packet as they are: whoever gave them may expect the same object.
  if (supportsBinary && isBytes(data)) callback(data);
  else callback(codecV4.encodePacket(toEnginePacket(packet), false));
}

/** Decodes a packet; what is none becomes `{ type: "error", data: "parser error" }`. */
export function decodePacket(encodedPacket: RawData, binaryType?: BinaryType): Packet {
  if (typeof encodedPacket !== "string") {
    return { type: "message", data: toBinaryType(encodedPacket, binaryType) };
  }
  try {
    return toPacket(codecV4.decodePacket(encodedPacket), binaryType);
  } catch (error) {
    return toErrorPacket(error);
  }
}

/**
 * Encodes packets as the body of one HTTP response, and hands it over at once: `""` for no packets.
 *
 * @throws {TypeError} for a packet of type `error`
 */
export function encodePayload(
  packets: readonly Packet[],
  callback: (encodedPayload: string) => void,
): void {
  callback(codecV4.encodePayload(packets.map(toEnginePacket), false).toString());
}

/** Decodes the body of an HTTP request. The first thing that is no packet ends it with an `error`. */
export function decodePayload(encodedPayload: string, binaryType?: BinaryType): Packet[] {
  const packets: Packet[] = [];
  try {
    codecV4.decodePayload(encodedPayload, (packet) => {
      packets.push(toPacket(packet, binaryType));
      return true;
    });
  } catch (error) {
    packets.push(toErrorPacket(error));
  }
  return packets;
}

/** Makes a stream that turns packets into the frames of WebTransport. */
export function createPacketEncoderStream(): TransformStream<Packet, Uint8Array> {
  return new TransformStream({
    transform(packet, controller) {
      const enginePacket = toEnginePacket(packet);
      // The clients take a frame without a payload for an error, so no bytes travel as text.
      const encoded = codecV4.encodePacket(enginePacket, enginePacket.data?.length !== 0);
      const payload = typeof encoded === "string" ? Buffer.from(encoded) : encoded;
      controller.enqueue(encodeFrameHeader(payload.length, encoded === payload));
      controller.enqueue(payload);
    },
  });
}

/**
 * Makes a stream that turns the bytes of WebTransport into packets.
 *
 * @param maxPayload bytes that a frame may have. A longer one ends the stream of packets with an
 * `error`, as do frames of empty text; what follows is ignored
 */
export function createPacketDecoderStream(
  maxPayload: number,
  binaryType?: BinaryType,
): TransformStream<Uint8Array, Packet> {
  const decoder = new FrameDecoder(maxPayload);
  return new TransformStream({
    transform(chunk, controller) {
      try {
        decoder.push(chunk, (frame) => controller.enqueue(decodePacket(frame, binaryType)));
      } catch (error) {
        controller.enqueue(toErrorPacket(error));
      }
    },
  });
}
