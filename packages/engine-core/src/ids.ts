import { randomFillSync } from "node:crypto";

/** 120 bits: nobody guesses an id, and no two are the same. */
const ID_BYTES = 15;

// To ask for random bytes takes several times as long as all else that makes an id, whether it is for
// 15 bytes or for 2000; a connection with a namespace takes two ids.
const pool = Buffer.allocUnsafeSlow(128 * ID_BYTES);
let used = pool.length;

/** Makes the id of a session: 20 characters of `A-Za-z0-9_-`, 15 bytes, not to be guessed. */
export function generateId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString("base64url", used, used + ID_BYTES);
  // Whoever gets to see the memory learns nothing of the ids that were given out.
  pool.fill(0, used, used + ID_BYTES);
  used += ID_BYTES;
  return id;
}
