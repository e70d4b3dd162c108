import createDebug from "debug";
import { PacketType } from "@jackfield/parser";
import { BrokerWatch } from "./broker-watch.js";
import { ClusterDeliveries } from "./cluster-deliveries.js";
import { ClusterHost, timeoutOf } from "./cluster-host.js";
import {
  type ClusterMessage,
  type ClusterMessageBody,
  type ClusterResponse,
  type ClusterResponseBody,
  decodeOptions,
  encodeOptions,
  MessageType,
  type Offset,
  type ServerId,
} from "./cluster-messages.js";
import { ANSWER_TIMEOUT, ClusterPending, randomId } from "./cluster-pending.js";
import { readEnvelope, readMessage } from "./cluster-reader.js";
import type { ExpectedServers, PendingAcks, PendingRequest } from "./cluster-requests.js";
import { RemoteAcks } from "./cluster-remote-acks.js";
import type {
  AckFunction,
  AdapterNamespace,
  AdapterPacket,
  AdapterSocket,
  BroadcastFlags,
  BroadcastOptions,
  Room,
} from "./contract.js";
import { Adapter, deliver } from "./in-memory.js";

const debug = createDebug("socket.io-adapter");

/** What methods return that have nothing to wait for. */
const DONE: Promise<void> = Promise.resolve();

type BroadcastBody = Extract<ClusterMessageBody, { type: typeof MessageType.BROADCAST }>;

/** What is asked of the other servers. */
interface Request {
  readonly type: typeof MessageType.FETCH_SOCKETS | typeof MessageType.SERVER_SIDE_EMIT;
  readonly timeout: number;
  /** Where the answers are added. */
  readonly responses: unknown[];
  readonly onDone: (error: Error | null, responses: unknown[]) => void;
  /** Makes what is sent to the other servers, once it is known that there are any. */
  readonly toMessage: (requestId: string) => ClusterMessageBody;
}

/**
 * An adapter that shares its namespace with those of other servers, over whatever carries messages.
 *
 * A subclass implements {@link ClusterAdapter.doPublish} and
 * {@link ClusterAdapter.doPublishResponse}, calls {@link ClusterAdapter.onMessage} and
 * {@link ClusterAdapter.onResponse} with what comes in, and says with `serverCount` how many servers
 * there are. Messages and members are those of the class of this name of the package
 * `socket.io-adapter`: a cluster may have servers of both kinds, and a subclass may extend either.
 *
 * The sockets of this server do not wait for the broker (FIX 126). What it rejects is reported as
 * `handler_error`, with the source `adapter`.
 */
export abstract class ClusterAdapter extends Adapter {
  /** The id of this adapter in the cluster. */
  protected readonly uid: ServerId = randomId();
  /** What other servers were asked and have not all answered. */
  protected readonly requests: Map<string, PendingRequest>;
  /** The broadcasts whose acknowledgements are awaited. */
  protected readonly ackRequests: Map<string, PendingAcks>;
  readonly #host: ClusterHost;
  readonly #pending: ClusterPending;
  readonly #deliveries: ClusterDeliveries;
  readonly #remoteAcks: RemoteAcks;
  #watch: BrokerWatch;
  /** Where the clients of this server are in the log of the broker. */
  #lastOffset: Offset | undefined;
  #isClosed = false;

  constructor(nsp: AdapterNamespace) {
    super(nsp);
    this.#host = new ClusterHost(nsp);
    this.#pending = new ClusterPending(this.#host);
    this.requests = this.#pending.requests;
    this.ackRequests = this.#pending.acks;
    this.#deliveries = new ClusterDeliveries(this.#host);
    this.#remoteAcks = new RemoteAcks(this.#host);
    this.#watch = new BrokerWatch(this.#host, this.#host.clock);
  }

  /** Hands a message to all other servers. Resolves with its offset, `""` if there is none. */
  protected abstract doPublish(message: ClusterMessage): Promise<Offset>;

  /** Hands a response to the server that has asked, or to all of them. */
  protected abstract doPublishResponse(
    requesterUid: ServerId,
    response: ClusterResponse,
  ): Promise<void>;

