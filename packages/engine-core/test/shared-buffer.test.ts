import { expect, test } from "vitest";
import type { OutgoingPacket } from "../src/codec.js";
import { SharedBuffers } from "../src/shared-buffer.js";

function packet(data: string): OutgoingPacket {
  return { type: "message", data, frame: undefined };
}

test("who has the same packets, and gets the same one, has the same buffer", () => {
  const shared = new SharedBuffers();
  const empty: OutgoingPacket[] = [];
  const [first, second] = [packet("first"), packet("second")];
  const one = shared.extend(empty, first) ?? [];
  expect(one).toEqual([first]);
  expect(shared.extend(empty, first)).toBe(one);
  const two = shared.extend(one, second) ?? [];
  expect(two).toEqual([first, second]);
  expect(shared.extend(one, second)).toBe(two);
  // What somebody has is never changed.
  expect(empty).toEqual([]);
  expect(one).toEqual([first]);
});

test("who has others, or gets another one, has another buffer", () => {
  const shared = new SharedBuffers();
  const [first, second] = [packet("first"), packet("second")];
  const one = shared.extend([], first);
  expect(shared.extend([], first)).not.toBe(one);
  expect(shared.extend([second], first)).toEqual([second, first]);
  expect(shared.extend([second], second)).toEqual([second, second]);
});

test("long buffers are not copied for one packet more", () => {
  const shared = new SharedBuffers();
  let buffer: OutgoingPacket[] | undefined = [];
  let length = 0;
  while (buffer !== undefined) {
    length = buffer.length;
    buffer = shared.extend(buffer, packet("next"));
  }
  expect(length).toBe(16);
});

test("nothing is kept beyond the tick", () => {
  const shared = new SharedBuffers();
  const empty: OutgoingPacket[] = [];
  const first = packet("first");
  const one = shared.extend(empty, first);
  shared.clear();
  expect(shared.extend(empty, first)).not.toBe(one);
});
