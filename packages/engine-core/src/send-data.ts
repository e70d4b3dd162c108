import type { OutgoingPacket, PacketCodec, PacketOptions, RawData } from "./codec.js";

/** What a session may be given to send. Views and array buffers are sent as the bytes they hold. */
export type SendData = RawData | ArrayBuffer | ArrayBufferView;

/** The options of packets that come without any. */
export const DEFAULT_OPTIONS: PacketOptions = Object.freeze({ compress: true });
const UNCOMPRESSED: PacketOptions = Object.freeze({ compress: false });

/** Makes the packet of a message. */
export function toMessage(
  data: SendData,
  options: PacketOptions | undefined,
  codec: PacketCodec,
): OutgoingPacket {
  return {
    type: "message",
    data: toRawData(data),
    options: resolvePacketOptions(options),
    frame: frameFrom(options?.wsPreEncodedFrame, codec),
  };
}

function toRawData(data: SendData): RawData {
  if (typeof data === "string" || Buffer.isBuffer(data)) return data;
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(data);
}

/** Options that many packets share, so that a packet does not keep those of its caller. */
function resolvePacketOptions(options: PacketOptions | undefined): PacketOptions {
  if (options === undefined) return DEFAULT_OPTIONS;
  if (options.wsPreEncodedFrame !== undefined) return options;
  return options.compress === false ? UNCOMPRESSED : DEFAULT_OPTIONS;
}

/** Frames that published adapters encoded, in one piece each, for as long as their array lives. */
const joinedFrames = new WeakMap<readonly Buffer[], Buffer>();

/** The frame that somebody encoded already, if this protocol revision has the same. */
function frameFrom(parts: readonly Buffer[] | undefined, codec: PacketCodec): Buffer | undefined {
  if (parts === undefined || codec.protocol !== 4) return undefined;
  let frame = joinedFrames.get(parts);
  if (frame === undefined) joinedFrames.set(parts, (frame = Buffer.concat(parts)));
  return frame;
}