  override init(): void {
    if (this.#isClosed) this.#watch = new BrokerWatch(this.#host, this.#host.clock);
    this.#isClosed = false;
  }

  /** Ends what is pending, with what there is. Messages that come later are ignored. */
  override close(): void {
    this.#isClosed = true;
    this.#watch.close();
    this.#deliveries.flush();
    this.#remoteAcks.clear();
    this.#pending.close();
  }

  /**
   * Takes a message of another server, or a response. What is malformed, not about this namespace,
   * or its own, is ignored. Never throws.
   *
   * @param offset where the message is in the log of the broker
   */
  protected onMessage(message: ClusterMessage, offset?: Offset): void {
    const envelope = this.#isClosed ? undefined : this.readEnvelope(message);
    const valid = envelope === undefined ? undefined : readMessage(message);
    if (valid === undefined) {
      debug("[%s] ignoring a message", this.uid);
      return;
    }
    try {
      this.#take(valid, offset);
    } catch (error) {
      this.#host.handlerFailed(error, "adapter");
    }
  }

  /** Takes a response to a request of this server. Never throws. */
  protected onResponse(response: ClusterResponse): void {
    const envelope = this.readEnvelope(response);
    const valid = envelope === undefined ? undefined : readMessage(response);
    if (valid !== undefined && isResponse(valid)) this.#pending.take(valid);
    else debug("[%s] ignoring a response", this.uid);
  }

  /**
   * Sends a packet to sockets of all servers. Those of this one get it at once, unless it needs an
   * offset, with which its clients can be restored later: then when the broker has given one.
   */
  override broadcast(packet: AdapterPacket, options: BroadcastOptions): Promise<void> {
    if (this.#isRecoverable(packet)) {
      return this.#recoverably(packet, options, (own) => super.broadcast(own, options));
    }
    const message = broadcastMessage(packet, options);
    this.#deliveries.run(() => super.broadcast(packet, options));
    if (!isLocal(options)) this.publish(message);
    return DONE;
  }

  /**
   * Sends a packet to one socket of this server, whatever rooms it is in (FIX 124), and has it kept
   * for the recovery of its session, if the adapter restores sessions.
   */
  sendTo(socket: AdapterSocket, packet: AdapterPacket, flags: BroadcastFlags | undefined): void {
    const send = (own: AdapterPacket): void => {
      // Not `this`: published adapters have a method of this name, for messages.
      const encoded = super.encodeBroadcast(own, flags);
      if (socket.connected) deliver(socket, own, encoded);
    };
    if (!this.#isRecoverable(packet)) {
      this.#deliveries.run(() => send(packet));
      return;
    }
    const restores = this.restoreSession !== Adapter.prototype.restoreSession;
    const allFlags = restores ? { ...flags } : { ...flags, local: true };
    void this.#recoverably(packet, { rooms: new Set([socket.id]), flags: allFlags }, send);
  }

  /** Sends a packet, and tells every response, those of clients of other servers included. */
  override broadcastWithAck(
    packet: AdapterPacket,
    options: BroadcastOptions,
    clientCountCallback: (count: number) => void,
    ack: AckFunction,
  ): void {
    const message = broadcastMessage(packet, options);
    this.#deliveries.run(() => super.broadcastWithAck(packet, options, clientCountCallback, ack));
    if (isLocal(options)) return;
    const requestId = this.#pending.openAcks(options.flags?.timeout, clientCountCallback, ack);
    this.publish({ ...message, data: { ...message.data, requestId } });
  }

  /** Makes the selected sockets of all servers join rooms. */
  override addSockets(options: BroadcastOptions, rooms: Room[]): Promise<void> {
    const data = { opts: encodeOptions(options), rooms };
    return this.#everywhere(options, { type: MessageType.SOCKETS_JOIN, data }, () =>
      super.addSockets(options, rooms),
    );
  }

