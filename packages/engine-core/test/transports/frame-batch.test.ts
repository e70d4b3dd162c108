import { codecV4 } from "@jackfield/parser";
import { expect, test } from "vitest";
import type { OutgoingPacket } from "../../src/codec.js";
import { FrameBatch } from "../../src/transports/frame-batch.js";
import { encodeFrame } from "../../src/transports/websocket-frame.js";

function prepared(data: string): OutgoingPacket {
  const packet: OutgoingPacket = { type: "message", data, frame: undefined };
  packet.frame = encodeFrame(packet, codecV4, true);
  return packet;
}

test("a single prepared packet is sent as the frame that it holds", () => {
  const packet = prepared("a");
  expect(new FrameBatch().encode([packet], codecV4, true)).toBe(packet.frame);
});

test("sessions with the same prepared packets share one buffer", () => {
  const batch = new FrameBatch();
  const packets = [prepared("a"), prepared("b")];
  const first = batch.encode([...packets], codecV4, true);
  expect(batch.encode([...packets], codecV4, true)).toBe(first);
  expect(first.toString("latin1")).toBe("\x81\x024a\x81\x024b");
});

test("another order, another length or another packet is another buffer", () => {
  const batch = new FrameBatch();
  const [a, b, c] = [prepared("a"), prepared("b"), prepared("c")];
  const first = batch.encode([a, b], codecV4, true);
  for (const packets of [
    [b, a],
    [a, b, c],
    [a, c],
  ]) {
    const buffer = batch.encode(packets, codecV4, true);
    expect(buffer).not.toBe(first);
    expect(buffer).toEqual(Buffer.concat(packets.map(({ frame }) => frame ?? Buffer.of())));
  }
});

test("packets of one session alone are never shared", () => {
  const batch = new FrameBatch();
  const packets: OutgoingPacket[] = [prepared("a"), { type: "message", data: "b" }];
  const first = batch.encode(packets, codecV4, true);
  expect(batch.encode(packets, codecV4, true)).not.toBe(first);
});

test("clear forgets the last batch", () => {
  const batch = new FrameBatch();
  const packets = [prepared("a"), prepared("b")];
  const first = batch.encode(packets, codecV4, true);
  batch.clear();
  expect(batch.encode(packets, codecV4, true)).not.toBe(first);
});
