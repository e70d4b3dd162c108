import type { AnyListener, HandlerErrorSource } from "./api.js";
import { append, type ListenerList, prepend, without } from "./catch-all.js";
import { callHandler, type ListenerScope } from "./events/dispatch.js";
import { LazyEmitter } from "./events/typed-emitter.js";

/** An emitter with listeners of all events: of those that come in, and of those that go out. */
export abstract class CatchAllEmitter extends LazyEmitter implements ListenerScope {
  /** Is told of outgoing listeners: as long as there are none, broadcasts need not look for them. */
  abstract readonly nsp: { hasOutgoingListeners: boolean };
  #incoming: ListenerList;
  #outgoing: ListenerList;

  onAny(listener: AnyListener): this {
    this.#incoming = append(this.#incoming, listener);
    return this;
  }

  prependAny(listener: AnyListener): this {
    this.#incoming = prepend(this.#incoming, listener);
    return this;
  }

  offAny(listener?: AnyListener): this {
    this.#incoming = without(this.#incoming, listener);
    return this;
  }

  listenersAny(): AnyListener[] {
    return [...(this.#incoming ?? [])];
  }

  onAnyOutgoing(listener: AnyListener): this {
    this.nsp.hasOutgoingListeners = true;
    this.#outgoing = append(this.#outgoing, listener);
    return this;
  }

  prependAnyOutgoing(listener: AnyListener): this {
    this.nsp.hasOutgoingListeners = true;
    this.#outgoing = prepend(this.#outgoing, listener);
    return this;
  }

  offAnyOutgoing(listener?: AnyListener): this {
    this.#outgoing = without(this.#outgoing, listener);
    return this;
  }

  listenersAnyOutgoing(): AnyListener[] {
    return [...(this.#outgoing ?? [])];
  }

  /** Tells the outgoing catch-all listeners. For adapters. */
  notifyOutgoingListeners(packet: { readonly data?: unknown }): void {
    if (this.#outgoing !== undefined) this.#call(this.#outgoing, packet.data);
  }

  abstract handlerFailed(error: unknown, source: HandlerErrorSource, event?: string | symbol): void;

  /** Tells the incoming catch-all listeners. */
  protected notifyIncomingListeners(event: readonly unknown[]): void {
    if (this.#incoming !== undefined) this.#call(this.#incoming, event);
  }

  #call(listeners: readonly AnyListener[], data: unknown): void {
    const event = (data ?? []) as unknown[];
    for (const listener of listeners) {
      callHandler(this, listener, event, ["catch-all listener", String(event[0])]);
    }
  }
}
