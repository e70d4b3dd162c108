// The rooms: who is in them, what was said last. Plain state; knows nothing of sockets.
import { fold } from "./input.js";

const HISTORY = 50;
const MAX_ROOMS = 50;
const PERMANENT = ["Lobby", "Help", "Random"];

class Room {
  /** Socket id to nickname. */
  members = new Map();
  /** The last messages, oldest first. */
  history = [];
  /** How many messages there ever were; browsers count what they have not seen by it. */
  total = 0;

  constructor(name) {
    this.name = name;
  }

  /** The nicknames, each once, in alphabetical order. */
  names() {
    return [...new Set(this.members.values())].sort((a, b) => a.localeCompare(b));
  }

  add(message) {
    this.total += 1;
    this.history.push(message);
    if (this.history.length > HISTORY) this.history.shift();
  }

  /**
   * The message with this id. A browser that has lost the connection before the answer sends again;
   * its message must not appear twice. (One older than the history would: 50 messages later.)
   */
  find(id) {
    return this.history.find((message) => message.id === id);
  }
}

/** All rooms. The permanent ones always exist; others go when the last member leaves. */
export class Rooms {
  #rooms = new Map(PERMANENT.map((name) => [fold(name), new Room(name)]));

  /** The room of this name, in any letter case. */
  get(name) {
    return this.#rooms.get(fold(name));
  }

  /** The same, but made when it is new; undefined when there are too many. */
  open(name) {
    const existing = this.get(name);
    if (existing !== undefined || this.#rooms.size >= MAX_ROOMS) return existing;
    const room = new Room(name);
    this.#rooms.set(fold(name), room);
    return room;
  }

  leave(room, id) {
    room.members.delete(id);
    if (room.members.size === 0 && !PERMANENT.includes(room.name)) {
      this.#rooms.delete(fold(room.name));
    }
  }

  /** What the list of rooms shows. */
  list() {
    return [...this.#rooms.values()].map(({ name, members, total }) => ({
      name,
      people: members.size,
      total,
    }));
  }
}
