import { expect, test } from "vitest";
import { PacketType } from "../../src/socket/packet.js";

test("the types have the numbers of the protocol", () => {
  expect(PacketType).toEqual({
    CONNECT: 0,
    DISCONNECT: 1,
    EVENT: 2,
    ACK: 3,
    CONNECT_ERROR: 4,
    BINARY_EVENT: 5,
    BINARY_ACK: 6,
  });
});
