import { EventEmitter } from "node:events";
import { IncomingMessage } from "node:http";
import { Socket as NetSocket } from "node:net";

type Data = string | Buffer;

interface Sink {
  onMessage(data: Data): void;
  onClose(reason: string, description?: unknown): void;
}

interface Prepared {
  readonly data: Data;
  frame: Buffer | undefined;
}

type ReadyState = "opening" | "open" | "closing" | "closed";

/** How a server sees the sessions of an {@link InMemoryEngine}. */
export interface InMemoryEngineOptions {
  /**
   * `"sink"`: sessions have `bindSink`, `sendPrepared` and `writable`, as those of our engine.
   * `"events"`: they have none of them, as those of foreign engines. Default `"sink"`.
   */
  readonly mode?: "sink" | "events";
}

/** What the client of a session is like. */
export interface ConnectOptions {
  readonly id?: string;
  readonly protocol?: number;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One write of a session. */
export interface WrittenMessage {
  readonly data: Data;
  readonly options: unknown;
  /** The object that the session shares with others, when it was sent with `sendPrepared`. */
  readonly prepared: Prepared | undefined;
}

/**
 * An engine without a network: what a session writes is with its peer at once, and the other way
 * round. Fits the interface that the package `socketio` has for engines.
 */
export class InMemoryEngine extends EventEmitter {
  readonly #mode: "sink" | "events";
  readonly #peers = new Set<InMemoryPeer>();
  #connections = 0;
  isClosed = false;
  /** What `attach` was called with. */
  readonly attachments: { readonly server: unknown; readonly options: unknown }[] = [];

  constructor({ mode = "sink" }: InMemoryEngineOptions = {}) {
    super();
    this.#mode = mode;
  }

  get clientsCount(): number {
    return [...this.#peers].filter((peer) => peer.readyState === "open").length;
  }

  attach(server: unknown, options?: unknown): void {
    this.attachments.push({ server, options });
  }

  /** Opens a session and announces it. */
  connect(options: ConnectOptions = {}): InMemoryPeer {
    const id = options.id ?? `session-${++this.#connections}`;
    const session =
      this.#mode === "sink" ? new SinkSession(id, options) : new EventSession(id, options);
    const peer = new InMemoryPeer(session);
    this.#peers.add(peer);
    this.emit("connection", session);
    return peer;
  }

  close(): void {
    this.isClosed = true;
    for (const peer of this.#peers) peer.session.close(true);
  }
}

/** A session as foreign engines have it: everything it tells is an event. */
class EventSession extends EventEmitter {
  readonly id: string;
  readonly protocol: number;
  readonly request: IncomingMessage;
  readonly remoteAddress = "127.0.0.1";
  readonly transport = { name: "memory", writable: true };
  readonly writeBuffer: WrittenMessage[] = [];
  readyState: ReadyState = "open";
  /** Gets what is written. */
  deliver: (message: WrittenMessage) => void = () => {};

  constructor(id: string, { protocol = 4, url, headers }: ConnectOptions) {
    super();
    this.id = id;
    this.protocol = protocol;
    this.request = new IncomingMessage(new NetSocket());
    this.request.url = url ?? "/socket.io/?EIO=4&transport=memory";
    this.request.headers = { host: "localhost", ...headers };
  }

  write(data: Data, options?: unknown): this {
    this.transmit({ data, options, prepared: undefined });
    return this;
  }

  close(discard = false): void {
    if (this.readyState === "closing" && !discard) return;
    if (this.writeBuffer.length > 0 && !discard) this.readyState = "closing";
    else this.end("forced close");
  }

  /** The transport can take messages again. */
  drain(): void {
    this.transport.writable = true;
    for (const message of this.writeBuffer.splice(0)) this.deliver(message);
    if (this.readyState === "closing") this.end("forced close");
  }

  receive(data: Data): void {
    if (this.readyState === "open" || this.readyState === "closing") this.tellMessage(data);
  }

  end(reason: string, description?: unknown): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.tellClose(reason, description);
  }

  protected transmit(message: WrittenMessage): void {
    if (this.readyState !== "open") return;
    if (this.transport.writable) this.deliver(message);
    else this.writeBuffer.push(message);
  }

  protected tellMessage(data: Data): void {
    this.emit("data", data);
  }

  protected tellClose(reason: string, description: unknown): void {
    this.emit("close", reason, description);
  }
}

/** A session as our engine has it: it calls its sink directly. */
class SinkSession extends EventSession {
  #sink: Sink | undefined;

  get writable(): boolean {
    return this.transport.writable && this.writeBuffer.length === 0;
  }

  bindSink(sink: Sink): void {
    this.#sink = sink;
  }

  sendPrepared(message: Prepared): void {
    message.frame ??= Buffer.from(message.data as string);
    this.transmit({ data: message.data, options: undefined, prepared: message });
  }

  protected override tellMessage(data: Data): void {
    this.#sink?.onMessage(data);
    super.tellMessage(data);
  }

  protected override tellClose(reason: string, description: unknown): void {
    this.#sink?.onClose(reason, description);
    super.tellClose(reason, description);
  }
}

/** The client's end of a session. */
export class InMemoryPeer {
  /** Every message that has come, in order. */
  readonly received: Data[] = [];
  /** The same with everything the server said about it. */
  readonly written: WrittenMessage[] = [];
  /** The server's end. */
  readonly session: EventSession;
  readonly #waiting: ((data: Data) => void)[] = [];
  #taken = 0;

  constructor(session: EventSession) {
    this.session = session;
    session.deliver = (message) => this.#onMessage(message);
  }

  get readyState(): ReadyState {
    return this.session.readyState;
  }

  /** Sends messages to the server, one after another. */
  send(...messages: Data[]): this {
    for (const data of messages) this.session.receive(data);
    return this;
  }

  /** The next message that nobody has taken yet. */
  next(): Promise<Data> {
    const data = this.received[this.#taken];
    if (data !== undefined) {
      this.#taken += 1;
      return Promise.resolve(data);
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Takes all messages that have come and that nobody has taken yet. */
  take(): Data[] {
    const messages = this.received.slice(this.#taken);
    this.#taken = this.received.length;
    return messages;
  }

  /** Closes the session from the client's side. */
  close(reason = "transport close", description?: unknown): void {
    this.session.end(reason, description);
  }

  /** Lets the server's messages wait, as a slow client does. */
  pause(): void {
    this.session.transport.writable = false;
  }

  /** Takes what waits. */
  resume(): void {
    this.session.drain();
  }

  #onMessage(message: WrittenMessage): void {
    this.received.push(message.data);
    this.written.push(message);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    this.#taken += 1;
    waiting(message.data);
  }
}
