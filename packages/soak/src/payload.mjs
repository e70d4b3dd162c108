import { isDeepStrictEqual } from "node:util";

const LONG = "0123456789abcdef".repeat(1250);

/**
 * What goes with an event. It follows from the number of the event, so that both ends know it:
 * text short, long and beyond ASCII, objects, bytes, and bytes within objects.
 *
 * @param {number} id
 * @returns {unknown}
 */
export function payloadOf(id) {
  switch (id % 8) {
    case 0:
      return { id, nested: { list: [id, "two", null, true], text: "räume 🙂 \u2028" } };
    case 1:
      return bytesOf(id, 40);
    case 2:
      return { first: bytesOf(id, 3), rest: [bytesOf(id + 1, 300), `${id}`] };
    case 3:
      return id % 64 === 3 ? LONG + id : `text ${id}`;
    case 4:
      return id % 64 === 4 ? bytesOf(id, 30_000) : null;
    default:
      return `event ${id}`;
  }
}

/**
 * @param {number} id
 * @param {number} length
 */
function bytesOf(id, length) {
  return Buffer.alloc(length, `${id}|`);
}

/**
 * Whether this is what was sent with the event.
 *
 * @param {number} id
 * @param {unknown} payload
 */
export function isPayloadOf(id, payload) {
  return isDeepStrictEqual(payload, payloadOf(id));
}
