import { expect, test } from "vitest";
import { PacketType } from "../../src/socket/packet.js";
import { isValidPayload } from "../../src/socket/payload.js";

const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK } = PacketType;

test.each<[PacketType, unknown]>([
  [CONNECT, {}],
  [CONNECT, { token: "x" }],
  [EVENT, ["a"]],
  [EVENT, [0]],
  [EVENT, ["error"]],
  [EVENT, [""]],
  [BINARY_EVENT, ["a", {}]],
  [ACK, []],
  [BINARY_ACK, [null]],
  [CONNECT_ERROR, "text"],
  [CONNECT_ERROR, { message: "text" }],
])("type %i takes %j", (type, data) => {
  expect(isValidPayload(type, data)).toBe(true);
});

test.each<[PacketType, unknown]>([
  [CONNECT, []],
  [CONNECT, null],
  [CONNECT, "x"],
  [CONNECT, 1],
  [DISCONNECT, {}],
  [DISCONNECT, null],
  [EVENT, {}],
  [EVENT, []],
  [EVENT, [null]],
  [EVENT, [true]],
  [EVENT, [["a"]]],
  [EVENT, ["connect"]],
  [EVENT, ["newListener"]],
  [BINARY_EVENT, ["disconnecting"]],
  [ACK, {}],
  [ACK, "a"],
  [BINARY_ACK, null],
  [CONNECT_ERROR, []],
  [CONNECT_ERROR, null],
  [CONNECT_ERROR, 1],
])("type %i refuses %j", (type, data) => {
  expect(isValidPayload(type, data)).toBe(false);
});
