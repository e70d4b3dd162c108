import { Duplex } from "node:stream";

/** The server's end of a connection, held in memory: a test plays the peer and the kernel. */
export class FakeStream extends Duplex {
  /** What the kernel has taken. */
  readonly #written: Buffer[] = [];
  #waiting: (() => void) | undefined;
  /** Whether the kernel takes nothing: the peer does not read. */
  isBlocked = false;
  /** What a write throws, against the rules of streams. */
  thrown: Error | undefined;
  /** Whether the server has sent a FIN. */
  hasEnded = false;

  get output(): Buffer {
    return Buffer.concat(this.#written);
  }

  /** The peer sends bytes; resolves once they have been handled. */
  async receive(...chunks: Buffer[]): Promise<void> {
    for (const chunk of chunks) {
      this.push(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The peer sends a FIN. */
  async receiveEnd(): Promise<void> {
    this.push(null);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The peer reads on. */
  async unblock(): Promise<void> {
    this.isBlocked = false;
    this.#waiting?.();
    this.#waiting = undefined;
    await new Promise((resolve) => setImmediate(resolve));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = (): void => {
      this.#written.push(chunk);
      done();
    };
    if (this.thrown !== undefined) throw this.thrown;
    if (this.isBlocked) this.#waiting = take;
    else take();
  }

  override _final(done: () => void): void {
    this.hasEnded = true;
    done();
  }
}
