import { inspect } from "node:util";

/** A codec did what it must not do. */
export class Violation extends Error {
  /** @override */
  name = "Violation";
}

/**
 * @param {unknown} condition
 * @param {() => string} message
 * @returns {asserts condition}
 */
export function demand(condition, message) {
  if (!condition) throw new Violation(message());
}

/** @param {unknown} value */
export function show(value) {
  return inspect(value, { depth: 8, breakLength: Infinity, maxStringLength: 300 });
}
