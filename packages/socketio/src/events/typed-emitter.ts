import { EventEmitter } from "node:events";
import type {
  EventNames,
  EventParams,
  EventsMap,
  ReservedOrUserEventNames,
  ReservedOrUserListener,
} from "./types.js";

/** An `EventEmitter` whose `on`, `once`, `emit` and `listeners` know the events. */
export interface TypedEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ReservedEvents extends EventsMap,
> extends EventEmitter {
  /** Calls `listener` whenever the event happens. */
  on<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this;
  /** Calls `listener` when the event happens for the first time from now on. */
  once<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Ev,
    listener: ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>,
  ): this;
  /** Sends the event to the other side. */
  emit<Ev extends EventNames<EmitEvents>>(event: Ev, ...args: EventParams<EmitEvents, Ev>): boolean;
  /** The functions that listen for the event. */
  listeners<Ev extends ReservedOrUserEventNames<ReservedEvents, ListenEvents>>(
    event: Ev,
  ): ReservedOrUserListener<ReservedEvents, ListenEvents, Ev>[];
}

// The constructor of EventEmitter makes the table of listeners at once, which costs 224 bytes per
// object, for sockets that mostly have few listeners or none yet. Without it Node's methods make
// the table at the first `on`, as they have to for classes that inherit by `util.inherits` alone.
function LazyConstructor(): void {}
LazyConstructor.prototype = EventEmitter.prototype;

/** An `EventEmitter` (`instanceof` included) that costs nothing before its first listener. */
export const LazyEmitter: typeof EventEmitter = LazyConstructor as unknown as typeof EventEmitter;
