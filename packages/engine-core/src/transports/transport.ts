import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { PacketError } from "@jackfield/parser";
import createDebug from "debug";
import type { EnginePacket, OutgoingPacket } from "../codec.js";
import type { TransportError } from "../errors.js";
import { LazyEmitter } from "../lazy-emitter.js";
import type { SharedWrites } from "./shared-writes.js";

const debug = createDebug("engine:transport");

export type TransportName = "polling" | "websocket" | "webtransport";

/** The states of a transport. While `closing`, it waits for a way to tell the peer. */
export type TransportState = "open" | "closing" | "closed";

/** What a transport may tell. Implemented by `Session`, and by `UpgradeProbe` for a candidate. */
export interface TransportHost {
  onPacket(packet: EnginePacket): void;
  /** The transport turned writable. */
  onReady(): void;
  /** The peer closed. At most once, never after one of the errors. */
  onClose(): void;
  onError(error: TransportError): void;
  /** The peer sent something that is no packet. */
  onParseError(error: PacketError): void;
}

/** Hears a transport that the session has left: what it still tells concerns nobody (behaviour 52). */
export const NOBODY: TransportHost = {
  onPacket() {},
  onReady() {},
  onClose() {},
  onError() {},
  onParseError() {},
};

/** The events of a transport, for observers; the session is called directly. */
export interface TransportEvents {
  /** The headers of a response, before they are written. */
  headers: [headers: Record<string, string | string[]>, req: IncomingMessage];
  packet: [packet: EnginePacket];
  /** The packets given to `send` are on their way. */
  drain: [];
  /** The transport can take packets. */
  ready: [];
  close: [];
  /** The transport failed, and its host has been told. Without a listener, it is not emitted. */
  error: [error: TransportError];
}

/**
 * What a session needs of a transport: it moves packets over one kind of connection, and knows no
 * session.
 *
 * Who hears of packets is named by `host`: an upgrade names another host, nothing is re-wired.
 */
export interface Transport {
  readonly name: TransportName;
  /** The id of the session that it serves, or is a candidate for. */
  sid: string | undefined;
  /** Whether `send` may be called. `TransportHost.onReady` tells when it turns `true`. */
  readonly writable: boolean;
  /** Bytes taken by `send` that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  readonly supportsBinary: boolean;
  /** The one stream below, if the transport has one for all its life. */
  readonly stream?: Duplex | undefined;
  host(host: TransportHost): void;
  /**
   * Sends packets, in order. Precondition: `writable`.
   *
   * @param written called once the kernel has everything; never called when the transport fails
   */
  send(packets: readonly OutgoingPacket[], written?: () => void): void;
  /**
   * Hands over packets that others send, too, if they can be written without anybody being told.
   *
   * @returns how many bytes it holds back at most when they are written
   */
  handOver?(packets: readonly OutgoingPacket[], writes: SharedWrites): number | undefined;
  /** Serves an HTTP request of the session. Only for transports that are made of requests. */
  onRequest?(req: IncomingMessage, res: ServerResponse): void;
  /** Tells the peer, then closes, then calls `closed`, perhaps at once. */
  close(closed?: () => void): void;
  /** From here on the peer listens elsewhere, or is not worth waiting for: `close` waits no more. */
  discard(): void;
  /** Cuts the connection: what is on its way is dropped. */
  destroy?(): void;
}

/**
 * A transport as applications and tools see it: the `Transport` of the npm package `engine.io`.
 *
 * It has no fields of its own, because each of them would be there once per connection.
 */
export abstract class TransportBase extends LazyEmitter<TransportEvents> implements Transport {
  /** What a session on this transport may upgrade to. */
  static readonly upgradesTo: readonly TransportName[] = [];

  abstract readonly name: TransportName;
  abstract sid: string | undefined;
  abstract readonly writable: boolean;
  abstract readonly bufferedBytes: number;
  abstract readonly supportsBinary: boolean;
  declare readonly stream?: Duplex | undefined;
  /** The revision of the Engine.IO protocol that the peer speaks. */
  abstract readonly protocol: 3 | 4;
  abstract readonly readyState: TransportState;
  /** Whether the transport was given up: it waits for its peer no more. */
  abstract readonly discarded: boolean;
  abstract host(host: TransportHost): void;
  abstract send(packets: readonly OutgoingPacket[], written?: () => void): void;
  handOver?(packets: readonly OutgoingPacket[], writes: SharedWrites): number | undefined;
  onRequest?(req: IncomingMessage, res: ServerResponse): void;
  abstract close(closed?: () => void): void;
  abstract discard(): void;

  destroy(): void {
    debug("%s: cutting the connection (%s)", this.sid, this.name);
    this.stream?.destroy();
  }

  /**
   * Tells observers, if there are any. What one of them throws becomes a warning of the process: it
   * must neither reach the connection below nor keep the host from hearing the same.
   */
  override emit<Name extends keyof TransportEvents>(
    event: Name,
    ...args: TransportEvents[Name]
  ): boolean {
    // Without a listener, Node would throw the error that comes with `error`.
    if (this.listenerCount(event) === 0) return false;
    try {
      return super.emit(event, ...(args as never));
    } catch (thrown) {
      process.emitWarning(thrown instanceof Error ? thrown : String(thrown), {
        code: "JACKFIELD_HANDLER_ERROR",
      });
      return true;
    }
  }
}
