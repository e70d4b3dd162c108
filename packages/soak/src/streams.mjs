/**
 * @typedef {import("@jackfield/socketio").Socket} Socket
 * @typedef {import("@jackfield/socketio").Namespace} Namespace
 */

/**
 * What the server knows of one socket, whatever connections it had: what its client has to receive,
 * and what came from it. The rooms are kept here a second time, so that the ones of the server are
 * not taken at their word.
 *
 * @typedef {object} Stream
 * @property {string} sid the id of the socket
 * @property {string} nsp the name of its namespace
 * @property {string} kind what the client does: see client.mjs
 * @property {Socket | undefined} socket absent while the connection is broken
 * @property {Namespace} namespace where it is, or was
 * @property {Set<string>} rooms all but its own
 * @property {number[]} expected the events that its client has to receive, in order
 * @property {Map<number, number[]>} received the events of its client, by connection
 * @property {boolean} isFinished whether both ends have agreed on the end
 * @property {number} brokenAt ms, while the connection is broken
 */

/** All streams that have not ended. */
export class Streams {
  /** @type {Map<string, Stream>} */
  #byId = new Map();
  /** @type {Map<string, Set<Stream>>} by namespace */
  #byNamespace = new Map();

  /** Those that take part: what is sent to all reaches them. */
  get size() {
    return this.#byId.size;
  }

  /** @param {Stream} stream */
  add(stream) {
    this.#byId.set(stream.sid, stream);
    const others = this.#byNamespace.get(stream.nsp) ?? new Set();
    this.#byNamespace.set(stream.nsp, others.add(stream));
  }

  /** @param {string} sid */
  get(sid) {
    return this.#byId.get(sid);
  }

  /** @param {Stream} stream */
  delete(stream) {
    this.#byId.delete(stream.sid);
    const others = this.#byNamespace.get(stream.nsp);
    others?.delete(stream);
    if (others?.size === 0) this.#byNamespace.delete(stream.nsp);
  }

  all() {
    return [...this.#byId.values()];
  }

  /** @param {string} nsp */
  of(nsp) {
    return [...(this.#byNamespace.get(nsp) ?? [])];
  }

  /**
   * Notes that an event goes to the selected sockets.
   *
   * @param {number} id
   * @param {{ nsp: string, rooms?: string[], except?: string[], without?: Stream }} target
   * @returns {number} how many they are
   */
  expect(id, { nsp, rooms, except = [], without }) {
    let count = 0;
    for (const stream of this.of(nsp)) {
      const isMeant = rooms === undefined || rooms.some((room) => isIn(stream, room));
      if (!isMeant || stream === without || except.some((room) => isIn(stream, room))) continue;
      count += 1;
      if (!stream.isFinished) stream.expected.push(id);
    }
    return count;
  }
}

/**
 * @param {Stream} stream
 * @param {string} room
 */
function isIn({ sid, rooms }, room) {
  return room === sid || rooms.has(room);
}
