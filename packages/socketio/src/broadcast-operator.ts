import { AckCollector } from "./ack-collector.js";
import type {
  Adapter,
  AdapterPacket,
  BroadcastFlags,
  BroadcastOptions,
  Room,
  SocketId,
} from "./adapter/contract.js";
import { SOCKET_RESERVED_EVENTS } from "./events/reserved.js";
import { callHandler, type ListenerScope, watchAdapter } from "./events/dispatch.js";
import { ReservedEventError } from "./errors.js";
import { RemoteSocket, type SocketDetails } from "./remote-socket.js";
import type { Clock } from "./timers.js";
import { PacketType } from "@jackfield/parser";

/**
 * Milliseconds to wait for the acknowledgements of a broadcast without `timeout()`. The official
 * server waits one millisecond then, so such a call always fails there (FIX 114).
 */
const DEFAULT_ACK_TIMEOUT = 5000;

/** What a broadcast needs of its namespace. */
export interface BroadcastHost extends ListenerScope {
  readonly adapter: Adapter;
  readonly clock: Clock;
  /** Nobody waits any more for the acknowledgements of this packet. */
  forgetAck(id: number): void;
}

/** Sends packets to the sockets it selects. Immutable: every selecting method makes another one. */
export class BroadcastOperator {
  readonly rooms: Set<Room>;
  readonly exceptRooms: Set<Room>;
  readonly flags: BroadcastFlags;
  readonly #host: BroadcastHost;

  constructor(
    host: BroadcastHost,
    rooms: Set<Room> = new Set(),
    exceptRooms: Set<Room> = new Set(),
    flags: BroadcastFlags = {},
  ) {
    this.#host = host;
    this.rooms = rooms;
    this.exceptRooms = exceptRooms;
    this.flags = flags;
  }

  /** Adds rooms to those whose sockets are meant. */
  to(room: Room | Room[]): BroadcastOperator {
    return new BroadcastOperator(
      this.#host,
      withRooms(this.rooms, room),
      this.exceptRooms,
      this.flags,
    );
  }

  /** The same as {@link BroadcastOperator.to}. */
  in(room: Room | Room[]): BroadcastOperator {
    return this.to(room);
  }

  /** Leaves out the sockets in these rooms. */
  except(room: Room | Room[]): BroadcastOperator {
    return new BroadcastOperator(
      this.#host,
      this.rooms,
      withRooms(this.exceptRooms, room),
      this.flags,
    );
  }

  /** Whether transports may compress what is sent. */
  compress(compress: boolean): BroadcastOperator {
    return this.#withFlags({ ...this.flags, compress });
  }

  /** Drops what a socket cannot send at once (behaviour 111). */
  get volatile(): BroadcastOperator {
    return this.#withFlags({ ...this.flags, volatile: true });
  }

  /** Keeps to the sockets of this server (behaviour 112). */
  get local(): BroadcastOperator {
    return this.#withFlags({ ...this.flags, local: true });
  }

  /** How many milliseconds to wait for acknowledgements. Default 5000. */
  timeout(ms: number): BroadcastOperator {
    return this.#withFlags({ ...this.flags, timeout: ms });
  }

  /**
   * Emits to the selected sockets. A function as last argument gets `(error, responses)`.
   *
   * @throws {ReservedEventError} ERR_RESERVED_EVENT
   */
  emit(...data: [event: string | symbol, ...args: unknown[]]): boolean {
    const [event] = data;
    if (SOCKET_RESERVED_EVENTS.has(event)) throw new ReservedEventError(event);
    const packet: AdapterPacket = { type: PacketType.EVENT, data };
    const last = data.at(-1);
    if (typeof last !== "function") {
      watchAdapter(this.#host, this.#host.adapter.broadcast(packet, this.#options()));
      return true;
    }
    data.pop();
    this.#broadcastWithAck(packet, (error, response) => {
      callHandler(this.#host, last as () => unknown, [error, response], ["acknowledgement", event]);
    });
    return true;
  }

