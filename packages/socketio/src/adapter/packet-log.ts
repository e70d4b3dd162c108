import { randomBytes } from "node:crypto";
import type { RawData } from "../parser-port.js";
import type { Room, SocketId } from "./contract.js";

/** Whom a packet was sent to: one socket, or those that a broadcast selects. */
export interface Recipients {
  readonly socket?: SocketId | undefined;
  /** Everybody when empty. */
  readonly rooms: ReadonlySet<Room>;
  readonly except?: ReadonlySet<Room> | undefined;
}

/** One packet of the log. */
export interface LoggedPacket {
  readonly recipients: Recipients;
  /** The event with its arguments and its offset. */
  readonly data: unknown[];
  /** What was written: the same is written again, whatever has become of the arguments. */
  readonly messages: readonly RawData[];
  /** The size of the messages. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly emittedAt: number;
}

/** How much a log keeps. */
export interface PacketLogLimits {
  /** Milliseconds. */
  readonly maxAge: number;
  readonly maxPackets: number;
  readonly maxBytes: number;
}

/** Entries are shifted out of the array in portions, so that forgetting one costs nothing. */
const COMPACT_AT = 1024;

/**
 * The last packets of a namespace, in order. Their positions are numbered; to clients they are
 * opaque texts (behaviour 119) that begin with a mark of this log, because the log of another
 * server, or of this one before its restart, has other packets at the same positions.
 */
export class PacketLog {
  readonly #limits: PacketLogLimits;
  readonly #epoch = `${randomBytes(3).toString("base64url")}.`;
  readonly #packets: (LoggedPacket | undefined)[] = [];
  /** Index of the oldest packet. */
  #head = 0;
  /** The position of the newest packet. */
  #last = 0;
  #bytes = 0;
  /** The newest packet that had to go before its time, because of a limit. */
  #dropped: { readonly position: number; readonly emittedAt: number } | undefined;

  constructor(limits: PacketLogLimits) {
    this.#limits = limits;
  }

  /** How many packets are kept. */
  get size(): number {
    return this.#packets.length - this.#head;
  }

  /** The position of the newest packet; 0 when there was none. */
  get position(): number {
    return this.#last;
  }

  /** The offset of the packet that is appended next. */
  get nextOffset(): string {
    return this.#offsetOf(this.#last + 1);
  }

  /** The offset of the newest packet. */
  get offset(): string {
    return this.#offsetOf(this.#last);
  }

  append(packet: LoggedPacket): void {
    this.expire(packet.emittedAt);
    this.#last += 1;
    this.#packets.push(packet);
    this.#bytes += packet.bytes;
    const { maxPackets, maxBytes } = this.#limits;
    while (this.size > maxPackets || (this.#bytes > maxBytes && this.size > 0)) {
      const position = this.#last - this.size + 1;
      const { emittedAt } = this.#shift();
      this.#dropped = { position, emittedAt };
    }
  }

  /** Forgets the packets that nobody can ask for any more. */
  expire(now: number): void {
    const { maxAge } = this.#limits;
    for (let oldest = this.#oldest; oldest !== undefined; oldest = this.#oldest) {
      if (now - oldest.emittedAt <= maxAge) break;
      this.#shift();
    }
    const dropped = this.#dropped;
    if (dropped !== undefined && now - dropped.emittedAt > maxAge) this.#dropped = undefined;
  }

  clear(): void {
    this.#packets.length = 0;
    this.#head = 0;
    this.#bytes = 0;
  }

  /** The position that an offset of this log stands for. */
  parse(offset: string): number | undefined {
    if (!offset.startsWith(this.#epoch)) return undefined;
    const position = Number.parseInt(offset.slice(this.#epoch.length), 36);
    const isOurs = position >= 0 && position <= this.#last && this.#offsetOf(position) === offset;
    return isOurs ? position : undefined;
  }

  /**
   * Whether every packet after the position is here that its client can have missed. Packets that
   * were old enough to expire have reached their clients, or these have been gone for too long.
   */
  covers(position: number): boolean {
    return this.#dropped === undefined || this.#dropped.position <= position;
  }

  /** The packets after a position, oldest first. */
  after(position: number): LoggedPacket[] {
    const oldest = this.#last - this.size + 1;
    const start = this.#head + Math.max(0, position + 1 - oldest);
    // Only what has been shifted out is not there.
    return this.#packets.slice(start) as LoggedPacket[];
  }

  get #oldest(): LoggedPacket | undefined {
    return this.#packets[this.#head];
  }

  #offsetOf(position: number): string {
    return this.#epoch + position.toString(36);
  }

  /** Precondition: there is one. */
  #shift(): LoggedPacket {
    const packet = this.#packets[this.#head] as LoggedPacket;
    this.#packets[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= packet.bytes;
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#packets.length) {
      this.#packets.splice(0, this.#head);
      this.#head = 0;
    }
    return packet;
  }
}
