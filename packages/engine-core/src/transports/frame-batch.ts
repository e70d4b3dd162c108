import type { Duplex } from "node:stream";
import type { OutgoingPacket, PacketCodec } from "../codec.js";
import { asciiFrames, encodeFrame, encodeFrames } from "./websocket-frame.js";

/**
 * Encodes what a session sends in one tick, as one piece: a buffer, or a text of one character per
 * byte, to be written as Latin-1.
 *
 * When several broadcasts of one tick go to the same sessions, each session holds the same packets
 * in the same order. The buffer made for the first session then serves the others: comparing ten
 * references costs less than copying ten frames.
 */
export class FrameBatch {
  #packets: readonly OutgoingPacket[] | undefined;
  #buffer: Buffer | undefined;

  encode(
    packets: readonly OutgoingPacket[],
    codec: PacketCodec,
    supportsBinary: boolean,
  ): Buffer | string {
    const first = packets[0];
    if (packets.length === 1 && first !== undefined) {
      return first.frame ?? asciiFrames(packets) ?? encodeFrame(first, codec, supportsBinary);
    }
    if (this.#buffer !== undefined && samePackets(packets, this.#packets)) return this.#buffer;
    const text = asciiFrames(packets);
    if (text !== undefined) return text;
    const buffer = encodeFrames(packets, codec, supportsBinary);
    if (packets.every(isShared)) {
      this.#packets = packets;
      this.#buffer = buffer;
    }
    return buffer;
  }

  /** Forgets the last batch: its packets are not needed beyond the tick. */
  clear(): void {
    this.#packets = undefined;
    this.#buffer = undefined;
  }
}

/**
 * Writes what was encoded.
 *
 * @param written called once the kernel has taken it
 * @returns whether more may be written at once
 */
export function writeFrames(
  stream: Duplex,
  frames: Buffer | string,
  written?: (error?: Error | null) => unknown,
): boolean {
  if (typeof frames === "string") return stream.write(frames, "latin1", written);
  return stream.write(frames, written);
}

function isShared(packet: OutgoingPacket): boolean {
  return packet.frame !== undefined;
}

function samePackets(
  left: readonly OutgoingPacket[],
  right: readonly OutgoingPacket[] | undefined,
): boolean {
  if (left === right) return true;
  if (left.length !== right?.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}
