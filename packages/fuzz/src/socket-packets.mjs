// Messages of the Socket.IO protocol as clients send them, most of them right, many nearly right.
// Written from the grammar of the protocol and not by means of our encoder, which is to be tested.
import { mutateBytes, mutateText } from "./mutate.mjs";
import { eventName, jsonObject, jsonValue, namespace, word } from "./vocabulary.mjs";

/** @import { Random } from "./random.mjs" */

/** @param {string} nsp */
const prefixOf = (nsp) => (nsp === "/" ? "" : `${nsp},`);

/**
 * One packet as the messages that it takes: the text and its attachments.
 *
 * @param {Random} random
 * @param {string} [nsp]
 * @returns {(string | Buffer)[]}
 */
export function validMessages(random, nsp = namespace(random)) {
  const prefix = prefixOf(nsp);
  return random.weighted([
    [2, () => [`0${prefix}${random.oneIn(2) ? auth(random) : ""}`]],
    [1, () => [`1${prefix}`]],
    [8, () => [`2${prefix}${id(random)}${eventJson(random)}`]],
    [
      3,
      () => [
        `3${prefix}${random.below(20)}${JSON.stringify(random.list(4, () => jsonValue(random)))}`,
      ],
    ],
    [5, () => binaryMessages(random, prefix)],
  ])();
}

/**
 * The same, damaged: the text, an attachment, their number or their order.
 *
 * @param {Random} random
 * @param {string} [nsp]
 * @returns {(string | Buffer)[]}
 */
export function hostileMessages(random, nsp) {
  const messages = validMessages(random, nsp);
  const at = random.below(messages.length);
  const message = messages[at] ?? "";
  switch (random.below(6)) {
    case 0:
    case 1:
    case 2:
      messages[at] =
        typeof message === "string" ? mutateText(message, random) : mutateBytes(message, random);
      return messages;
    case 3:
      messages.splice(at, 1);
      return messages;
    case 4:
      messages.splice(at, 0, random.oneIn(2) ? message : random.bytes(random.below(10)));
      return messages;
    default:
      return [...messages.slice(at), ...messages.slice(0, at)];
  }
}

/** @param {Random} random */
function id(random) {
  return random.oneIn(3) ? String(random.below(100)) : "";
}

/** @param {Random} random */
function auth(random) {
  return JSON.stringify(
    random.weighted([
      [3, () => jsonObject(random)],
      [2, () => ({ token: random.oneIn(2) ? "let me in" : word(random) })],
      [2, () => ({ pid: "{pid0}", offset: "{offset0}" })],
      [
        2,
        () => ({ pid: random.oneIn(2) ? "{pid0}" : jsonValue(random), offset: jsonValue(random) }),
      ],
    ])(),
  );
}

/** @param {Random} random */
function eventJson(random) {
  return JSON.stringify([eventName(random), ...random.list(4, () => jsonValue(random))]);
}

/**
 * @param {Random} random
 * @param {string} prefix
 * @returns {(string | Buffer)[]}
 */
function binaryMessages(random, prefix) {
  /** @type {Buffer[]} */
  const attachments = [];
  const placeholder = () => {
    attachments.push(random.bytes(random.below(20)));
    return { _placeholder: true, num: attachments.length - 1 };
  };
  const isAck = random.oneIn(4);
  const args = [placeholder(), ...random.list(3, () => jsonValue(random, placeholder))];
  const json = JSON.stringify(isAck ? args : [eventName(random), ...args]);
  const header = `${isAck ? 6 : 5}${attachments.length}-${prefix}${isAck ? random.below(20) : id(random)}`;
  return [header + json, ...attachments];
}
