import { formatFrame, type OutgoingFrame } from "@jackfield/testkit";

/** Frames of a client, one behind the other. */
export function framesOf(...frames: OutgoingFrame[]): Buffer {
  return Buffer.concat(frames.map(formatFrame));
}

/** The same bytes in pieces of `size`. */
export function piecesOf(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; offset += size) {
    pieces.push(Buffer.from(bytes.subarray(offset, offset + size)));
  }
  return pieces;
}
