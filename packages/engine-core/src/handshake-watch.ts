import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { WebTransportSession, WebTransportTransport } from "./transports/webtransport.js";

/** Ends the watch. */
export type Unwatch = () => void;

/**
 * Notices when nobody is there any more to whom a handshake that waits could be answered. `gone` is
 * called then, at least once, and at once if the peer has left already.
 */
export class HandshakeWatch {
  /** Those to tell when a connection closes on which answers wait behind others. */
  readonly #queues = new WeakMap<Duplex, Set<() => void>>();

  /** Watches for the end of the answer, too: a middleware may give it by itself. */
  response(req: IncomingMessage, res: ServerResponse, gone: () => void): Unwatch {
    if (res.destroyed) gone();
    res.once("close", gone);
    // Node does not tell the answers to pipelined requests, which have no connection before it is
    // their turn, that it has closed.
    const leaveQueue = res.socket === null ? this.#queue(req.socket, gone) : unwatchNothing;
    return () => {
      res.removeListener("close", gone);
      leaveQueue();
    };
  }

  /**
   * Watches a connection that asked for an upgrade. A client that ends its half of it is gone: it
   * could not even close the WebSocket. One that sends something before it has an answer (against
   * RFC 6455, section 4.1) is cut off: behind that, its end could not be seen.
   */
  upgrade(socket: Duplex, gone: () => void): Unwatch {
    const unwatch = this.connection(socket, gone);
    socket.on("end", destroyThis).on("readable", destroyTalkative);
    return () => {
      unwatch();
      socket.removeListener("end", destroyThis);
      socket.removeListener("readable", destroyTalkative);
    };
  }

  /** Leaves the stream to somebody else. */
  connection(socket: Duplex, gone: () => void): Unwatch {
    if (socket.destroyed) gone();
    socket.on("close", gone);
    return () => socket.removeListener("close", gone);
  }

  webTransport(
    session: WebTransportSession,
    transport: WebTransportTransport,
    gone: () => void,
  ): Unwatch {
    session.closed.then(gone, gone);
    // Not every implementation tells of an end that the server has asked for.
    transport.on("close", gone);
    return () => transport.off("close", gone);
  }

  /** One listener per connection: how many requests are pipelined is up to the client. */
  #queue(connection: Duplex, gone: () => void): Unwatch {
    if (connection.destroyed) gone();
    let queue = this.#queues.get(connection);
    if (queue === undefined) {
      const waiting = new Set<() => void>();
      queue = waiting;
      this.#queues.set(connection, waiting);
      connection.once("close", () => {
        for (const tell of waiting) tell();
      });
    }
    queue.add(gone);
    return () => queue.delete(gone);
  }
}

function unwatchNothing(): void {}

function destroyThis(this: Duplex): void {
  this.destroy();
}

function destroyTalkative(this: Duplex): void {
  if (this.read() !== null) this.destroy();
}
