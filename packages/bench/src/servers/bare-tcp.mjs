import { createHash } from "node:crypto";
import { FrameCounter, serverFrame } from "../load/frames.mjs";
import { host } from "./host.mjs";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// The floor for whatever stands on node:net: frames are counted, every answer is a frame made
// beforehand, written as it is. One write per frame: coalescing is what a good server adds.
host((httpServer, bench) => {
  const answer = bench.answer.map((message) => serverFrame(message));
  const broadcast = bench.driver === "broadcast";
  /** @type {Set<import("node:stream").Duplex>} */
  const streams = new Set();
  httpServer.on("upgrade", (request, stream) => {
    const key = request.headers["sec-websocket-key"] + GUID;
    stream.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${createHash("sha1").update(key).digest("base64")}\r\n\r\n`,
    );
    const counter = new FrameCounter({ masked: true });
    streams.add(stream);
    stream.on("error", () => stream.destroy());
    stream.on("close", () => streams.delete(stream));
    stream.on("data", (chunk) => {
      for (let left = counter.push(chunk, chunk.length); left > 0; left--) {
        for (const frame of answer) {
          if (!broadcast) stream.write(frame);
          else for (const recipient of streams) recipient.write(frame);
        }
      }
    });
  });
});
