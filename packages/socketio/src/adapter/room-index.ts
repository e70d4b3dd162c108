import { Audience, type Recipient } from "./audience.js";
import type { Room, SocketId } from "./contract.js";
import type { Member } from "./member.js";
import { SetMap } from "./set-map.js";

/** A list of fewer would take more memory than their memberships do. */
const MIN_AUDIENCE = 8;

/** Sockets that can be looked for by their ids. */
export type Members = Pick<ReadonlySet<SocketId>, "has">;

/**
 * Which sockets are in which rooms.
 *
 * From outside it is two maps of sets that know nothing of each other, because programs and adapters
 * read and change them as such. Inside, a socket and a room of which nobody has read the set have
 * references to each other. Whether a socket is in a room is looked up on the side of the room alone;
 * on the other side joining is to append, and leaving mostly to remove the last one or the first.
 *
 * Who was read is kept by name, beside the others, and goes by its own set: partners are not asked.
 * Only when one of the maps loses somebody to whom there are references, which takes a change from
 * outside, everything is kept by name from then on.
 *
 * Before, there was a set of strings on each side. Operations per second of the server's CPU, with
 * `npm run bench`, in turns (Node 20, medians; the official server: 3.3 M, 45 B):
 *
 * | case                                              | sets  | references |
 * | ------------------------------------------------- | ----- | ---------- |
 * | `joins`: 10 of 1000 rooms each, all left again    | 5.2 M | 9.5 M      |
 * | join and leave one more, 1 room on the server     | 8.5 M | 9.4 M      |
 * | 1000 rooms                                        | 7.2 M | 9.5 M      |
 * | 100 000 rooms, 100 of them for each socket        | 2.3 M | 4.6 M      |
 * | bytes of a membership, 1000 sockets in 100 rooms  | 45    | 22         |
 */
export class RoomIndex {
  readonly #onLoss = (): void => this.#makePlain();
  #rooms = new SetMap({ isOwnFirst: false, onLoss: this.#onLoss });
  #sids = new SetMap({ isOwnFirst: true, onLoss: this.#onLoss });
  /** Sockets that are about to leave all their rooms, which still have references to them. */
  readonly #leaving: Member[] = [];

  /** The sockets of every room. */
  get rooms(): SetMap {
    return this.#rooms;
  }

  /** The rooms of every socket. */
  get sids(): SetMap {
    return this.#sids;
  }

  /** Replaces the sockets of every room. The rooms of the sockets stay what they are. */
  replaceRooms(rooms: Iterable<readonly [Room, Set<SocketId>]>): void {
    this.#rooms = this.#copy(rooms, false);
  }

  /** Replaces the rooms of every socket. The sockets of the rooms stay what they are. */
  replaceSids(sids: Iterable<readonly [SocketId, Set<Room>]>): void {
    this.#sids = this.#copy(sids, true);
  }

  /** Adds a socket to a room; `false` if it is there already. */
  add(id: SocketId, room: Room): boolean {
    if (id === room) {
      this.#sids.addOwn(id);
      return this.#rooms.addOwn(id);
    }
    const socket = this.#socketOf(id);
    const group = this.#rooms.memberOf(room);
    const ids = group.names;
    if (ids !== undefined) {
      const { size } = ids;
      const isNew = ids.add(id).size > size;
      // Somebody may have changed the set: it does not tell whether the socket knows.
      const { names } = socket;
      if (names !== undefined) names.add(room);
      else if (!socket.includes(group)) socket.append(group);
      return isNew;
    }
    const isNew = !group.includes(socket);
    if (isNew) group.append(socket);
    const { names } = socket;
    if (names !== undefined) names.add(room);
    else if (isNew) socket.append(group);
    return isNew;
  }

  /** Removes a socket from a room; `false` if it is not there. The socket stays known. */
  remove(id: SocketId, room: Room): boolean {
    if (id === room) {
      this.#sids.get(id)?.delete(id);
      return this.leave(id, room);
    }
    const socket = this.#sids.peek(id);
    const group = this.#rooms.peek(room);
    if (typeof socket === "object") {
      const { names } = socket;
      if (names !== undefined) names.delete(room);
      else if (typeof group === "object") socket.remove(group);
    }
    if (typeof group !== "object") return false;
    return this.#leave(group, id, this.#leavingOf(id) ?? recordIn(socket));
  }

