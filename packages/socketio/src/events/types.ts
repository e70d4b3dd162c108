/*
 * The event types of Socket.IO. An application describes its events as an interface of functions;
 * the parameters of a function are the arguments of the event. A function as last parameter is the
 * acknowledgement:
 *
 *   interface ServerToClientEvents {
 *     news: (title: string) => void;
 *     ask: (question: string, answer: (text: string) => void) => void;
 *   }
 */

/** What every event map is assignable to, including interfaces without an index signature. */
export interface EventsMap {
  // oxlint-disable-next-line typescript/no-explicit-any -- only an index signature of `any` accepts interfaces
  [event: string]: any;
}

/** The event map of a server without event types: every name, with any arguments. */
export interface DefaultEventsMap {
  // oxlint-disable-next-line typescript/no-explicit-any -- untyped listeners may name any parameter types
  [event: string]: (...args: any[]) => void;
}

/** The names of the events of a map. */
export type EventNames<Map extends EventsMap> = keyof Map & (string | symbol);

/** The arguments of an event, its acknowledgement included. */
export type EventParams<Map extends EventsMap, Ev extends EventNames<Map>> = Parameters<Map[Ev]>;

/** `Yes` if `T` is `any`, else `No`. */
export type IfAny<T, Yes = true, No = false> = 0 extends T & 1 ? Yes : No;

/** The type of the last element of a tuple; of the elements, where their number is open. */
export type Last<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest]
  ? Rest extends readonly []
    ? T[0]
    : Last<Rest>
  : T[number];

/** A tuple without its last element; `any[]` where the number of elements is open. */
// oxlint-disable-next-line typescript/no-explicit-any -- untyped events take any arguments
export type AllButLast<T extends unknown[]> = T extends [...infer Init, unknown] ? Init : any[];

/** The parameters of `T`, which need not be known to be a function; `never` if it is none. */
export type LooseParameters<T> = T extends (...args: infer Params) => unknown ? Params : never;

/** The first element of a tuple, or the second where the first is an error. */
export type FirstNonErrorTuple<T extends unknown[]> = T[T[0] extends Error ? 1 : 0];

/** What the promise of `emitWithAck()` resolves to, given the acknowledgement; `any` if untyped. */
export type FirstNonErrorArg<T> = T extends (...args: infer Params) => unknown
  ? FirstNonErrorTuple<Params>
  : // oxlint-disable-next-line typescript/no-explicit-any -- the answer to an untyped event has any type
    any;

/** A tuple of arrays of what `T` is a tuple of. */
export type MultiplyArray<T extends unknown[]> = { [K in keyof T]: T[K][] };

/** The last parameter of a listener; `never` if it has none. */
type LastParameter<Listener> = Last<LooseParameters<Listener>>;

type TakesAck<Listener> = [LastParameter<Listener>] extends [never]
  ? false
  : LastParameter<Listener> extends (...args: never[]) => unknown
    ? true
    : false;

/**
 * The names of the events that take an acknowledgement. All names, if the arguments of one of the
 * events are untyped.
 */
export type EventNamesWithAck<
  Map extends EventsMap,
  K extends EventNames<Map> = EventNames<Map>,
> = IfAny<
  Map[K] | LastParameter<Map[K]>,
  K,
  K extends unknown ? (TakesAck<Map[K]> extends true ? K : never) : never
>;

/**
 * The names of the events that take no acknowledgement. All names, if the arguments of one of the
 * events are untyped.
 */
export type EventNamesWithoutAck<
  Map extends EventsMap,
  K extends EventNames<Map> = EventNames<Map>,
> = IfAny<
  Map[K] | LastParameter<Map[K]>,
  K,
  K extends unknown ? (TakesAck<Map[K]> extends true ? never : K) : never
>;

/** The names of the events whose acknowledgement has an error as its first parameter. */
export type EventNamesWithError<
  Map extends EventsMap,
  K extends EventNamesWithAck<Map> = EventNamesWithAck<Map>,
> = IfAny<
  Map[K] | LastParameter<Map[K]>,
  K,
  K extends unknown ? (LooseParameters<LastParameter<Map[K]>>[0] extends Error ? K : never) : never
