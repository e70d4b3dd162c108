// The words that attackers use.

/** @import { Random } from "./random.mjs" */

/** Names that every object has, or that languages and libraries treat apart. */
export const PROTOTYPE_KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "toJSON",
  "then",
  "length",
  "__defineGetter__",
];

/** Texts that are short but awkward. */
const AWKWARD = [
  "",
  " ",
  "0",
  "-1",
  "null",
  "undefined",
  "NaN",
  "true",
  "\u0000",
  "\u001e",
  "\u2028\u2029",
  "\ud800",
  "\udfff\ud800",
  "é",
  "😀",
  "\ufeff",
  "\r\n",
  "%00",
  "%",
  "..",
  "/",
  "//",
  ",",
  "?",
  "\\",
  "\\n",
  '"',
  "'",
  "<script>",
  "</script>",
  "9".repeat(30),
  "x".repeat(300),
];

/** Event names: those of the server's application, reserved ones, and others. */
const EVENTS = [
  "echo",
  "echo",
  "echo",
  "join",
  "leave",
  "shout",
  "ask",
  "ask for ever",
  "bye",
  "noise",
  "connect",
  "connection",
  "disconnect",
  "disconnecting",
  "connect_error",
  "newListener",
  "removeListener",
  "error",
  "handler_error",
];

export function word(/** @type {Random} */ random) {
  return random.weighted([
    [3, () => random.pick(PROTOTYPE_KEYS)],
    [3, () => random.pick(AWKWARD)],
    [4, () => random.pick(["a", "room", "name", "1", "token"])],
  ])();
}

export function eventName(/** @type {Random} */ random) {
  return random.oneIn(4) ? word(random) : random.pick(EVENTS);
}

export function namespace(/** @type {Random} */ random) {
  return random.weighted([
    [10, () => "/"],
    [4, () => "/admin"],
    [4, () => `/dyn-${random.below(50)}`],
    [2, () => "/guarded"],
    [1, () => `/${word(random).replaceAll(",", "")}`],
    [1, () => `/admin?${word(random).replaceAll(",", "")}=1`],
  ])();
}

/**
 * A value that JSON can hold.
 *
 * @param {Random} random
 * @param {(random: Random) => unknown} [special] makes other leaves, now and then
 * @param {number} [depth]
 * @returns {unknown}
 */
export function jsonValue(random, special, depth = 0) {
  if (special !== undefined && random.oneIn(5)) return special(random);
  const kind = random.below(depth > 4 ? 5 : 8);
  switch (kind) {
    case 0:
      return random.next() - 0x80000000;
    case 1:
      return random.pick([0, 1, -1, 0.5, 1e21, 1e-7, 2 ** 53, null, true, false]);
    case 2:
    case 3:
    case 4:
      return word(random);
    case 5:
    case 6:
      return random.list(5, () => jsonValue(random, special, depth + 1));
    default:
      return jsonObject(random, special, depth + 1);
  }
}

/**
 * @param {Random} random
 * @param {(random: Random) => unknown} [special]
 * @param {number} [depth]
 * @returns {Record<string, unknown>}
 */
export function jsonObject(random, special, depth = 1) {
  return Object.fromEntries(
    random.list(4, () => [word(random), jsonValue(random, special, depth + 1)]),
  );
}
