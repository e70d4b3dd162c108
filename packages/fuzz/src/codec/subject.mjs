// The codecs under test, beside the official ones.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as official4 from "engine.io-parser";
import * as officialSocket from "socket.io-parser";

export { codecV3, codecV4, Decoder, Encoder, FrameDecoder, PacketError } from "@jackfield/parser";
export { official4, officialSocket };

const require = createRequire(import.meta.url);

/** The parser of protocol 3 within the official server, which its package does not export. */
export const official3 = require(
  join(dirname(require.resolve("engine.io")), "parser-v3", "index.js"),
);
