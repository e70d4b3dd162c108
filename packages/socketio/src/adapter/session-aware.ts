import type {
  AdapterNamespace,
  AdapterPacket,
  AdapterSocket,
  BroadcastFlags,
  BroadcastOptions,
  Room,
  Session,
  SessionToPersist,
  SocketId,
} from "./contract.js";
import { Adapter, deliver, type EncodedPacket } from "./in-memory.js";
import { type LoggedPacket, PacketLog, type Recipients } from "./packet-log.js";
import { systemClock } from "../clock.js";
import type { RawData } from "../parser-port.js";
import type { Clock, Timer } from "../timers.js";

/** What is kept of a socket whose connection broke, and until when. */
interface KeptSession extends SessionToPersist {
  readonly disconnectedAt: number;
  /** The position of the log when the socket first joined: for clients that know no offset yet. */
  readonly start: number;
}

/** How the adapter keeps sessions and packets. */
interface Limits {
  readonly maxDisconnectionDuration: number;
  readonly maxSessions: number;
  readonly maxPackets: number;
  readonly maxBytes: number;
}

/** What is kept at most when nobody says otherwise. */
export const DEFAULT_LIMITS: Limits = {
  maxDisconnectionDuration: 120_000,
  maxSessions: 100_000,
  maxPackets: 100_000,
  maxBytes: 64 * 1024 * 1024,
};

/**
 * The time in which the heartbeat finds out that a client is gone, when nobody says otherwise. What
 * was sent to the client in that time may never have reached it.
 */
const DEFAULT_DETECTION = 45_000;

/** A client that has missed more bytes than these had better ask for the state as a whole. */
const MAX_REPLAY_BYTES = 8 * 1024 * 1024;

const MIN_SWEEP_INTERVAL = 1000;
/** The number of the type on the wire. */
const EVENT = 2;
const NO_ROOMS: ReadonlySet<Room> = new Set();

/**
 * The adapter of a single server that can restore the state of a broken connection (section 2.15):
 * it keeps the sessions of the sockets that are gone and the last packets of the namespace, both
 * bounded by time and number, the packets by their bytes, too.
 *
 * A session is restored at most once. What a client has missed is found by the offset of the last
 * packet that it received; a client that has received none gets what was sent since it first
 * connected (FIX 122).
 */
export class SessionAwareAdapter extends Adapter {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #log: PacketLog;
  /** By private id, in the order of their disconnection, which is the order of their expiry. */
  readonly #sessions = new Map<string, KeptSession>();
  readonly #starts = new Map<SocketId, number>();
  #sweep: Timer | undefined;

