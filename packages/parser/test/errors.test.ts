import { expect, test } from "vitest";
import { PacketError } from "../src/errors.js";

test("a packet error tells its code, its message and its cause", () => {
  const cause = new SyntaxError("no JSON");
  const error = new PacketError("ERR_PACKET_PAYLOAD", "invalid payload", { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: "PacketError",
    code: "ERR_PACKET_PAYLOAD",
    message: "invalid payload",
    cause,
  });
});
