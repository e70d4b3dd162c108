import { execFileSync } from "node:child_process";

/** @import { Case } from "./cases.mjs" */

/** Files that a process has open besides its connections, amply. */
const RESERVE = 100;

/**
 * Lowers the number of connections of a case to what the system allows a process to have open.
 *
 * @param {Case} bench
 * @param {number} limit
 * @returns {Case} the same object when nothing had to be lowered
 */
export function fitToLimit(bench, limit) {
  return withSockets(bench, Math.min(bench.sockets, limit - RESERVE));
}

/**
 * The same case with another number of connections. Where each connection counts, such as in
 * broadcasts, so does what one request is worth.
 *
 * @param {Case} bench
 * @param {number} sockets
 * @returns {Case} the same object when the number is the same
 */
export function withSockets(bench, sockets) {
  if (sockets === bench.sockets) return bench;
  const weight =
    bench.weight >= bench.sockets ? (bench.weight / bench.sockets) * sockets : bench.weight;
  return { ...bench, sockets, weight };
}

/**
 * @returns {number} how many files this process and its children may have open
 */
export function openFilesLimit() {
  try {
    const limit = execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).trim();
    return limit === "unlimited" ? Infinity : Number(limit);
  } catch {
    // No shell, so no such limit: Windows.
    return Infinity;
  }
}
