import type { Timer } from "../timers.js";
import type { ClusterHost } from "./cluster-host.js";
import type { AdapterPacket } from "./contract.js";

/** How far the clients of this server are with answering a broadcast of another one. */
export interface RemoteAck {
  /** So many clients of this server were asked. */
  expect(clients: number): void;
  /** One of them has answered. */
  answered(): void;
}

/**
 * Makes the sockets of this server forget the acknowledgements that another server has stopped
 * waiting for: nobody else would, and they would be kept as long as the sockets live.
 */
export class RemoteAcks {
  readonly #host: ClusterHost;
  readonly #timers = new Set<Timer>();

  constructor(host: ClusterHost) {
    this.#host = host;
  }

  /** Begins with a packet that has no id yet; it gets one when it is sent. */
  open(packet: AdapterPacket, timeout: number): RemoteAck {
    const timer = this.#host.clock.setTimeout(() => {
      this.#timers.delete(timer);
      this.#host.forgetAck(packet.id);
    }, timeout);
    this.#timers.add(timer);
    let missing = 0;
    let isCounted = false;
    const update = (change: number): void => {
      missing += change;
      if (!isCounted || missing > 0) return;
      this.#timers.delete(timer);
      timer.cancel();
    };
    return {
      expect(clients) {
        isCounted = true;
        update(clients);
      },
      // A client in the same process may answer before all are asked.
      answered: () => update(-1),
    };
  }

  /** Forgets that there was anything to forget. */
  clear(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