  /**
   * Emits to the selected sockets and resolves with their responses.
   *
   * Rejects with an `AckTimeoutError` that has the partial `responses`.
   */
  emitWithAck(...data: [event: string | symbol, ...args: unknown[]]): Promise<unknown> {
    const [event] = data;
    return new Promise((resolve, reject) => {
      if (SOCKET_RESERVED_EVENTS.has(event)) throw new ReservedEventError(event);
      this.#broadcastWithAck({ type: PacketType.EVENT, data }, (error, response) => {
        if (error === null) resolve(response);
        else reject(error);
      });
    });
  }

  /** @deprecated Use {@link BroadcastOperator.fetchSockets}. */
  allSockets(): Promise<Set<SocketId>> {
    return this.#host.adapter.sockets(this.rooms);
  }

  /** The selected sockets, those of other servers of the cluster included. */
  async fetchSockets(): Promise<unknown[]> {
    const sockets = await this.#host.adapter.fetchSockets(this.#options());
    return sockets.map((socket) => (isLocal(socket) ? socket : this.#wrap(socket)));
  }

  /** Makes the selected sockets join rooms. */
  socketsJoin(room: Room | Room[]): void {
    watchAdapter(this.#host, this.#host.adapter.addSockets(this.#options(), toArray(room)));
  }

  /** Makes the selected sockets leave rooms. */
  socketsLeave(room: Room | Room[]): void {
    watchAdapter(this.#host, this.#host.adapter.delSockets(this.#options(), toArray(room)));
  }

  /** Disconnects the selected sockets, with `close` their connections, too. */
  disconnectSockets(close = false): void {
    watchAdapter(this.#host, this.#host.adapter.disconnectSockets(this.#options(), close));
  }

  #broadcastWithAck(
    packet: AdapterPacket,
    onDone: (error: Error | null, response: unknown) => void,
  ): void {
    const { adapter, clock } = this.#host;
    const isSingle = this.flags.expectSingleResponse === true;
    const timeout = this.flags.timeout ?? DEFAULT_ACK_TIMEOUT;
    const collector = new AckCollector({
      clock,
      timeout,
      onDone: (error, responses) => {
        if (error !== null && packet.id !== undefined) this.#host.forgetAck(packet.id);
        if (isSingle) onDone(error, error === null ? responses[0] : null);
        else onDone(error, responses);
      },
    });
    try {
      const result: unknown = adapter.broadcastWithAck(
        packet,
        { ...this.#options(), flags: { ...this.flags, timeout } },
        (count) => collector.addClientCount(count),
        (response) => collector.addResponse(response),
      );
      watchAdapter(this.#host, result);
    } catch (error) {
      collector.cancel();
      throw error;
    }
    // Nobody else has been asked.
    if (this.flags.local === true) {
      collector.expectServers(1);
      return;
    }
    adapter.serverCount().then(
      (count) => collector.expectServers(count),
      (reason: unknown) => this.#host.handlerFailed(reason, "adapter"),
    );
  }

  #wrap(details: unknown): RemoteSocket {
    const { id } = details as SocketDetails;
    const operator = new BroadcastOperator(this.#host, new Set([id]), new Set(), {
      expectSingleResponse: true,
    });
    return new RemoteSocket(operator, details as SocketDetails);
  }

  #withFlags(flags: BroadcastFlags): BroadcastOperator {
    return new BroadcastOperator(this.#host, this.rooms, this.exceptRooms, flags);
  }

  #options(): BroadcastOptions {
    return { rooms: this.rooms, except: this.exceptRooms, flags: this.flags };
  }
}

/** A set of one room or several. */
export function roomSet(room: Room | Room[]): Set<Room> {
  return new Set(toArray(room));
}

function withRooms(rooms: ReadonlySet<Room>, room: Room | Room[]): Set<Room> {
  const union = new Set(rooms);
  for (const added of toArray(room)) union.add(added);
  return union;
}

function toArray(room: Room | Room[]): Room[] {
  return Array.isArray(room) ? room : [room];
}

/** Sockets of this server have a server; descriptions of others do not. */
function isLocal(socket: unknown): boolean {
  return typeof socket === "object" && socket !== null && "server" in socket && !!socket.server;
}
