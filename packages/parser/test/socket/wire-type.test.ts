import { expect, test } from "vitest";
import { PacketType } from "../../src/socket/packet.js";
import { decodedType } from "../../src/socket/wire-type.js";

test.each([0, 1, 2, 3, 4])("type %i is itself", (type) => {
  expect(decodedType(type)).toBe(type);
});

test("the binary types are those without attachments", () => {
  expect(decodedType(PacketType.BINARY_EVENT)).toBe(PacketType.EVENT);
  expect(decodedType(PacketType.BINARY_ACK)).toBe(PacketType.ACK);
});

test.each([-1, 7, 1.5, Number.NaN, Infinity])("%d is no type", (type) => {
  expect(decodedType(type)).toBeUndefined();
});
