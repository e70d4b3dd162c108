import { inspect } from "node:util";
import { Member } from "./member.js";

/** How a `SetMap` is used. */
export interface SetMapInit {
  /**
   * Whether keys are sockets, who are in the room of their own id before any other: it is left out
   * of their lists. Rooms have references to those alone whose id is not theirs.
   */
  readonly isOwnFirst: boolean;
  /** Somebody has taken a member out of the map to which others still have references. */
  readonly onLoss: () => void;
}

/**
 * The rooms of all sockets, or the sockets of all rooms.
 *
 * From outside it is a `Map<string, Set<string>>` whose sets are live. Inside, a value is a `Member`,
 * or for the many sockets that are in no other room but that of their own id, and for these rooms,
 * the key itself: a record for each side would cost more than everything else this package keeps of
 * a connection.
 */
export class SetMap extends Map<string, Set<string>> {
  readonly #init: SetMapInit;
  #made = 0;
  #isPlain = false;

  constructor(init: SetMapInit) {
    super();
    this.#init = init;
  }

  /** What is kept of a key: itself, if that is all it has. */
  peek(key: string): string | Member | undefined {
    return super.get(key) as string | Member | undefined;
  }

  /** Gives a key to itself; `false` if it has it. */
  addOwn(key: string): boolean {
    const value = this.peek(key);
    if (value === undefined) {
      this.#put(key, key);
      return true;
    }
    if (typeof value === "string" || (this.#init.isOwnFirst && value.names === undefined))
      return false;
    const names = this.#namesOf(value);
    const { size } = names;
    return names.add(key).size > size;
  }

  /** The record of a key, which is made if there is none. */
  memberOf(key: string): Member {
    const value = this.peek(key);
    if (typeof value === "object") return value;
    const hasOwn = value !== undefined;
    const member = this.#make(key);
    const isListed = hasOwn === this.#init.isOwnFirst && !this.#isPlain;
    if (!isListed) member.keepNames(new Set(hasOwn ? [key] : []));
    return member;
  }

  /** Puts back a record that was dropped, in place of what there is now, and keeps it by name. */
  revive(member: Member): void {
    const value = this.peek(member.name);
    const own = value === undefined ? [] : [member.name];
    member.keepNames(typeof value === "object" ? this.#namesOf(value) : new Set(own));
    this.#put(member.name, member);
  }

  /** Removes a key, without a look at who has references to it. */
  drop(key: string): void {
    super.delete(key);
  }

  /** From now on keeps nothing but sets of names: for programs that change the maps themselves. */
  makePlain(): void {
    this.#isPlain = true;
    for (const key of this.keys()) {
      const value = this.peek(key);
      if (typeof value === "object") this.#namesOf(value);
    }
  }

  override get(key: string): Set<string> | undefined {
    return this.has(key) ? this.#namesOf(this.memberOf(key)) : undefined;
  }

  override set(key: string, names: Set<string>): this {
    const before = this.peek(key);
    this.#make(key).keepNames(names);
    this.#tellLoss(before);
    return this;
  }

  override delete(key: string): boolean {
    const before = this.peek(key);
    const isDeleted = super.delete(key);
    this.#tellLoss(before);
    return isDeleted;
  }

  override clear(): void {
    const before = [...this.keys()].map((key) => this.peek(key));
    super.clear();
    for (const value of before) this.#tellLoss(value);
  }

  override *entries(): MapIterator<[string, Set<string>]> {
    for (const key of this.keys()) {
      const names = this.get(key);
      if (names !== undefined) yield [key, names];
    }
  }

  override *values(): MapIterator<Set<string>> {
    for (const [, names] of this.entries()) yield names;
  }

  override [Symbol.iterator](): MapIterator<[string, Set<string>]> {
    return this.entries();
  }

  override forEach(
    callback: (value: Set<string>, key: string, map: Map<string, Set<string>>) => void,
    self?: unknown,
  ): void {
    for (const [key, names] of this.entries()) callback.call(self, names, key, this);
  }

  static {
    // `console.log` is to show what a program sees, not what is kept.
    Object.defineProperty(this.prototype, inspect.custom, { value: plainMap });
  }

  #namesOf(member: Member): Set<string> {
    const { names } = member;
    if (names !== undefined) return names;
    const all = new Set(this.#init.isOwnFirst ? [member.name] : []);
    member.keepNames(all);
    return all;
  }

  #make(key: string): Member {
    this.#made += 1;
    const member = new Member(key, this.#made);
    this.#put(key, member);
    return member;
  }

  #put(key: string, value: string | Member): void {
    // The one place where the map holds something else than its type says.
    super.set(key, value as unknown as Set<string>);
  }

  #tellLoss(value: string | Member | undefined): void {
    if (typeof value === "object" && value.held > 0) this.#init.onLoss();
  }
}

function plainMap(this: SetMap): Map<string, Set<string>> {
  return new Map(this.entries());
}
