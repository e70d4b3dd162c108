// WebTransport sessions that are carried by TCP connections, one each, between the processes of the
// clients and the server: the engine and the official client see the interface of the W3C on both
// sides. QUIC itself is left out: its only binding for Node.js starts where the C library is new
// enough, else by a loader of another one, and what it holds outside the heap would stand in the
// account of the server. Real QUIC is what the tests in packages/e2e/test/webtransport are about.
import { connect, createServer } from "node:net";
import { ReadableStream, WritableStream } from "node:stream/web";

/** @import { Socket } from "node:net" */
/** @import { CuttableAgent } from "./cuttable-agent.mjs" */

/** How much may have come that nobody has read yet, in bytes. */
const UNREAD_BYTES = 65_536;

/**
 * Closes a session. As in QUIC, that drops what is on its way in both directions: a reset.
 *
 * @param {Socket} socket
 */
function close(socket) {
  // Node.js forgets to close a socket that is reset while it connects or writes.
  if (socket.connecting || socket.writableLength > 0) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * Settles when the connection is gone: rejected if it was cut, rather than closed by one of its ends.
 *
 * @param {Socket} socket
 * @returns {Promise<void>}
 */
function endOf(socket) {
  let isCut = false;
  socket.on("end", () => (isCut = true));
  // A reset is how a session is closed.
  socket.on("error", () => {});
  return new Promise((resolve, reject) => {
    socket.on("close", () => (isCut ? reject(new Error("the connection was lost")) : resolve()));
  });
}

/**
 * The one bidirectional stream of a session.
 *
 * @param {Socket} socket
 * @param {boolean} failsWrites whether writing fails when the connection is gone; otherwise it does nothing
 */
function streamOf(socket, failsWrites) {
  const readable = new ReadableStream(
    {
      start(controller) {
        socket.on("data", (chunk) => {
          controller.enqueue(new Uint8Array(chunk));
          if ((controller.desiredSize ?? 0) <= 0) socket.pause();
        });
        socket.on("close", () => controller.error(new Error("the session is over")));
      },
      pull() {
        socket.resume();
      },
    },
    { highWaterMark: UNREAD_BYTES, size: (chunk) => chunk.length },
  );
  const writable = new WritableStream({
    write: (chunk) =>
      new Promise((resolve, reject) => {
        socket.write(chunk, (error) => (error && failsWrites ? reject(error) : resolve()));
      }),
  });
  return { readable, writable };
}

/**
 * Accepts sessions.
 *
 * @param {(session: object, request: object) => void} onSession gets what `onWebTransportSession`
 *   of an engine takes
 * @returns {import("node:net").Server} it does not listen yet
 */
export function serveWebTransport(onSession) {
  return createServer({ noDelay: true }, (socket) => {
    const closed = endOf(socket);
    // The engine looks at it, but not always so soon.
    closed.catch(() => {});
    const incomingBidirectionalStreams = new ReadableStream({
      start: (controller) => controller.enqueue(streamOf(socket, true)),
    });
    const session = { closed, incomingBidirectionalStreams, close: () => close(socket) };
    const { remoteAddress } = socket;
    onSession(session, { url: "/socket.io/", headers: {}, socket: { remoteAddress } });
  });
}

/** The class that the official client makes sessions with. */
export class CarriedWebTransport {
  /** @type {Promise<void>} */
  ready;
  closed;
  #socket;

  /**
   * @param {string} _url
   * @param {{ port: number, agent: CuttableAgent }} options the `transportOptions` of the client:
   *   where the server is, and who may cut the connection
   */
  constructor(_url, { port, agent }) {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    agent.adopt(socket);
    this.closed = endOf(socket);
    this.ready = new Promise((resolve) => {
      socket.once("connect", () => resolve());
    });
  }

  async createBidirectionalStream() {
    // The official client lets nobody catch what a write fails with.
    return streamOf(this.#socket, false);
  }

  close() {
    close(this.#socket);
  }
}