  /** Makes the selected sockets of all servers leave rooms. */
  override delSockets(options: BroadcastOptions, rooms: Room[]): Promise<void> {
    const data = { opts: encodeOptions(options), rooms };
    return this.#everywhere(options, { type: MessageType.SOCKETS_LEAVE, data }, () =>
      super.delSockets(options, rooms),
    );
  }

  /** Disconnects the selected sockets of all servers. */
  override disconnectSockets(options: BroadcastOptions, close: boolean): Promise<void> {
    const data = { opts: encodeOptions(options), close };
    return this.#everywhere(options, { type: MessageType.DISCONNECT_SOCKETS, data }, () =>
      super.disconnectSockets(options, close),
    );
  }

  /**
   * The selected sockets, and descriptions of those of other servers.
   *
   * Rejects with a {@link ClusterError} that has the partial `responses`, after 5000 ms or
   * `flags.timeout` ms (behaviour 128).
   */
  override async fetchSockets(options: BroadcastOptions): Promise<unknown[]> {
    const responses = await super.fetchSockets(options);
    if (isLocal(options)) return responses;
    const opts = encodeOptions(options);
    return new Promise((resolve, reject) => {
      this.#request({
        type: MessageType.FETCH_SOCKETS,
        timeout: timeoutOf(options.flags?.timeout, ANSWER_TIMEOUT),
        responses,
        toMessage: (requestId) => ({
          type: MessageType.FETCH_SOCKETS,
          data: { opts, requestId },
        }),
        onDone(error) {
          if (error === null) resolve(responses);
          else reject(error);
        },
      });
    });
  }

  /**
   * Emits to the other servers, never to this one. A function as last argument gets
   * `(error, responses)`, after 5000 ms at the latest (behaviour 127).
   */
  override serverSideEmit(args: unknown[]): Promise<void> {
    const acknowledge = args.at(-1);
    if (typeof acknowledge !== "function") {
      this.publish({ type: MessageType.SERVER_SIDE_EMIT, data: { packet: args } });
      return DONE;
    }
    const packet = args.slice(0, -1);
    this.#request({
      type: MessageType.SERVER_SIDE_EMIT,
      timeout: ANSWER_TIMEOUT,
      responses: [],
      toMessage: (requestId) => ({
        type: MessageType.SERVER_SIDE_EMIT,
        data: { requestId, packet },
      }),
      onDone: (...result) => this.#host.call(acknowledge as AckFunction, ...result),
    });
    return DONE;
  }

  /** The other servers whose answers complete a request. By default as many as are counted. */
  protected async expectedServers(): Promise<ExpectedServers> {
    return (await this.serverCount()) - 1;
  }

  /** The sender and type of a message that is in order, and is from another server. */
  protected readEnvelope(message: unknown): ReturnType<typeof readEnvelope> {
    return readEnvelope(message, { uid: this.uid, nsp: this.nsp.name });
  }

  /** Sends a message to all other servers; a failure is reported. Returns at once. */
  protected publish(message: ClusterMessageBody): void {
    this.#watchPublishing(this.publishAndReturnOffset(message));
  }

  /** Sends a message to all other servers. Rejects when that fails. */
  protected async publishAndReturnOffset(message: ClusterMessageBody): Promise<Offset> {
    return this.doPublish({ ...message, uid: this.uid, nsp: this.nsp.name });
  }

  /** Sends a response to the server that has asked; a failure is reported. */
  protected publishResponse(requesterUid: ServerId, response: ClusterResponseBody): void {
    const publish = async (): Promise<void> =>
      this.doPublishResponse(requesterUid, { ...response, uid: this.uid, nsp: this.nsp.name });
    this.#watchPublishing(publish());
  }

  /**
   * Appends the offset to an event, from which on its client can be restored. Events with
   * acknowledgements and volatile ones are not kept, and have none of their own.
   */
  protected addOffsetIfNecessary(
    packet: AdapterPacket,
    options: BroadcastOptions,
    offset: Offset | undefined,
  ): void {
    if (!this.#isRecoverable(packet)) return;
    // A broker without a log has nothing to offer, and an argument more would be seen.
    if (offset && isKept(options)) this.#lastOffset = offset;
    // Clients take a text at the end of any event for an offset (FIX 119b).
    else if (typeof packet.data.at(-1) !== "string") return;
    if (this.#lastOffset !== undefined) packet.data.push(this.#lastOffset);
  }

  #watchPublishing(published: Promise<unknown>): void {
    if (!this.#isClosed) this.#watch.watch(published);
    // The connection to the broker may go before the adapter does.
    else published.catch((error: unknown) => debug("[%s] cannot publish: %o", this.uid, error));
  }

  #isRecoverable(packet: AdapterPacket): boolean {
    return (
      !!this.nsp.server.opts.connectionStateRecovery &&
      packet.type === PacketType.EVENT &&
      packet.id === undefined
    );
  }

  /** Publishes an event, and delivers it in its turn: as soon as its offset is known, if it has one. */
  #recoverably(
    packet: AdapterPacket,
    options: BroadcastOptions,
    send: (packet: AdapterPacket) => void,
  ): Promise<void> {
    // Brokers in memory may keep what they are given: the offset is for our clients alone.
    const own = { ...packet, data: [...packet.data] };
    const sendOwn = (offset?: Offset): void => {
      this.addOffsetIfNecessary(own, options, offset);
      send(own);
    };
    const message = broadcastMessage(packet, options);
    if (!isLocal(options) && isKept(options)) {
      const published = this.publishAndReturnOffset(message);
      this.#watchPublishing(published);
      const offset = published.catch(() => undefined);
      return this.#deliveries.runWithOffset(offset, sendOwn);
    }
    this.#deliveries.run(sendOwn);
    if (!isLocal(options)) this.publish(message);
    return DONE;
  }

  /** Does something here, and tells the others, whether it went well or not. */
  #everywhere(
    options: BroadcastOptions,
    message: ClusterMessageBody,
    here: () => void,
  ): Promise<void> {
    try {
      this.#deliveries.run(here);
    } finally {
      if (!isLocal(options)) this.publish(message);
    }
    return DONE;
  }

  #request({ toMessage, ...init }: Request): void {
    const { id, request } = this.#pending.open(init);
    const ask = (servers: ExpectedServers): void => {
      request.expect(servers);
      if (!request.isDone) this.publish(toMessage(id));
    };
    this.expectedServers().then(ask, (error: unknown) => request.finish(asError(error)));
  }

  #take(message: ClusterMessage | ClusterResponse, offset: Offset | undefined): void {
    switch (message.type) {
      case MessageType.BROADCAST:
        this.#takeBroadcast(message, offset);
        return;
      case MessageType.SOCKETS_JOIN:
        super.addSockets(decodeOptions(message.data.opts), message.data.rooms);
        return;
      case MessageType.SOCKETS_LEAVE:
        super.delSockets(decodeOptions(message.data.opts), message.data.rooms);
        return;
      case MessageType.DISCONNECT_SOCKETS:
        super.disconnectSockets(decodeOptions(message.data.opts), message.data.close === true);
        return;
      case MessageType.FETCH_SOCKETS:
        this.#takeFetch(message).catch((error: unknown) =>
          this.#host.handlerFailed(error, "adapter"),
        );
        return;
      case MessageType.SERVER_SIDE_EMIT:
        this.#takeServerSideEmit(message);
        return;
      default:
        // Some brokers have one channel for everything.
        if (isResponse(message)) this.onResponse(message);
    }
  }

  #takeBroadcast(
    { uid, data }: ClusterMessage & { type: typeof MessageType.BROADCAST },
    offset: Offset | undefined,
  ): void {
    const { packet, requestId } = data;
    const options = decodeOptions(data.opts);
    if (requestId === undefined) {
      this.addOffsetIfNecessary(packet, options, offset);
      super.broadcast(packet, options);
      return;
    }
    const acks = this.#remoteAcks.open(packet, timeoutOf(options.flags?.timeout, ANSWER_TIMEOUT));
    super.broadcastWithAck(
      packet,
      options,
      (clientCount) => {
        acks.expect(clientCount);
        this.publishResponse(uid, {
          type: MessageType.BROADCAST_CLIENT_COUNT,
          data: { requestId, clientCount },
        });
      },
      (response) => {
        acks.answered();
        this.publishResponse(uid, {
          type: MessageType.BROADCAST_ACK,
          data: { requestId, packet: response },
        });
      },
    );
  }

  async #takeFetch({
    uid,
    data,
  }: ClusterMessage & { type: typeof MessageType.FETCH_SOCKETS }): Promise<void> {
    const sockets = (await super.fetchSockets(decodeOptions(data.opts))) as AdapterSocket[];
    this.publishResponse(uid, {
      type: MessageType.FETCH_SOCKETS_RESPONSE,
      data: { requestId: data.requestId, sockets: sockets.map(describe) },
    });
  }

  #takeServerSideEmit({
    uid,
    data,
  }: ClusterMessage & { type: typeof MessageType.SERVER_SIDE_EMIT }): void {
    const { packet, requestId } = data;
    if (requestId === undefined) {
      this.nsp._onServerSideEmit(packet);
      return;
    }
    let isAnswered = false;
    const acknowledge = (response: unknown): void => {
      if (isAnswered) return;
      isAnswered = true;
      this.publishResponse(uid, {
        type: MessageType.SERVER_SIDE_EMIT_RESPONSE,
        data: { requestId, packet: response },
      });
    };
    this.nsp._onServerSideEmit([...packet, acknowledge]);
  }
}

