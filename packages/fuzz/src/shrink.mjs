// oxlint-disable no-await-in-loop -- each attempt depends on the one before

/**
 * Delta debugging: finds a part of a list that still fails and from which no chunk can be left out.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {(items: T[]) => Promise<boolean> | boolean} fails
 * @returns {Promise<T[]>}
 */
export async function shrinkList(items, fails) {
  let rest = [...items];
  for (
    let size = Math.ceil(rest.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let start = 0; start < rest.length && rest.length > 1;) {
      const without = [...rest.slice(0, start), ...rest.slice(start + size)];
      if (without.length > 0 && (await fails(without))) rest = without;
      else start += size;
    }
  }
  return rest;
}

/**
 * The same for a text.
 *
 * @param {string} text
 * @param {(text: string) => Promise<boolean> | boolean} fails
 */
export async function shrinkText(text, fails) {
  const characters = await shrinkList(Array.from(text), (some) => fails(some.join("")));
  return characters.join("");
}

/**
 * Shrinks whatever an input is made of: the items of lists, the members of objects that may be
 * absent, the characters of texts, the bytes of buffers.
 *
 * @param {unknown} input
 * @param {(input: unknown) => Promise<boolean> | boolean} fails
 * @returns {Promise<unknown>}
 */
export async function shrinkValue(input, fails) {
  if (typeof input === "string") return shrinkText(input, fails);
  if (input instanceof Uint8Array) {
    const bytes = await shrinkList([...input], (some) => fails(Buffer.from(some)));
    return Buffer.from(bytes);
  }
  if (Array.isArray(input)) {
    const items = await shrinkList(input, fails);
    for (const [index, item] of items.entries()) {
      items[index] = await shrinkValue(item, (smaller) => fails(items.with(index, smaller)));
    }
    return items;
  }
  if (typeof input !== "object" || input === null) return input;
  const members = /** @type {Record<string, unknown>} */ ({ ...input });
  for (const key of Object.keys(members)) {
    members[key] = await shrinkValue(members[key], (smaller) =>
      fails({ ...members, [key]: smaller }),
    );
  }
  return members;
}
