export { isBlob, isBytes, toBuffer, type Bytes } from "./bytes.js";
export { PacketError, type PacketErrorCode } from "./errors.js";
export type { PacketCodec } from "./engine/codec.js";
export { codecV3 } from "./engine/codec-v3.js";
export { codecV4 } from "./engine/codec-v4.js";
export { encodeFrameHeader, FrameDecoder } from "./engine/framing.js";
export type { EnginePacket, EnginePacketType, RawData } from "./engine/packet.js";
export { Decoder, type DecoderOptions, type JsonReviver } from "./socket/decoder.js";
export { Encoder, type EncoderOptions, type JsonReplacer } from "./socket/encoder.js";
export {
  wrapParser,
  type LegacyDecoder,
  type LegacyEncoder,
  type LegacyParserModule,
} from "./socket/legacy-parser.js";
export { PacketType, type SocketPacket } from "./socket/packet.js";
export {
  defaultParser,
  type DefaultParserOptions,
  type SocketDecoder,
  type SocketEncoder,
  type SocketParser,
} from "./socket/parser.js";
export { RESERVED_EVENTS } from "./socket/reserved-events.js";
