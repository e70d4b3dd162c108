/** @import { Random } from "./random.mjs" */

/** Pieces of grammar that make a parser change its mind. */
const TOKENS = [
  ...Array.from("0123456789bc-/,:;[]{}\"'\\ \u001e%&=?#"),
  "51-",
  "50-",
  "61-",
  "511-",
  "5999999999-",
  "6-1-",
  "/admin,",
  "/__proto__,",
  '["a"]',
  '{"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":1}',
  '{"_placeholder":true,"num":-1}',
  '{"_placeholder":true,"num":1e9}',
  '{"_placeholder":true,"num":"0"}',
  '{"_placeholder":1,"num":0}',
  '"__proto__":',
  '"constructor":{"prototype":{}}',
  "null",
  "1e999",
  "\u0000",
  "\ud800",
  "18446744073709551616",
];

/**
 * Damages a text a little: cuts it, doubles or removes or overwrites a part, puts something in.
 *
 * @param {string} text
 * @param {Random} random
 */
export function mutateText(text, random) {
  let result = text;
  for (let times = random.between(1, 3); times > 0; times -= 1) {
    result = mutateOnce(result, random).slice(0, 60_000);
  }
  return result;
}

/**
 * @param {string} text
 * @param {Random} random
 */
function mutateOnce(text, random) {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + random.between(1, 1 + random.below(12)));
  const before = text.slice(0, at);
  switch (random.below(8)) {
    case 0:
      return before;
    case 1:
      return text.slice(at);
    case 2:
      return before + text.slice(end);
    case 3:
      return before + text.slice(at, end).repeat(random.between(2, 40)) + text.slice(end);
    case 4:
      return before + random.pick(TOKENS) + text.slice(end);
    case 5:
      return (
        before +
        String.fromCharCode(random.below(random.pick([128, 256, 65_536]))) +
        text.slice(at + 1)
      );
    case 6:
      return text.slice(end) + before;
    default:
      return before + random.pick(TOKENS) + text.slice(at);
  }
}

/**
 * Damages bytes a little.
 *
 * @param {Buffer} bytes
 * @param {Random} random
 */
export function mutateBytes(bytes, random) {
  let result = bytes;
  for (let times = random.between(1, 3); times > 0; times -= 1) {
    result = mutateBytesOnce(result, random).subarray(0, 60_000);
  }
  return result;
}

/**
 * @param {Buffer} bytes
 * @param {Random} random
 */
function mutateBytesOnce(bytes, random) {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.between(1, 8));
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(end);
  switch (random.below(6)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, bytes.subarray(at, end), bytes.subarray(at, end), after]);
    case 3:
      return Buffer.concat([before, random.bytes(random.between(1, 4)), bytes.subarray(at)]);
    case 4: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      return copy;
    }
    default: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = random.pick([0, 1, 0x7f, 0x80, 0xfe, 0xff]);
      return copy;
    }
  }
}
