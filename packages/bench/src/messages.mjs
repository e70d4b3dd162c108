/**
 * One WebSocket message: a string is a text frame, bytes are a binary frame.
 *
 * @typedef {string | Uint8Array} Message
 */

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789 ";

/**
 * Makes ASCII text of exactly `length` bytes, the same on every call.
 *
 * @param {number} length
 * @returns {string}
 */
export function text(length) {
  let result = "";
  for (let index = 0; index < length; index++) result += ALPHABET[(index * 7) % ALPHABET.length];
  return result;
}

/**
 * Makes bytes of exactly `length`, the same on every call and using the whole range of values.
 *
 * @param {number} length
 * @returns {Uint8Array}
 */
export function bytes(length) {
  return Uint8Array.from({ length }, (_, index) => (index * 31) & 255);
}

/**
 * Makes an object whose JSON is about 600 bytes: numbers, short strings, nesting, a list.
 *
 * @returns {object}
 */
export function order() {
  const item = (/** @type {number} */ number) => ({
    sku: `A-${1000 + number}`,
    title: text(24),
    quantity: number,
    price: 19.95 * number,
    tags: ["new", "blue"],
  });
  return {
    id: "6f1c2b1e-5f0d-4a56-9f0e-2f6f1c2b1e5f",
    customer: { name: text(20), active: true, since: 1699999999, manager: null },
    items: [1, 2, 3, 4].map(item),
    total: 199.5,
  };
}

/**
 * Encodes text as a message of the engine, which knows no events.
 *
 * @param {string} data
 * @returns {string}
 */
export function engineMessage(data) {
  return `4${data}`;
}

/**
 * Encodes an event of the main namespace as the text that the official client would send.
 *
 * @param {string} name
 * @param {unknown} [argument] left out: an event without arguments
 * @param {number | ""} [ack] the acknowledgement id, when an answer is wanted
 * @returns {string}
 */
export function event(name, argument, ack = "") {
  return `42${ack}${JSON.stringify(argument === undefined ? [name] : [name, argument])}`;
}

/**
 * Encodes an acknowledgement of the main namespace.
 *
 * @param {number} id
 * @param {unknown} [argument]
 * @returns {string}
 */
export function acknowledgement(id, argument) {
  return `43${id}${JSON.stringify(argument === undefined ? [] : [argument])}`;
}

/**
 * Encodes an event with one binary argument: the text with its placeholder, then the attachment.
 *
 * @param {string} name
 * @param {Uint8Array} attachment
 * @returns {Message[]}
 */
export function binaryEvent(name, attachment) {
  return [`451-${JSON.stringify([name, { _placeholder: true, num: 0 }])}`, attachment];
}
