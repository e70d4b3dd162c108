import { IncomingMessage } from "node:http";
import { LazyEmitter } from "./lazy-emitter.js";
import { packRequest, unpackRequest } from "./packed-request.js";
import type { SessionEvents } from "./session-types.js";
import type { TransportBase } from "./transports/transport.js";

/** The part of a session that keeps the request by which it was opened. */
export abstract class SessionRequest extends LazyEmitter<SessionEvents> {
  /** As it came, packed once nobody has asked for it, or what the application put in its place. */
  #request: IncomingMessage | string | null | undefined;
  #isRequestSeen = false;

  constructor(request: IncomingMessage) {
    super();
    this.#request = request;
  }

  /** The transport in use; after an upgrade, another one. */
  abstract transport: TransportBase;

  /**
   * The request that opened the session. Applications that never need it may set it to `null`, to
   * save memory.
   */
  get request(): IncomingMessage {
    this.#isRequestSeen = true;
    if (typeof this.#request === "string") {
      this.#request = unpackRequest(this.#request, this.transport.stream);
    }
    // One cast: it is only absent for the application that has taken it away.
    return this.#request as IncomingMessage;
  }

  set request(request: IncomingMessage | null | undefined) {
    this.#isRequestSeen = true;
    this.#request = request;
  }

  /** Keeps the request in less memory, unless somebody has seen it and may rely on its identity. */
  packRequest(): void {
    if (this.#isRequestSeen || !(this.#request instanceof IncomingMessage)) return;
    if (this.transport.stream !== undefined) this.#request = packRequest(this.#request);
  }
}
