import type { Handshake } from "./api.js";
import type { Room, SocketId } from "./adapter/contract.js";

/** How a server of the cluster describes one of its sockets. */
export interface SocketDetails {
  readonly id: SocketId;
  readonly handshake: Handshake;
  readonly rooms: Iterable<Room>;
  readonly data: unknown;
}

/** What a remote socket needs of the broadcast operator that selects it. */
export interface RemoteOperator {
  emit(...data: [event: string | symbol, ...args: unknown[]]): boolean;
  timeout(ms: number): RemoteOperator;
  socketsJoin(room: Room | Room[]): void;
  socketsLeave(room: Room | Room[]): void;
  disconnectSockets(close?: boolean): void;
}

/** A socket of another server of the cluster: everything it does is a broadcast to its id room. */
export class RemoteSocket {
  readonly id: SocketId;
  readonly handshake: Handshake;
  readonly rooms: Set<Room>;
  readonly data: unknown;
  readonly #operator: RemoteOperator;

  constructor(operator: RemoteOperator, details: SocketDetails) {
    this.id = details.id;
    this.handshake = details.handshake;
    this.rooms = new Set(details.rooms);
    this.data = details.data;
    this.#operator = operator;
  }

  /** How many milliseconds to wait for the acknowledgement. */
  timeout(ms: number): RemoteOperator {
    return this.#operator.timeout(ms);
  }

  /** Emits to the socket. A function as last argument gets `(error, response)`. */
  emit(...data: [event: string | symbol, ...args: unknown[]]): boolean {
    return this.#operator.emit(...data);
  }

  join(room: Room | Room[]): void {
    this.#operator.socketsJoin(room);
  }

  leave(room: Room): void {
    this.#operator.socketsLeave(room);
  }

  /** Disconnects the socket, with `close` its connection, too. */
  disconnect(close = false): this {
    this.#operator.disconnectSockets(close);
    return this;
  }
}
