/** What can be found in a crowd. */
export interface Hashed {
  /** A number that hardly any other has. */
  readonly hash: number;
}

/** Positions, counted from 1; 0 stands for a slot that nobody uses. */
type Index = Uint16Array | Uint32Array;

/** The last position that an index of 16 bits can hold. */
const MAX_SHORT = 0xffff;

const MIN_PLACES = 64;

/**
 * Many elements in the order in which they came, found by an index of their positions.
 *
 * Takes 12 bytes for each place where a `Set` takes 20, and finds an element by a number that the
 * element has with it, where a `Set` of strings has to fetch the string.
 */
export class Crowd<T extends Hashed> {
  #places: (T | undefined)[] = [];
  /** Open addressing: slots with the positions of elements, found by hash. */
  #index: Index = new Uint16Array();
  /** Places that are taken, or were: who leaves, leaves a hole. */
  #end = 0;
  #size: number;

  /** @param elements all different */
  constructor(elements: readonly T[]) {
    this.#size = elements.length;
    this.#rebuild(elements);
  }

  get size(): number {
    return this.#size;
  }

  includes(element: T): boolean {
    return this.#find(element) >= 0;
  }

  /** Adds an element that is not there. */
  append(element: T): void {
    if (this.#end === this.#places.length) this.#rebuild(this.#places);
    this.#places[this.#end] = element;
    this.#end += 1;
    this.#size += 1;
    put(this.#index, element.hash, this.#end);
  }

  /** Removes an element; `false` if it is not there. */
  remove(element: T): boolean {
    const position = this.#find(element);
    if (position < 0) return false;
    // The index still leads here, and finds nobody: as it has to, for those that were put behind.
    this.#places[position] = undefined;
    this.#size -= 1;
    const capacity = this.#places.length;
    if (capacity > MIN_PLACES && this.#size < capacity >> 2) this.#rebuild(this.#places);
    return true;
  }

  /** Whether this element is the one in this place, counted from 0. */
  isAt(element: T, place: number): boolean {
    return this.#places[place] === element;
  }

  /** The elements in a new array. */
  toArray(): T[] {
    return withoutHoles(this.#places);
  }

  #find(element: T): number {
    const index = this.#index;
    const places = this.#places;
    const mask = index.length - 1;
    for (let slot = element.hash & mask; ; slot = (slot + 1) & mask) {
      const position = (index[slot] ?? 0) - 1;
      if (position < 0 || places[position] === element) return position;
    }
  }

  /** Closes the holes, and makes room for a third more, or up to three times as many. */
  #rebuild(elements: readonly (T | undefined)[]): void {
    let capacity = MIN_PLACES;
    while (capacity * 3 < this.#size * 4) capacity *= 2;
    const places = makePlaces<T>(capacity);
    // Half full at most, so that few slots have to be looked at.
    const slots = capacity * 2;
    const index = capacity > MAX_SHORT ? new Uint32Array(slots) : new Uint16Array(slots);
    let end = 0;
    for (let at = 0; at < elements.length; at += 1) {
      const element = elements[at];
      if (element === undefined) continue;
      places[end] = element;
      end += 1;
      put(index, element.hash, end);
    }
    this.#places = places;
    this.#index = index;
    this.#end = end;
  }
}

/** An array with so many empty places, and no more. */
export function makePlaces<T>(capacity: number): (T | undefined)[] {
  // oxlint-disable-next-line unicorn/no-new-array -- every other way costs a call of the runtime
  return new Array<T | undefined>(capacity);
}

/** The elements alone, in a new array. */
export function withoutHoles<T>(places: readonly (T | undefined)[]): T[] {
  const elements: T[] = [];
  for (const element of places) if (element !== undefined) elements.push(element);
  return elements;
}

function put(index: Index, hash: number, position: number): void {
  const mask = index.length - 1;
  let slot = hash & mask;
  while (index[slot] !== 0) slot = (slot + 1) & mask;
  index[slot] = position;
}
