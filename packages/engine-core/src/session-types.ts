import type { IncomingMessage } from "node:http";
import type { Clock } from "./clock.js";
import type { EnginePacket, OutgoingPacket, PacketCodec, RawData } from "./codec.js";
import type { FlushQueue } from "./flush-queue.js";
import type { ResolvedOptions } from "./options.js";
import type { CloseReason } from "./session-state.js";
import type { Scheduler } from "./timer-wheel.js";
import type { Transport, TransportBase } from "./transports/transport.js";

/** Called with the transport, once it has handed the packet to the kernel. */
export type SendCallback = (transport: TransportBase) => void;

/** Receives what a session has to tell, called directly, in place of the `data` and `close` events. */
export interface SessionSink {
  onMessage(data: RawData): void;
  onClose(reason: CloseReason, description?: Error): void;
}

/** What a session tells of the server that it belongs to. */
export interface ServerOf<Session> {
  readonly opts: ResolvedOptions;
  readonly clients: Readonly<Record<string, Session>>;
  readonly clientsCount: number;
}

/** What the sessions of one server count. */
export interface SessionCounters {
  /** Sessions that were closed because too much waited for them. */
  slowConsumers: number;
  /** Messages that the function `slowConsumer` dropped. */
  droppedMessages: number;
}

/** What the sessions of one server share. */
export interface ContextOf<Session> {
  /** Absent for sessions that are made by themselves. */
  readonly server?: ServerOf<Session> | undefined;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly flushQueue: FlushQueue;
  readonly options: ResolvedOptions;
  readonly counters: SessionCounters;
  /** The transports that a session on `transport` may upgrade to. */
  upgrades(transport: string): string[];
  onFlush(session: Session, packets: readonly OutgoingPacket[]): void;
  onDrain(session: Session): void;
  onClose(session: Session): void;
  /** A listener or sink threw. */
  onHandlerError(error: unknown, session: Session): void;
}

/** The parts of one session. */
export interface SessionInit {
  readonly id: string;
  readonly codec: PacketCodec;
  readonly transport: Transport;
  /** The request that opened the session. */
  readonly request: IncomingMessage;
  /** Where it came from. Default: the other end of its connection. */
  readonly remoteAddress?: string | undefined;
}

/** The events of a session. */
export interface SessionEvents {
  open: [];
  /** A packet arrived, of any type. */
  packet: [packet: EnginePacket];
  /** A packet is about to wait in the write buffer. */
  packetCreate: [packet: OutgoingPacket];
  data: [data: RawData];
  message: [data: RawData];
  /** A pong arrived. */
  heartbeat: [];
  /** A candidate was probed. */
  upgrading: [transport: TransportBase];
  /** The session runs on another transport now. */
  upgrade: [transport: TransportBase];
  /** The write buffer is about to be given to the transport. */
  flush: [packets: readonly OutgoingPacket[]];
  /** The write buffer was given to the transport. */
  drain: [];
  close: [reason: CloseReason, description?: Error];
}
