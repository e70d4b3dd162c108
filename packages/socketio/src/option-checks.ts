import { OptionsError } from "./errors.js";

const MAX_DELAY = 2_147_483_647;

/** @throws {OptionsError} ERR_OPTION_VALUE, unless it is a string */
export function checkPath(path: unknown): void {
  if (typeof path !== "string") throw new OptionsError("path", path, "a string");
}

/** @throws {OptionsError} ERR_OPTION_VALUE, unless it can make an adapter */
export function checkAdapter(adapter: unknown): void {
  if (typeof adapter !== "function") {
    throw new OptionsError("adapter", adapter, "a class or a function");
  }
}

/** @throws {OptionsError} ERR_OPTION_VALUE, unless a timer can wait so long */
export function checkDelay(name: string, value: unknown): void {
  if (typeof value !== "number" || !(value >= 0 && value <= MAX_DELAY)) {
    throw new OptionsError(name, value, `a number of milliseconds from 0 to ${MAX_DELAY}`);
  }
}

/** @throws {OptionsError} ERR_OPTION_VALUE, unless it is `true` or `false` */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new OptionsError(name, value, "true or false");
  return value;
}

/** @throws {OptionsError} ERR_OPTION_VALUE, unless it is a number from 0 on */
export function checkCount(name: string, value: unknown): void {
  if (typeof value !== "number" || !(value >= 0)) {
    throw new OptionsError(name, value, "a number that is not negative");
  }
}
