import base64id from "base64id";

/** Bytes of an id: 20 characters of base64. */
const ID_BYTES = 15;
/** As many as `base64id` gives at once without a pool of its own, which it fills asynchronously. */
const POOL_BYTES = 256 * ID_BYTES;

/**
 * Makes ids: 20 characters of `A-Za-z0-9_-`, of 120 random bits, not to be guessed (behaviour 24).
 *
 * A connection needs two, one for the session and one for the socket. Made one by one they took 4.5 of
 * the 161 µs that a connection took of the server's CPU, because whoever opens many connections at a
 * time has used up that pool before there is another.
 */
export class IdSource {
  #pool: Buffer = Buffer.alloc(0);
  #offset = 0;

  next(): string {
    if (this.#offset === this.#pool.length) {
      this.#pool = base64id.getRandomBytes(POOL_BYTES);
      this.#offset = 0;
    }
    const start = this.#offset;
    this.#offset += ID_BYTES;
    return this.#pool.toString("base64url", start, this.#offset);
  }
}
