/**
 * How many levels of arrays and objects a received payload may nest. `JSON.parse` knows no limit,
 * but whatever walks its result does: without this one, a few kilobytes of brackets would
 * overflow the stack of every server that passes on what it received.
 */
export const MAX_DECODED_DEPTH = 1000;

/**
 * How many levels of arrays and objects an emitted payload may nest. More than what is received, so
 * that received data can be wrapped and sent on, and little enough to leave half of the stack free.
 */
export const MAX_ENCODED_DEPTH = 1200;

/**
 * Tells whether a JSON value nests deeper than {@link MAX_DECODED_DEPTH}. `length` is the length of
 * the text it was parsed from.
 */
export function isNestedTooDeeply(value: unknown, length: number): boolean {
  // A level takes two characters, so that most packets need not be looked at.
  return (
    length > 2 * MAX_DECODED_DEPTH && isObject(value) && nestsDeeperThan(value, MAX_DECODED_DEPTH)
  );
}

function nestsDeeperThan(value: Record<string, unknown>, levels: number): boolean {
  if (levels === 0) return true;
  if (Array.isArray(value))
    return value.some((item) => isObject(item) && nestsDeeperThan(item, levels - 1));
  for (const key in value) {
    const member = value[key];
    if (isObject(member) && nestsDeeperThan(member, levels - 1)) return true;
  }
  return false;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
