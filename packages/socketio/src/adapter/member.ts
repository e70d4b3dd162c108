import type { Audience } from "./audience.js";
import type { AdapterSocket } from "./contract.js";
import { Crowd, type Hashed, makePlaces, withoutHoles } from "./crowd.js";

/** Up to so many partners are looked for one by one: as fast as by an index, and smaller. */
const MAX_LISTED = 128;

/** In longer lists the search of the engine is faster than a loop of ours. */
const MAX_LOOP = 16;

/** The shortest list: what is not worth keeping for a single partner. */
const MIN_PLACES = 4;

/** Longer lists shrink when they are hardly used any more. */
const MAX_IDLE_PLACES = 16;

/** What the end says of partners that are in no list. */
const CROWDED = -1;
const NAMED = -2;

type Places = (Member | undefined)[];

/**
 * A socket or a room, with its partners: the rooms of the socket, the sockets in the room.
 *
 * Partners are kept as references in the order in which they came: one by itself, several in a list,
 * many in a list with an index. If somebody has read them from outside, who may change them, they
 * are kept as a set of their names.
 */
export class Member implements Hashed {
  readonly name: string;
  readonly hash: number;
  /** For whoever looks for the socket of this record: the one that was found last. */
  socket: AdapterSocket | undefined;
  /** For whoever broadcasts to this room: forgotten when a partner comes or goes. */
  audience: Audience | undefined;
  #held = 0;
  #partners: Member | Places | Crowd<Member> | Set<string> | undefined;
  /** Places of the list that are taken, or were: who leaves, leaves a hole. */
  #end = 0;
  #size = 0;

  /** @param number one that few other members have */
  constructor(name: string, number: number) {
    this.name = name;
    this.hash = spread(number);
  }

  /** How many others keep a reference to this one. */
  get held(): number {
    return this.#held;
  }

  /** The names of the partners, if these are kept by name. */
  get names(): Set<string> | undefined {
    return this.#end === NAMED ? (this.#partners as Set<string>) : undefined;
  }

  /** How many partners there are. */
  get size(): number {
    return this.names?.size ?? this.#size;
  }

  /** Whether there is a reference to this partner. */
  includes(partner: Member): boolean {
    const partners = this.#partners;
    if (Array.isArray(partners)) return find(partners, partner, this.#end) >= 0;
    if (this.#end === CROWDED) return (partners as Crowd<Member>).includes(partner);
    return partners === partner;
  }

  /** Whether this partner is there, which is quick if it is there as number `at` from 0. */
  hasAt(partner: Member, at: number): boolean {
    const partners = this.#partners;
    if (Array.isArray(partners) && partners[at] === partner) return true;
    if (this.#end === CROWDED && (partners as Crowd<Member>).isAt(partner, at)) return true;
    return this.has(partner);
  }

  /** Whether this partner is there, in whatever form. */
  has(partner: Member): boolean {
    return this.names?.has(partner.name) ?? this.includes(partner);
  }

  /** Adds a reference to a partner that is not there. */
  append(partner: Member): void {
    this.audience = undefined;
    const partners = this.#partners;
    if (Array.isArray(partners)) {
      if (this.#end < partners.length) {
        partners[this.#end] = partner;
        this.#end += 1;
      } else Member.#grow(this, partners, partner);
    } else if (partners === undefined) this.#partners = partner;
    else if (this.#end === CROWDED) (partners as Crowd<Member>).append(partner);
    else {
      this.#partners = [partners as Member, partner, undefined, undefined];
      this.#end = 2;
    }
    this.#size += 1;
    partner.#held += 1;
  }

  /** Removes the reference to a partner; `false` if there is none. */
  remove(partner: Member): boolean {
    const partners = this.#partners;
    if (Array.isArray(partners)) {
      const at = find(partners, partner, this.#end);
      if (at < 0) return false;
      partners[at] = undefined;
      this.#size -= 1;
      Member.#tidy(this, partners);
    } else if (this.#end === CROWDED) {
      const crowd = partners as Crowd<Member>;
      if (!crowd.remove(partner)) return false;
      this.#size -= 1;
      if (this.#size < MAX_LISTED / 4) {
        this.#partners = crowd.toArray();
        this.#end = this.#size;
      }
    } else {
      if (partners !== partner) return false;
      this.#partners = undefined;
      this.#size = 0;
    }
    partner.#held -= 1;
    this.audience = undefined;
    return true;
  }

  /** The partners that are kept as references, in a new array. */
  list(): Member[] {
    const partners = this.#partners;
    if (this.#end === CROWDED) return (partners as Crowd<Member>).toArray();
    if (!Array.isArray(partners)) return this.#size === 1 ? [partners as Member] : [];
    return withoutHoles(partners);
  }

  /** Removes the references, and returns them. */
  takeAll(): Member[] {
    const partners = this.list();
    for (const partner of partners) partner.#held -= 1;
    this.audience = undefined;
    this.#partners = undefined;
    this.#end = 0;
    this.#size = 0;
    return partners;
  }

  /** Keeps partners by name from now on: those whose names are given, and the others behind. */
  keepNames(names: Set<string>): void {
    for (const { name } of this.takeAll()) names.add(name);
    this.#partners = names;
    this.#end = NAMED;
  }

  // Static, because private methods of objects cost each object eight bytes.

  static #grow(self: Member, places: Places, partner: Member): void {
    const size = self.#size;
    if (size < MAX_LISTED) {
      const grown = copy(places, capacityFor(size + 1));
      grown[size] = partner;
      self.#partners = grown;
      self.#end = size + 1;
    } else {
      self.#partners = new Crowd([...self.list(), partner]);
      self.#end = CROWDED;
    }
  }

  /** After somebody left the list. */
  static #tidy(self: Member, places: Places): void {
    const size = self.#size;
    let end = self.#end;
    while (end > 0 && places[end - 1] === undefined) end -= 1;
    self.#end = end;
    const capacity = places.length;
    if (capacity === MIN_PLACES) {
      if (size === 1) self.#partners = places[end - 1];
    } else if (capacity > MAX_IDLE_PLACES && size < capacity >> 2) {
      self.#partners = copy(places, capacityFor(size));
      self.#end = size;
    }
  }
}

/** Where a partner is, of which the last one and the first ones are found first; or -1. */
function find(places: Readonly<Places>, partner: Member, end: number): number {
  if (places[end - 1] === partner) return end - 1;
  if (end > MAX_LOOP) return places.indexOf(partner);
  for (let at = 0; at < end; at += 1) if (places[at] === partner) return at;
  return -1;
}

function capacityFor(size: number): number {
  if (size > 16) return size + (size >> 1);
  return size > 8 ? 16 : 8;
}

/** The members without holes, in a list of its own. */
function copy(places: Readonly<Places>, capacity: number): Places {
  const fresh: Places = makePlaces(capacity);
  let end = 0;
  for (let at = 0; at < places.length; at += 1) {
    const member = places[at];
    if (member === undefined) continue;
    fresh[end] = member;
    end += 1;
  }
  return fresh;
}

/** So that numbers with a common difference do not meet in a table. */
function spread(number: number): number {
  const product = Math.imul(number, 0x9e3779b1);
  return (product ^ (product >>> 15)) & 0x3fffffff;
}
