import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { PacketError } from "@jackfield/parser";
import type { EnginePacket, OutgoingPacket } from "../codec.js";
import type { TransportError } from "../errors.js";

export type TransportName = "polling" | "websocket" | "webtransport";

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
}

/**
 * Moves packets over one kind of connection; knows no session.
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
  /** Serves an HTTP request of the session. Only for transports that are made of requests. */
  onRequest?(req: IncomingMessage, res: ServerResponse): void;
  /** Tells the peer, then closes, then calls `closed`, perhaps at once. */
  close(closed?: () => void): void;
  /** From here on the peer listens elsewhere, or is not worth waiting for: `close` waits no more. */
  discard(): void;
}
