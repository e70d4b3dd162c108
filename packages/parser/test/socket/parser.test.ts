import { expect, test } from "vitest";
import { PacketType } from "../../src/socket/packet.js";
import { defaultParser } from "../../src/socket/parser.js";

test("the default parser speaks the wire format of the protocol", () => {
  const parser = defaultParser();
  const packet = { type: PacketType.EVENT, nsp: "/admin", data: ["a"], id: 1 };
  const pieces = parser.createEncoder().encode(packet);
  expect(pieces).toEqual(['2/admin,1["a"]']);
  expect(parser.createDecoder().push('2/admin,1["a"]')).toEqual(packet);
});

test("each decoder has its own state", () => {
  const parser = defaultParser();
  const [one, other] = [parser.createDecoder(), parser.createDecoder()];
  expect(one.push('51-["a"]')).toBeUndefined();
  expect(other.push('2["b"]')).toMatchObject({ data: ["b"] });
  expect(one.push(Buffer.from("a"))).toMatchObject({ data: ["a"] });
});

test("the limit of attachments is ten, or what is asked for", () => {
  expect(() => defaultParser().createDecoder().push('511-["a"]')).toThrow("too many attachments");
  const parser = defaultParser({ maxAttachments: 11 });
  expect(parser.createDecoder().push('511-["a"]')).toBeUndefined();
  expect(() => parser.createDecoder().push('512-["a"]')).toThrow("too many attachments");
});