  constructor(nsp: AdapterNamespace) {
    super(nsp);
    const { connectionStateRecovery, pingInterval, pingTimeout } = nsp.server.opts;
    // One cast: our own server fills in every value, that of others gives a duration at most.
    this.#limits = { ...DEFAULT_LIMITS, ...(connectionStateRecovery as Partial<Limits>) };
    this.#clock = nsp.clock ?? systemClock;
    const detection =
      pingInterval === undefined || pingTimeout === undefined
        ? DEFAULT_DETECTION
        : pingInterval + pingTimeout;
    const { maxDisconnectionDuration, maxPackets, maxBytes } = this.#limits;
    this.#log = new PacketLog({
      maxAge: maxDisconnectionDuration + detection,
      maxPackets,
      maxBytes,
    });
  }

  /** Whether there are sessions that can be restored. */
  get hasSessions(): boolean {
    return this.#sessions.size > 0;
  }

  override close(): Promise<void> | void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    this.#sessions.clear();
    this.#starts.clear();
    this.#log.clear();
    return super.close();
  }

  override addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    this.#begin(id);
    return super.addAll(id, rooms);
  }

  override delAll(id: SocketId): void {
    this.#starts.delete(id);
    super.delAll(id);
  }

  override broadcast(packet: AdapterPacket, options: BroadcastOptions): void {
    this.writeBroadcast(packet, this.#record(packet, options, options.flags), options);
  }

  /** Sends to one socket, whatever rooms it is in (FIX 124), even if its connection just broke. */
  sendTo(socket: AdapterSocket, packet: AdapterPacket, flags: BroadcastFlags | undefined): void {
    const recipients = { socket: socket.id, rooms: NO_ROOMS };
    const encoded = this.#record(packet, recipients, flags);
    if (socket.connected) deliver(socket, packet, encoded);
  }

  override persistSession({ sid, pid, rooms, data }: SessionToPersist): void {
    const now = this.#now();
    this.#expireSessions(now);
    const start = this.#starts.get(sid) ?? this.#log.position;
    this.#sessions.set(pid, { sid, pid, rooms, data, disconnectedAt: now, start });
    if (this.#sessions.size > this.#limits.maxSessions) {
      for (const oldest of this.#sessions.keys()) {
        this.#sessions.delete(oldest);
        break;
      }
    }
    this.#scheduleSweep();
  }

  /**
   * Hands a session out, and forgets it.
   *
   * @param offset that of the last packet the client received; `""` if it received none
   */
  override restoreSession(pid: string, offset: string): RestoredSession | null {
    const session = this.#sessions.get(pid);
    if (session === undefined) return null;
    this.#sessions.delete(pid);
    const isExpired = this.#now() - session.disconnectedAt > this.#limits.maxDisconnectionDuration;
    const position = offset === "" ? session.start : this.#log.parse(offset);
    if (isExpired || position === undefined || !this.#log.covers(position)) return null;
    const missed = this.#missedBy(session, position);
    if (sizeOf(missed) > MAX_REPLAY_BYTES) return null;
    this.#starts.set(session.sid, session.start);
    const { position: claimedAt } = this.#log;
    // The socket may have to wait for its middlewares before it gets anything.
    const missedNow = (): LoggedPacket[] => [...missed, ...this.#missedBy(session, claimedAt)];
    return new RestoredSession(session, missedNow);
  }

  /** Packets sent from here on are for the socket to miss. */
  #begin(id: SocketId): void {
    if (!this.#starts.has(id)) this.#starts.set(id, this.#log.position);
  }

  /** Encodes a packet, with the offset that its clients come back with, and keeps it. */
  #record(
    packet: AdapterPacket,
    recipients: Recipients,
    flags: BroadcastFlags | undefined,
  ): EncodedPacket {
    if (flags?.volatile === true) {
      // Clients take a text at the end of any event for an offset (FIX 119b).
      if (typeof packet.data.at(-1) === "string") packet.data.push(this.#log.offset);
      return this.encodeBroadcast(packet, flags);
    }
    // An acknowledgement function is what clients find at the end, and nobody could restore it.
    if (packet.id !== undefined || packet.type !== EVENT)
      return this.encodeBroadcast(packet, flags);
    packet.data.push(this.#log.nextOffset);
    const encoded = this.encodeBroadcast(packet, flags);
    const { messages, bytes } = encoded;
    this.#log.append({ recipients, data: packet.data, messages, bytes, emittedAt: this.#now() });
    this.#scheduleSweep();
    return encoded;
  }

  #missedBy(session: SessionToPersist, position: number): LoggedPacket[] {
    const packets = this.#log.after(position);
    return packets.filter(({ recipients }) => isFor(recipients, session));
  }

  #now(): number {
    return this.#clock.date().getTime();
  }

  /** One timer while there is something to forget. */
  #scheduleSweep(): void {
    if (this.#sweep !== undefined) return;
    const ms = Math.max(this.#limits.maxDisconnectionDuration, MIN_SWEEP_INTERVAL);
    this.#sweep = this.#clock.setTimeout(() => {
      this.#sweep = undefined;
      const now = this.#now();
      this.#expireSessions(now);
      this.#log.expire(now);
      if (this.hasSessions || this.#log.size > 0) this.#scheduleSweep();
    }, ms);
  }

  #expireSessions(now: number): void {
    const { size } = this.#sessions;
    if (size === 0) return;
    for (const [pid, { disconnectedAt }] of this.#sessions) {
      if (now - disconnectedAt <= this.#limits.maxDisconnectionDuration) break;
      this.#sessions.delete(pid);
    }
    if (size > 0 && !this.hasSessions) this.nsp.onSessionsGone?.();
  }
}

/** A session that was handed out, with what was sent to it until somebody looks. */
class RestoredSession implements Session {
  readonly sid: SocketId;
  readonly pid: string;
  readonly rooms: Room[];
  readonly data: unknown;
  readonly #missed: () => readonly LoggedPacket[];

  constructor(session: SessionToPersist, missed: () => readonly LoggedPacket[]) {
    this.sid = session.sid;
    this.pid = session.pid;
    this.rooms = session.rooms;
    this.data = session.data;
    this.#missed = missed;
  }

  get missedPackets(): unknown[][] {
    return this.#missed().map(({ data }) => data);
  }

  get missedMessages(): (readonly RawData[])[] {
    return this.#missed().map(({ messages }) => messages);
  }
}

function isFor({ socket, rooms, except }: Recipients, session: SessionToPersist): boolean {
  if (socket !== undefined) return socket === session.sid;
  const isMeant = rooms.size === 0 || session.rooms.some((room) => rooms.has(room));
  if (!isMeant || except === undefined || except.size === 0) return isMeant;
  return !session.rooms.some((room) => except.has(room));
}

function sizeOf(packets: readonly LoggedPacket[]): number {
  return packets.reduce((total, { bytes }) => total + bytes, 0);
}