>;

/**
 * The events of a map that take no acknowledgement: what a broadcast may emit before `timeout()`
 * is called.
 */
export type RemoveAcknowledgements<E extends EventsMap> = {
  [K in EventNamesWithoutAck<E>]: E[K];
};

/** The names that `on()` takes: those of the library and those of the application. */
export type ReservedOrUserEventNames<
  ReservedEvents extends EventsMap,
  UserEvents extends EventsMap,
> = EventNames<ReservedEvents> | EventNames<UserEvents>;

/** `T`; if that is `never`, a listener of any arguments, which may be asynchronous. */
export type FallbackToUntypedListener<T> = [T] extends [never]
  ? // oxlint-disable-next-line typescript/no-explicit-any -- untyped listeners may name any parameter types
    (...args: any[]) => void | Promise<void>
  : T;

/** The listener of an event. A reserved event wins over an event of the application. */
export type ReservedOrUserListener<
  ReservedEvents extends EventsMap,
  UserEvents extends EventsMap,
  Ev extends ReservedOrUserEventNames<ReservedEvents, UserEvents>,
> = FallbackToUntypedListener<
  Ev extends EventNames<ReservedEvents>
    ? ReservedEvents[Ev]
    : Ev extends EventNames<UserEvents>
      ? UserEvents[Ev]
      : never
>;

/** What has a typed `emit()` without being an event emitter, such as a broadcast operator. */
export interface TypedEventBroadcaster<EmitEvents extends EventsMap> {
  /** Emits an event. Returns `true`. */
  emit<Ev extends EventNames<EmitEvents>>(ev: Ev, ...args: EventParams<EmitEvents, Ev>): boolean;
}

/**
 * A parameter list whose acknowledgements get an error before their own parameters. One that
 * already begins with an error stays as it is; a first parameter of type `any` is no error.
 */
export type PrependTimeoutError<T extends unknown[]> = {
  [K in keyof T]: T[K] extends (...args: infer Params) => infer Result
    ? IfAny<Params[0], false, Params[0] extends Error ? true : false> extends true
      ? T[K]
      : (err: Error, ...args: Params) => Result
    : T[K];
};

/** The first element of a tuple, as a tuple: unlike `[T[0]]` it keeps the name of a parameter. */
type FirstOnly<T extends unknown[]> = T extends [unknown, unknown, ...unknown[]]
  ? T extends [...infer Init, unknown]
    ? FirstOnly<Init>
    : T
  : T;

/**
 * The parameters of an acknowledgement that many clients answer. A sole parameter of type `any` is
 * the answer, not the error.
 */
type ManyAnswers<Params extends unknown[]> = Params extends [Error]
  ? IfAny<Params[0], MultiplyArray<Params>, [err: Error]>
  : Params extends [Error, ...infer Answer]
    ? [err: Error, ...args: FirstOnly<MultiplyArray<Answer>>]
    : FirstOnly<MultiplyArray<Params>>;

/** A parameter list whose acknowledgements get an array of the first value of every answer. */
type ExpectMultipleResponses<T extends unknown[]> = {
  [K in keyof T]: T[K] extends (...args: infer Params) => infer Result
    ? (...args: ManyAnswers<Params>) => Result
    : T[K];
};

/** The events as they are emitted after `timeout()`: acknowledgements get an error first. */
export type DecorateAcknowledgements<E> = {
  [K in keyof E]: E[K] extends (...args: infer Params) => infer Result
    ? (...args: PrependTimeoutError<Params>) => Result
    : E[K];
};

/** The events as they are broadcast: acknowledgements get the answers of all as an array. */
export type DecorateAcknowledgementsWithMultipleResponses<E> = {
  [K in keyof E]: E[K] extends (...args: infer Params) => infer Result
    ? (...args: ExpectMultipleResponses<Params>) => Result
    : E[K];
};

/**
 * The events as they are emitted to other servers: acknowledgements get an error, then the answers
 * of all as an array.
 */
export type DecorateAcknowledgementsWithTimeoutAndMultipleResponses<E> =
  DecorateAcknowledgementsWithMultipleResponses<DecorateAcknowledgements<E>>;
