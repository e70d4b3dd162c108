import createDebug from "debug";
import { PacketType } from "@jackfield/parser";
import type {
  Adapter,
  AdapterPacket,
  AdapterSocket,
  BroadcastFlags,
  Room,
  Session,
} from "./adapter/contract.js";
import { type ListenerScope, watchAdapter } from "./events/dispatch.js";
import { isThenable } from "./handler-error.js";

const debug = createDebug("socket.io:namespace");

/** What the recovery needs of a socket. */
export interface RecoverableSocket extends AdapterSocket, ListenerScope {
  /** Known to the client alone, who comes back with it. */
  readonly pid: string | undefined;
  readonly client: AdapterSocket["client"] & { close(): void };
  packet(packet: { type: PacketType; data: unknown }): void;
}

/** How missed packets are written. */
const MISSED = { preEncoded: true } as const;

/** What the recovery needs of its namespace. */
export interface RecoveryHost {
  readonly adapter: Adapter;
}

/** What a socket that can be recovered is made of. */
export interface SocketRecovery {
  readonly pid: string;
  /** The state of an earlier connection. */
  readonly session: Session | undefined;
}

/**
 * The recovery of broken connections in one namespace (section 2.15): finds the session that a
 * client asks for with its CONNECT packet, and sees to it that nobody has it twice.
 */
export class Recovery {
  /** Whether a recovered socket does without the middlewares. */
  readonly skipMiddlewares: boolean;
  readonly #host: RecoveryHost;
  readonly #living = new Map<string, RecoverableSocket>();
  #claims = 0;

  constructor(host: RecoveryHost, skipMiddlewares: boolean) {
    this.#host = host;
    this.skipMiddlewares = skipMiddlewares;
  }

  /** Whether somebody may yet come back. */
  get isBusy(): boolean {
    return this.#claims > 0 || this.#host.adapter.hasSessions === true;
  }

  /**
   * The session that the client asks for; `undefined` when there is none, or the client asks for
   * none. At once, if the adapter knows at once. Never throws, never rejects.
   */
  claim(
    auth: Record<string, unknown> | undefined,
  ): Session | undefined | Promise<Session | undefined> {
    const { pid, offset = "" } = auth ?? {};
    if (typeof pid !== "string" || typeof offset !== "string") return undefined;
    // The client knows better than the heartbeat that its old connection is dead (FIX 122).
    this.#living.get(pid)?.client.close();
    try {
      const session = this.#host.adapter.restoreSession(pid, offset);
      return isThenable(session) ? this.#await(session) : (session ?? undefined);
    } catch (error) {
      debug("no session is restored: %o", error);
      return undefined;
    }
  }

  /** The client was gone before its socket was there: it may come back again. */
  giveBack({ sid, pid, rooms, data }: Session): void {
    const { adapter } = this.#host;
    adapter.persistSession({ sid, pid, rooms, data });
    adapter.delAll(sid);
  }

  /** Joins the rooms of the earlier connection, and sends what was missed (behaviour 120). */
  restore(socket: RecoverableSocket, session: Session | undefined): void {
    if (session === undefined) return;
    try {
      watchAdapter(socket, this.#host.adapter.addAll(socket.id, new Set(session.rooms)));
      const { missedMessages } = session;
      if (missedMessages === undefined) {
        for (const data of session.missedPackets) socket.packet({ type: PacketType.EVENT, data });
      } else {
        for (const messages of missedMessages) socket.client.writeToEngine(messages, MISSED);
      }
    } catch (error) {
      socket.handlerFailed(error, "adapter");
    }
  }

  /** The connection of the socket broke. */
  persist(socket: RecoverableSocket): void {
    const { id: sid, pid, rooms, data } = socket;
    if (pid === undefined) return;
    try {
      const session = { sid, pid, rooms: [...rooms], data };
      watchAdapter(socket, this.#host.adapter.persistSession(session));
    } catch (error) {
      socket.handlerFailed(error, "adapter");
    }
  }

  /** Sends through the adapter, which keeps the packet for the case that the connection breaks. */
  send(socket: RecoverableSocket, packet: AdapterPacket, flags: BroadcastFlags | undefined): void {
    const { adapter } = this.#host;
    if (adapter.sendTo !== undefined) {
      adapter.sendTo(socket, packet, flags);
      return;
    }
    const options = { rooms: new Set([socket.id]), except: new Set<Room>(), flags: flags ?? {} };
    watchAdapter(socket, adapter.broadcast(packet, options));
  }

  /** The socket is connected. */
  add(socket: RecoverableSocket): void {
    if (socket.pid !== undefined) this.#living.set(socket.pid, socket);
  }

  /** The socket is disconnected. */
  remove(socket: RecoverableSocket): void {
    const { pid } = socket;
    if (pid !== undefined && this.#living.get(pid) === socket) this.#living.delete(pid);
  }

  async #await(session: PromiseLike<Session | null>): Promise<Session | undefined> {
    this.#claims += 1;
    try {
      return (await session) ?? undefined;
    } catch (error) {
      // Published adapters reject when they do not know the session (behaviour 125).
      debug("no session is restored: %o", error);
      return undefined;
    } finally {
      this.#claims -= 1;
    }
  }
}
