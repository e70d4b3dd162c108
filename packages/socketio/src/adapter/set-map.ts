import { inspect } from "node:util";

/**
 * A map of sets in which a set of one element is kept as the element itself, until somebody reads
 * it. Every socket is the only one in the room of its id, and most sockets are in no other room: a
 * `Set` for each side would cost more than everything else this package keeps of a connection.
 *
 * From outside it is a `Map<string, Set<string>>` whose sets are live.
 */
export class SetMap extends Map<string, Set<string>> {
  /** Adds an element; `false` if it is there already. */
  add(key: string, element: string): boolean {
    const elements = this.peek(key);
    if (elements === undefined) this.#put(key, element);
    else if (typeof elements !== "string") {
      // The size tells what `has` would, without looking the element up twice.
      const { size } = elements;
      return elements.add(element).size > size;
    } else {
      if (elements === element) return false;
      this.set(key, new Set([elements, element]));
    }
    return true;
  }

  /** Removes an element; `false` if it is not there. An empty set remains. */
  remove(key: string, element: string): boolean {
    const elements = this.peek(key);
    if (elements === undefined) return false;
    if (typeof elements !== "string") return elements.delete(element);
    if (elements !== element) return false;
    this.set(key, new Set());
    return true;
  }

  /** The elements in the form they are kept in: the only one, or a set. */
  peek(key: string): string | Set<string> | undefined {
    return super.get(key);
  }

  override get(key: string): Set<string> | undefined {
    const elements = this.peek(key);
    if (typeof elements !== "string") return elements;
    const set = new Set([elements]);
    this.set(key, set);
    return set;
  }

  override *entries(): MapIterator<[string, Set<string>]> {
    for (const key of this.keys()) {
      const elements = this.get(key);
      if (elements !== undefined) yield [key, elements];
    }
  }

  override *values(): MapIterator<Set<string>> {
    for (const [, elements] of this.entries()) yield elements;
  }

  override [Symbol.iterator](): MapIterator<[string, Set<string>]> {
    return this.entries();
  }

  override forEach(
    callback: (value: Set<string>, key: string, map: Map<string, Set<string>>) => void,
    self?: unknown,
  ): void {
    for (const [key, elements] of this.entries()) callback.call(self, elements, key, this);
  }

  static {
    // `console.log` is to show what a program sees, not what is kept.
    Object.defineProperty(this.prototype, inspect.custom, { value: plainMap });
  }

  #put(key: string, element: string): void {
    // The one place where the map holds something else than its type says.
    super.set(key, element as unknown as Set<string>);
  }
}

function plainMap(this: SetMap): Map<string, Set<string>> {
  return new Map(this.entries());
}
