import type { EnginePacket, OutgoingPacket } from "../src/codec.js";
import type { Transport, TransportHost, TransportName } from "../src/transports/transport.js";

/** A transport that notes what it is told, and lets a test play the peer. */
export class FakeTransport implements Transport {
  readonly name: TransportName;
  sid: string | undefined;
  writable = true;
  bufferedBytes = 0;
  readonly supportsBinary = true;
  /** What was sent, one array per call of `send`. */
  readonly sent: EnginePacket[][] = [];
  readonly log: string[] = [];
  #host: TransportHost | undefined;
  #written: (() => void) | undefined;

  constructor(name: TransportName = "websocket") {
    this.name = name;
  }

  /** The host of the moment: the way to play the peer. */
  get peer(): TransportHost {
    if (this.#host === undefined) throw new Error("the transport has no host");
    return this.#host;
  }

  host(host: TransportHost): void {
    this.#host = host;
  }

  send(packets: readonly OutgoingPacket[], written?: () => void): void {
    this.sent.push(
      packets.map(({ type, data }) => (data === undefined ? { type } : { type, data })),
    );
    this.#written = written;
  }

  /** The kernel took everything. */
  finishWriting(): void {
    this.#written?.();
  }

  close(closed?: () => void): void {
    this.log.push("close");
    closed?.();
  }

  discard(): void {
    this.log.push("discard");
  }

  destroy(): void {
    this.log.push("destroy");
  }
}
