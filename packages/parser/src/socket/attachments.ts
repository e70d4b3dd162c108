import { isBlob, isBytes, toBuffer } from "../bytes.js";
import { PacketError } from "../errors.js";
import { MAX_DECODED_DEPTH, MAX_ENCODED_DEPTH } from "./nesting.js";

/** Marks the object that stands for an attachment in the JSON of a binary packet. */
const PLACEHOLDER = "_placeholder";

type Members = Record<string, unknown>;

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null;
}

function isDate(value: object): boolean {
  // oxlint-disable-next-line no-restricted-globals -- asks for a type, not for the time
  return value instanceof Date;
}

/**
 * Tells whether data may hold bytes, so that {@link takeAttachments} has to look closer. Allocates
 * nothing as long as it meets arrays and plain objects only.
 *
 * @throws {TypeError} when the data is circular, nested too deeply, or holds a `Blob`.
 */
export function mayHoldBytes(data: unknown): boolean {
  return isObject(data) && objectMayHoldBytes(data, 0);
}

function objectMayHoldBytes(value: Members, depth: number): boolean {
  if (Array.isArray(value)) return itemsMayHoldBytes(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    if (isBytes(value)) return true;
    if (isDate(value)) return false;
    refuseBlob(value);
    const toJson = value["toJSON"];
    if (typeof toJson === "function") return resultMayHoldBytes(toJson.call(value), depth + 1);
  }
  return membersMayHoldBytes(value, depth);
}

function itemsMayHoldBytes(items: readonly unknown[], depth: number): boolean {
  checkDepth(depth);
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (isObject(item) && objectMayHoldBytes(item, depth + 1)) return true;
  }
  return false;
}

function membersMayHoldBytes(members: Members, depth: number): boolean {
  checkDepth(depth);
  // Unlike `Object.keys`, `for in` allocates nothing. What it finds on a prototype matters only if
  // it is an object, so that asking whether a member is inherited can wait until then.
  for (const key in members) {
    const member = members[key];
    if (isObject(member)) {
      if (Object.hasOwn(members, key) && objectMayHoldBytes(member, depth + 1)) return true;
    } else if (typeof member === "function" && key === "toJSON") {
      return resultMayHoldBytes(member.call(members), depth + 1);
    }
  }
  return false;
}

/**
 * As in `JSON.stringify`, a `toJSON` of what a `toJSON` returned is not called. It takes a level of
 * its own, because it takes the stack of one.
 */
function resultMayHoldBytes(result: unknown, depth: number): boolean {
  if (!isObject(result)) return false;
  if (isBytes(result)) return true;
  refuseBlob(result);
  return itemsMayHoldBytes(Object.values(result), depth);
}

/**
 * Replaces bytes by placeholders, numbered depth first, and appends the bytes to `attachments`.
 * What holds bytes is copied, everything else is returned as it is; nothing is mutated.
 *
 * @throws {TypeError} when the data is circular, nested too deeply, or holds a `Blob`.
 */
export function takeAttachments(data: unknown, attachments: Buffer[]): unknown {
  return take(data, attachments, 0);
}

function take(value: unknown, attachments: Buffer[], depth: number): unknown {
  if (!isObject(value) || isDate(value)) return value;
  const toJson = Array.isArray(value) || isBytes(value) ? undefined : value["toJSON"];
  if (typeof toJson !== "function") return takeInside(value, attachments, depth);
  const before = attachments.length;
  const taken = takeInside(toJson.call(value), attachments, depth + 1);
  // Without bytes in its result, `JSON.stringify` may call `toJSON` by itself.
  return attachments.length === before ? value : taken;
}

function takeInside(value: unknown, attachments: Buffer[], depth: number): unknown {
  if (!isObject(value)) return value;
  if (isBytes(value)) {
    attachments.push(toBuffer(value));
    return { [PLACEHOLDER]: true, num: attachments.length - 1 };
  }
  refuseBlob(value);
  checkDepth(depth);
  return Array.isArray(value)
    ? takeFromItems(value, attachments, depth)
    : takeFromMembers(value, attachments, depth);
}

function takeFromItems(
  items: readonly unknown[],
  attachments: Buffer[],
  depth: number,
): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const taken = take(item, attachments, depth + 1);
    if (taken === item) continue;
    copy ??= Array.from(items);
    copy[i] = taken;
  }
  return copy ?? items;
}

function takeFromMembers(members: Members, attachments: Buffer[], depth: number): Members {
  let copy: Members | undefined;
  for (const key of Object.keys(members)) {
    const member = members[key];
    const taken = take(member, attachments, depth + 1);
    if (taken === member) continue;
    copy ??= copyOf(members);
    copy[key] = taken;
  }
  return copy ?? members;
}

function copyOf(members: Members): Members {
  // Spreading makes even `__proto__` an own member, so that assigning to it does no harm.
  const copy = { ...members };
  // `members` is the result of this very function, which must not be called again.
  if (typeof copy["toJSON"] === "function") copy["toJSON"] = undefined;
  return copy;
}

/**
 * Puts attachments in the place of their placeholders. Data is changed in place, except
 * if it is a placeholder itself.
 *
 * @throws {PacketError} `ERR_PACKET_ATTACHMENTS`, when a placeholder names no attachment.
 */
export function restoreAttachments(data: unknown, attachments: readonly Buffer[]): unknown {
  try {
    return restore(data, attachments, 0);
  } catch (cause) {
    // What a reviver returned may even be frozen.
    throw new PacketError("ERR_PACKET_ATTACHMENTS", "illegal attachments", { cause });
  }
}

function restore(value: unknown, attachments: readonly Buffer[], depth: number): unknown {
  if (!isObject(value)) return value;
  if (value[PLACEHOLDER] === true) {
    const attachment = typeof value["num"] === "number" ? attachments[value["num"]] : undefined;
    if (attachment === undefined) throw new RangeError("no such attachment");
    return attachment;
  }
  // JSON is not that deep any more here, but what a reviver made of it may be.
  if (depth > MAX_DECODED_DEPTH) throw new RangeError("nested too deeply");
  if (Array.isArray(value)) restoreItems(value, attachments, depth);
  else restoreMembers(value, attachments, depth);
  return value;
}

function restoreItems(items: unknown[], attachments: readonly Buffer[], depth: number): void {
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (isObject(item)) items[i] = restore(item, attachments, depth + 1);
  }
}

function restoreMembers(members: Members, attachments: readonly Buffer[], depth: number): void {
  for (const key of Object.keys(members)) {
    const member = members[key];
    // The key is an own member, so that assigning to it does no harm, even if it is `__proto__`.
    if (isObject(member)) members[key] = restore(member, attachments, depth + 1);
  }
}

function checkDepth(depth: number): void {
  if (depth > MAX_ENCODED_DEPTH) {
    throw new TypeError(
      `cannot encode data that is circular or nested deeper than ${MAX_ENCODED_DEPTH} levels`,
    );
  }
}

function refuseBlob(value: object): void {
  if (isBlob(value)) {
    throw new TypeError("cannot encode a Blob: its bytes can only be read asynchronously");
  }
}
