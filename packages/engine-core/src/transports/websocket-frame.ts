import type { OutgoingPacket, PacketCodec } from "../codec.js";

// WebSocket data frames of the server (RFC 6455, section 5.2), written by us: an unmasked frame is
// two to ten bytes of header and the payload. Writing the frames of a whole tick into one buffer
// makes one write of what would be two writes per packet, and one copy of each payload.

const FIN = 0x80;
const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;
/** The type character of a text message, the same in protocol 3 and 4. */
const MESSAGE = 0x34;

// What `measure` found out about the packets of one call, for `write` to use. The two always run
// one after the other, so one array serves every connection.
const sizes: number[] = [];
const encodings: (string | Buffer)[] = [];

/** Encodes one packet as a complete frame. */
export function encodeFrame(
  packet: OutgoingPacket,
  codec: PacketCodec,
  supportsBinary: boolean,
): Buffer {
  const buffer = Buffer.allocUnsafe(measure(packet, 0, codec, supportsBinary));
  write(packet, 0, buffer, 0);
  encodings.length = 0;
  return buffer;
}

/** Makes a complete frame of a payload. */
export function frameOf(opcode: number, payload: Uint8Array): Buffer {
  const size = payload.length;
  const buffer = Buffer.allocUnsafe(headerLength(size) + size);
  buffer.set(payload, writeHeader(buffer, 0, FIN | opcode, size));
  return buffer;
}

/** What precedes the data of a text message, by the size of its payload. */
const SHORT_STARTS: readonly string[] = Array.from(
  { length: 126 },
  (_, size) => `\x81${String.fromCharCode(size)}4`,
);

/**
 * Larger ones Node copies to the heap before it writes them, so that they are better off in a buffer.
 */
const MOST_TEXT = 16_384;
/** The longest header of such a frame, and the type character. */
const LONGEST_START = 5;

/**
 * Encodes messages as a text that has a character for each byte, if they are short and ASCII.
 *
 * To write such a text as Latin-1 takes no `Buffer`, whose making costs more than the copying: the
 * benchmarks of this repository did 4 to 10 % more echoes per second of CPU, of JSON objects, too. What
 * many peers get is better made into a buffer once.
 */
export function asciiFrames(packets: readonly OutgoingPacket[]): string | undefined {
  let frames = "";
  let wide = 0;
  for (const packet of packets) {
    if (packet.frame !== undefined || !isTextMessage(packet)) return undefined;
    const { data } = packet;
    if (frames.length + data.length > MOST_TEXT - LONGEST_START) return undefined;
    const size = data.length + 1;
    frames += startOf(size) + data;
    wide += wideIn(size);
  }
  // Asked once, for all of it: the answer makes one piece of the text, as the write would have to.
  return Buffer.byteLength(frames) === frames.length + wide ? frames : undefined;
}

/** How many characters of a header would take two bytes as UTF-8: `\x81`, and the last of a long one. */
function wideIn(size: number): number {
  return size < 126 ? 1 : 1 + ((size >> 7) & 1);
}

function startOf(size: number): string {
  return SHORT_STARTS[size] ?? `\x81\x7e${String.fromCharCode(size >> 8, size & 0xff)}4`;
}

/** Encodes packets as complete frames, one behind the other. */
export function encodeFrames(
  packets: readonly OutgoingPacket[],
  codec: PacketCodec,
  supportsBinary: boolean,
): Buffer {
  let total = 0;
  let index = 0;
  for (const packet of packets) {
    total += packet.frame?.length ?? measure(packet, index, codec, supportsBinary);
    index += 1;
  }
  const buffer = Buffer.allocUnsafe(total);
  let offset = 0;
  index = 0;
  for (const packet of packets) {
    const frame = packet.frame;
    if (frame === undefined) offset = write(packet, index, buffer, offset);
    else {
      buffer.set(frame, offset);
      offset += frame.length;
    }
    index += 1;
  }
  encodings.length = 0;
  return buffer;
}

/** Notes how the packet is encoded, and returns the length of its frame. */
function measure(
  packet: OutgoingPacket,
  index: number,
  codec: PacketCodec,
  supportsBinary: boolean,
): number {
  let size: number;
  if (isTextMessage(packet)) {
    size = 1 + Buffer.byteLength(packet.data);
  } else {
    const encoded = codec.encodePacket(packet, supportsBinary);
    encodings[index] = encoded;
    size = Buffer.byteLength(encoded);
  }
  sizes[index] = size;
  return size + headerLength(size);
}

/** Writes the frame of a measured packet, and returns the offset behind it. */
function write(packet: OutgoingPacket, index: number, buffer: Buffer, start: number): number {
  const size = sizes[index] ?? 0;
  if (isTextMessage(packet)) {
    const offset = writeHeader(buffer, start, FIN_TEXT, size);
    buffer[offset] = MESSAGE;
    return writeText(buffer, offset + 1, packet.data, size - 1);
  }
  const encoded = encodings[index] ?? "";
  if (typeof encoded === "string") {
    return writeText(buffer, writeHeader(buffer, start, FIN_TEXT, size), encoded, size);
  }
  const offset = writeHeader(buffer, start, FIN_BINARY, size);
  buffer.set(encoded, offset);
  return offset + size;
}

function isTextMessage(packet: OutgoingPacket): packet is OutgoingPacket & { data: string } {
  return packet.type === "message" && typeof packet.data === "string";
}

function headerLength(size: number): number {
  if (size < 126) return 2;
  return size < 65_536 ? 4 : 10;
}

function writeHeader(buffer: Buffer, start: number, first: number, size: number): number {
  buffer[start] = first;
  if (size < 126) {
    buffer[start + 1] = size;
    return start + 2;
  }
  if (size < 65_536) {
    buffer[start + 1] = 126;
    return buffer.writeUInt16BE(size, start + 2);
  }
  buffer[start + 1] = 127;
  buffer.writeUInt32BE(Math.floor(size / 0x1_0000_0000), start + 2);
  return buffer.writeUInt32BE(size >>> 0, start + 6);
}

function writeText(buffer: Buffer, offset: number, text: string, size: number): number {
  // As many bytes as characters: all of them ASCII, and Latin-1 is the faster way to write these.
  buffer.write(text, offset, size, size === text.length ? "latin1" : "utf8");
  return offset + size;
}
