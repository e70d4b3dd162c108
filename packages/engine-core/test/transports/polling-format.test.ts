import { expect, test } from "vitest";
import { jsonpFormat, plainFormat } from "../../src/transports/polling-format.js";

const form = (text: string): Buffer => Buffer.from(`d=${encodeURIComponent(text)}`);

test("a plain body is the payload, as text or as bytes", () => {
  const body = Buffer.from("4é");
  expect(plainFormat.decodeBody(body, false)).toBe("4é");
  expect(plainFormat.decodeBody(body, true)).toBe(body);
  expect(plainFormat.encodeBody(body)).toBe(body);
  expect(plainFormat.encodeBody("4é")).toBe("4é");
});

test.each([
  ["0", "___eio[0]"],
  ["17", "___eio[17]"],
  ["1);alert(2", "___eio[12]"],
  ["", "___eio[]"],
])("of the index %s, the digits reach the script (45)", (index, call) => {
  expect(jsonpFormat(index).encodeBody("4a")).toBe(`${call}("4a");`);
});

test("a script holds any text as a string literal (46)", () => {
  const texts = ['4"\\</script>', "4\u2028\u2029\n", "4\u0000é\u{1f600}"];
  for (const text of texts) {
    const script = jsonpFormat("0").encodeBody(text).toString();
    expect(script).not.toMatch(/[\u2028\u2029\n]/);
    const literal = script.slice("___eio[0](".length, -");".length);
    expect(JSON.parse(literal)).toBe(text);
  }
  expect(jsonpFormat("0").encodeBody("4\u2028\u2029")).toBe('___eio[0]("4\\u2028\\u2029");');
});

test.each([
  ["4a\\nb", "4a\nb"],
  ["4a\\\\nb", "4a\\nb"],
  ["4\\n\\n", "4\n\n"],
  ["4\\\\n\\n", "4\\n\n"],
  ["4a\\tb", "4a\\tb"],
  ["4a+b&c=d%", "4a+b&c=d%"],
])("of the field %j, the payload is %j (47)", (field, payload) => {
  expect(jsonpFormat("0").decodeBody(form(field), false)).toBe(payload);
});

test.each([["e=4a"], [""], ["d=4a&d=4b"]])("the form %j holds no payload (47)", (body) => {
  expect(jsonpFormat("0").decodeBody(Buffer.from(body), false)).toBeUndefined();
});

test("of a form, the first thousand fields are read (48)", () => {
  const filler = "a&".repeat(1000);
  expect(jsonpFormat("0").decodeBody(Buffer.from(`d=4a&${filler}`), false)).toBe("4a");
  expect(jsonpFormat("0").decodeBody(Buffer.from(`${filler}d=4a`), false)).toBeUndefined();
});