/** Whether brokers keep an event for clients that come back. */
function isKept({ flags }: BroadcastOptions): boolean {
  return flags?.volatile !== true;
}

function isLocal({ flags }: BroadcastOptions): boolean {
  return flags?.local === true;
}

function isResponse(message: ClusterMessage | ClusterResponse): message is ClusterResponse {
  return RESPONSES.has(message.type);
}

const RESPONSES: ReadonlySet<MessageType> = new Set([
  MessageType.FETCH_SOCKETS_RESPONSE,
  MessageType.SERVER_SIDE_EMIT_RESPONSE,
  MessageType.BROADCAST_CLIENT_COUNT,
  MessageType.BROADCAST_ACK,
]);

function broadcastMessage(packet: AdapterPacket, options: BroadcastOptions): BroadcastBody {
  // A packet of its own: delivering writes on the other one.
  const data = { packet: { ...packet }, opts: encodeOptions(options) };
  return { type: MessageType.BROADCAST, data };
}

/** What other servers are told of a socket (behaviour 130). */
function describe({ id, handshake, rooms, data }: AdapterSocket): object {
  // Session middlewares leave their store there, which is no data and may refer to itself.
  const { sessionStore: _, ...details } = handshake as Record<string, unknown>;
  return { id, handshake: details, rooms: [...rooms], data };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
