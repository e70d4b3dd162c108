import { randomBytes } from "node:crypto";
import { type ClusterHost, timeoutOf } from "./cluster-host.js";
import { type ClusterResponse, MessageType } from "./cluster-messages.js";
import { type PendingAcks, PendingRequest, type PendingRequestInit } from "./cluster-requests.js";
import type { AckFunction } from "./contract.js";

/** Milliseconds to wait for the answers of other servers, when nothing else is said. */
export const ANSWER_TIMEOUT = 5000;

/** Everything that one adapter has asked other servers, and that is not over. */
export class ClusterPending {
  /** What other servers were asked and have not all answered. */
  readonly requests: Map<string, PendingRequest> = new Map();
  /** The broadcasts whose acknowledgements are awaited. */
  readonly acks: Map<string, PendingAcks> = new Map();
  readonly #host: ClusterHost;

  constructor(host: ClusterHost) {
    this.#host = host;
  }

  /** Begins to wait for the answers of servers. */
  open({ onDone, ...init }: Omit<PendingRequestInit, "clock">): {
    readonly id: string;
    readonly request: PendingRequest;
  } {
    const id = randomId();
    const request = new PendingRequest({
      ...init,
      clock: this.#host.clock,
      onDone: (...result) => {
        this.requests.delete(id);
        onDone(...result);
      },
    });
    this.requests.set(id, request);
    return { id, request };
  }

  /** Begins to wait for the acknowledgements of clients; returns the id of the request. */
  openAcks(
    timeout: number | undefined,
    clientCountCallback: (count: number) => void,
    ack: AckFunction,
  ): string {
    const id = randomId();
    const timer = this.#host.clock.setTimeout(
      () => this.acks.delete(id),
      timeoutOf(timeout, ANSWER_TIMEOUT),
    );
    this.acks.set(id, { clientCountCallback, ack, counted: new Set(), timer });
    return id;
  }

  /** Takes a response that was checked. Nobody may be waiting for it any more. */
  take({ uid, type, data }: ClusterResponse): void {
    const { requestId } = data;
    if (type === MessageType.BROADCAST_CLIENT_COUNT) {
      const pending = this.acks.get(requestId);
      if (pending === undefined || pending.counted.has(uid)) return;
      pending.counted.add(uid);
      this.#host.call(pending.clientCountCallback, data.clientCount);
      return;
    }
    if (type === MessageType.BROADCAST_ACK) {
      const pending = this.acks.get(requestId);
      if (pending !== undefined) this.#host.call(pending.ack, data.packet);
      return;
    }
    const request = this.requests.get(requestId);
    if (type === MessageType.FETCH_SOCKETS_RESPONSE) {
      if (request?.type === MessageType.FETCH_SOCKETS) request.answer(uid, data.sockets);
    } else if (request?.type === MessageType.SERVER_SIDE_EMIT) request.answer(uid, [data.packet]);
  }

  /** Ends everything. */
  close(): void {
    for (const { timer } of this.acks.values()) timer.cancel();
    this.acks.clear();
    for (const request of this.requests.values()) request.abort("ERR_CLUSTER_CLOSED");
  }
}

/** An id that no other adapter or request has: 16 hexadecimal digits. */
export function randomId(): string {
  return randomBytes(8).toString("hex");
}