  /**
   * Removes a socket, and returns its rooms: it still is in these, until it leaves them one by one,
   * and `departed()` is called.
   */
  depart(id: SocketId): Room | Iterable<Room> | undefined {
    const socket = this.#sids.peek(id);
    if (socket === undefined) return undefined;
    this.#sids.drop(id);
    if (typeof socket === "string") return socket;
    this.#leaving.push(socket);
    const { names } = socket;
    if (names !== undefined) return names;
    const rooms = [id];
    for (const { name } of socket.takeAll()) rooms.push(name);
    return rooms;
  }

  /** The socket that departed last has left its rooms. */
  departed(): void {
    const socket = this.#leaving.pop();
    if (socket === undefined || socket.held === 0 || this.#leaving.includes(socket)) return;
    if (this.#sids.peek(socket.name) !== socket) this.#makePlain();
  }

  /** Removes a socket from the sockets of a room; `false` if it is not there. */
  leave(id: SocketId, room: Room): boolean {
    const group = this.#rooms.peek(room);
    if (typeof group === "object") return this.#leave(group, id, this.#find(id));
    if (group === undefined || group !== id) return false;
    this.#rooms.drop(room);
    return true;
  }

  /** Who is in a room: nobody, the only one, or whoever is found, as of when it is looked for. */
  membersOf(room: Room): SocketId | Members | undefined {
    const group = this.#rooms.peek(room);
    if (typeof group !== "object") return group;
    return group.names ?? { has: (id) => this.#includes(group, id) };
  }

  /**
   * The audience of a room; `undefined` when each socket has to be visited.
   *
   * @param recipientOf the connection of a socket; none when the socket has to be visited
   */
  audienceOf(
    room: Room,
    recipientOf: (socket: Member) => Recipient | undefined,
  ): Audience | undefined {
    const group = this.#rooms.peek(room);
    if (typeof group !== "object" || group.names !== undefined) return undefined;
    if (group.audience !== undefined || group.size < MIN_AUDIENCE) return group.audience;
    const recipients: Recipient[] = [];
    for (const socket of group.list()) {
      const recipient = recipientOf(socket);
      if (recipient === undefined) return undefined;
      recipients.push(recipient);
    }
    group.audience = new Audience(group, recipients);
    return group.audience;
  }

  /**
   * Visits the ids of the sockets in a room, each with the record of the socket, if there is one. A
   * socket that leaves meanwhile is not visited any more.
   */
  forEachIn(room: Room, visit: (id: SocketId, record?: Member) => void): void {
    const group = this.#rooms.peek(room);
    if (group === undefined) return;
    if (typeof group === "string") {
      visit(group);
      return;
    }
    const { names } = group;
    if (names !== undefined) for (const id of names) visit(id);
    else {
      const sockets = group.list();
      for (let at = 0; at < sockets.length; at += 1) {
        const socket = sockets[at];
        if (socket !== undefined && group.hasAt(socket, at)) visit(socket.name, socket);
      }
    }
  }

  #leave(group: Member, id: SocketId, socket: Member | undefined): boolean {
    const ids = group.names;
    if (ids !== undefined) {
      if (!ids.delete(id)) return false;
    } else if (socket === undefined || !group.remove(socket)) return false;
    if (group.size === 0) {
      this.#rooms.drop(group.name);
      if (group.held > 0) this.#makePlain();
    }
    return true;
  }

  #includes(group: Member, id: SocketId): boolean {
    const socket = this.#find(id);
    return socket === undefined ? group.names?.has(id) === true : group.has(socket);
  }

  #socketOf(id: SocketId): Member {
    // A listener may have somebody join who is about to leave all rooms.
    const leaving = this.#leavingOf(id);
    if (leaving !== undefined && this.#sids.peek(id) !== leaving) this.#sids.revive(leaving);
    return this.#sids.memberOf(id);
  }

  /** The record of a socket to which its rooms have references. */
  #find(id: SocketId): Member | undefined {
    return this.#leavingOf(id) ?? recordIn(this.#sids.peek(id));
  }

  /** The first one of them: rooms have references to no other of the same id. */
  #leavingOf(id: SocketId): Member | undefined {
    for (let at = 0; at < this.#leaving.length; at += 1) {
      const socket = this.#leaving[at];
      if (socket?.name === id) return socket;
    }
    return undefined;
  }

  #copy(entries: Iterable<readonly [string, Set<string>]>, isOwnFirst: boolean): SetMap {
    this.#makePlain();
    const copy = new SetMap({ isOwnFirst, onLoss: this.#onLoss });
    for (const [key, names] of entries) copy.set(key, names);
    return copy;
  }

  #makePlain(): void {
    this.#rooms.makePlain();
    this.#sids.makePlain();
  }
}

function recordIn(value: string | Member | undefined): Member | undefined {
  return typeof value === "object" ? value : undefined;
}
