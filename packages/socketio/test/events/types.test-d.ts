import { expectTypeOf, test } from "vitest";
import type {
  AllButLast,
  DecorateAcknowledgements,
  DecorateAcknowledgementsWithMultipleResponses,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithError,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  FallbackToUntypedListener,
  FirstNonErrorArg,
  FirstNonErrorTuple,
  IfAny,
  Last,
  LooseParameters,
  MultiplyArray,
  PrependTimeoutError,
  RemoveAcknowledgements,
  ReservedOrUserEventNames,
  ReservedOrUserListener,
  TypedEventBroadcaster,
} from "../../src/events/types.js";

// oxlint-disable-next-line typescript/no-explicit-any -- what the types do with `any` is tested, too
type Any = any;

interface ClientEvents {
  ping: () => void;
  chat: (text: string, urgent?: boolean) => void;
  ask: (question: string, answer: (text: string, score: number) => void) => void;
  store: (value: Buffer, done: (err: Error, id: number) => void) => void;
  flush: (done: (err: Error) => void) => void;
  touch: (done: () => void) => void;
}

interface Reserved {
  disconnect: (reason: "transport close" | "ping timeout") => void;
  error: (error: Error) => void;
}

// The shapes of the public classes, as far as their event types go.
interface SocketLike<Listen extends EventsMap, Emit extends EventsMap> {
  on<Ev extends ReservedOrUserEventNames<Reserved, Listen>>(
    ev: Ev,
    listener: ReservedOrUserListener<Reserved, Listen, Ev>,
  ): this;
  emit<Ev extends EventNames<Emit>>(ev: Ev, ...args: EventParams<Emit, Ev>): boolean;
  emitWithAck<Ev extends EventNamesWithAck<Emit>>(
    ev: Ev,
    ...args: AllButLast<EventParams<Emit, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<Emit, Ev>>>>;
  timeout(ms: number): SocketLike<Listen, DecorateAcknowledgements<Emit>>;
  to(room: string): OperatorLike<DecorateAcknowledgementsWithMultipleResponses<Emit>>;
}

interface OperatorLike<Emit extends EventsMap> extends TypedEventBroadcaster<Emit> {
  timeout(ms: number): OperatorLike<DecorateAcknowledgements<Emit>>;
  emitWithAck<Ev extends EventNamesWithError<Emit>>(
    ev: Ev,
    ...args: AllButLast<EventParams<Emit, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<Emit, Ev>>>>;
}

interface NamespaceLike<
  Emit extends EventsMap,
  ServerSide extends EventsMap,
> extends TypedEventBroadcaster<RemoveAcknowledgements<Emit>> {
  // An override in terms of the whole map: it has to stay compatible while the map is generic.
  emit<Ev extends EventNamesWithoutAck<Emit>>(ev: Ev, ...args: EventParams<Emit, Ev>): boolean;
  timeout(
    ms: number,
  ): OperatorLike<DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<Emit>>>;
  serverSideEmit<Ev extends EventNames<ServerSide>>(
    ev: Ev,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSide>, Ev>
  ): boolean;
  serverSideEmitWithAck<Ev extends EventNamesWithAck<ServerSide>>(
    ev: Ev,
    ...args: AllButLast<EventParams<ServerSide, Ev>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSide, Ev>>>[]>;
}

declare const typed: SocketLike<ClientEvents, ClientEvents>;
declare const untyped: SocketLike<DefaultEventsMap, DefaultEventsMap>;
declare const namespace: NamespaceLike<ClientEvents, ClientEvents>;

test("listeners get the arguments of their event (T3, T4)", () => {
  typed
    .on("ping", (...args) => expectTypeOf(args).toEqualTypeOf<[]>())
    .on("chat", (text, urgent) => {
      expectTypeOf(text).toEqualTypeOf<string>();
      expectTypeOf(urgent).toEqualTypeOf<boolean | undefined>();
    })
    .on("ask", (question, answer) => {
      expectTypeOf(question).toEqualTypeOf<string>();
      expectTypeOf(answer).toEqualTypeOf<(text: string, score: number) => void>();
    });
  // @ts-expect-error the map has no such event
  typed.on("chatt", () => {});
  // @ts-expect-error the argument is a string
  typed.on("chat", (text: number) => text);
  // @ts-expect-error the event has one parameter and an acknowledgement
  typed.on("ask", (_question: string, _answer: () => void, _more: string) => {});
});

test("listeners may be asynchronous and may ignore arguments (T3)", () => {
  typed.on("chat", async (text) => {
    expectTypeOf(text).toEqualTypeOf<string>();
    await Promise.resolve();
  });
  typed.on("ask", async () => Promise.resolve());
  untyped.on("whatever", async (value: string) => Promise.resolve(value));
});

test("reserved events have their own listeners beside those of the map (T3)", () => {
  typed.on("disconnect", (reason) => {
    expectTypeOf(reason).toEqualTypeOf<"transport close" | "ping timeout">();
  });
  untyped.on("error", (error) => expectTypeOf(error).toEqualTypeOf<Error>());
  // @ts-expect-error the reason is one of two strings
  typed.on("disconnect", (reason: number) => reason);
  expectTypeOf<ReservedOrUserEventNames<Reserved, { a: () => void }>>().toEqualTypeOf<
    "disconnect" | "error" | "a"
  >();
});

test("a reserved event wins over an event of the application (T3)", () => {
  expectTypeOf<
    ReservedOrUserListener<Reserved, { error: (code: number) => void }, "error">
  >().toEqualTypeOf<(error: Error) => void>();
});

test("reserved events cannot be emitted", () => {
  // @ts-expect-error not an event of the map
  expectTypeOf(typed.emit("disconnect", "transport close")).toBeBoolean();
});

test("emit takes the arguments of the event (T4)", () => {
  typed.emit("ping");
  typed.emit("chat", "hello");
  typed.emit("chat", "hello", true);
  typed.emit("ask", "why?", (text, score) => {
    expectTypeOf(text).toEqualTypeOf<string>();
    expectTypeOf(score).toEqualTypeOf<number>();
  });
  // @ts-expect-error an argument too much
  typed.emit("ping", 1);
  // @ts-expect-error an argument of the wrong type
  typed.emit("chat", 1);
  // @ts-expect-error an argument is missing
  typed.emit("chat");
  // @ts-expect-error the acknowledgement is missing
  typed.emit("ask", "why?");
  // @ts-expect-error the map has no such event
  typed.emit("tell", "because");
});

test("without a map every event, argument and listener is accepted (T1)", () => {
  untyped.on("anything", (a: string, b: number, c: () => void) => [a, b, c]);
  untyped.on("anything", (...args) => expectTypeOf(args[0]).toBeAny());
  untyped.emit("anything", 1, "two", { three: [3] }, () => {});
  untyped.timeout(5).emit("anything", 1, (error: Error, answer: string) => [error, answer]);
  untyped.to("room").emit("anything", (answers: string[]) => answers);
  expectTypeOf(untyped.emitWithAck("anything", 1, 2)).resolves.toBeAny();
  expectTypeOf(untyped.to("room").timeout(5).emitWithAck("anything")).resolves.toBeAny();
});

test("emitWithAck resolves to the first value of the acknowledgement that is no error (T5)", () => {
  expectTypeOf(typed.emitWithAck("ask", "why?")).resolves.toEqualTypeOf<string>();
  expectTypeOf(typed.emitWithAck("store", Buffer.of(1))).resolves.toEqualTypeOf<number>();
  expectTypeOf(typed.emitWithAck("touch")).resolves.toEqualTypeOf<undefined>();
  // @ts-expect-error the event takes no acknowledgement
  void typed.emitWithAck("chat", "hello");
  // @ts-expect-error the promise takes the place of the acknowledgement
  void typed.emitWithAck("ask", "why?", () => {});
  // @ts-expect-error an argument is missing
  void typed.emitWithAck("ask");
});

test("timeout puts an error before the values of an acknowledgement (T5, T6)", () => {
  typed.timeout(100).emit("ask", "why?", (err, text, score) => {
    expectTypeOf(err).toEqualTypeOf<Error>();
    expectTypeOf(text).toEqualTypeOf<string>();
    expectTypeOf(score).toEqualTypeOf<number>();
  });
  typed.timeout(100).emit("touch", (...args) => expectTypeOf(args).toEqualTypeOf<[err: Error]>());
  typed.timeout(100).emit("chat", "events without acknowledgement stay as they are");
  expectTypeOf(typed.timeout(100).emitWithAck("ask", "why?")).resolves.toEqualTypeOf<string>();
  // @ts-expect-error the error comes first
  typed.timeout(100).emit("ask", "why?", (text: string) => text);
});

test("timeout keeps an acknowledgement that already begins with an error (T5)", () => {
  typed
    .timeout(100)
    .emit("store", Buffer.of(1), (...args) =>
      expectTypeOf(args).toEqualTypeOf<[err: Error, id: number]>(),
    );
});

test("the acknowledgement of a broadcast gets the first values of all answers (T6)", () => {
  typed.to("room").emit("ask", "why?", (...args) => {
    expectTypeOf(args).toEqualTypeOf<[text: string[]]>();
  });
  typed.to("room").emit("store", Buffer.of(1), (...args) => {
    expectTypeOf(args).toEqualTypeOf<[err: Error, id: number[]]>();
  });
  typed.to("room").emit("flush", (...args) => expectTypeOf(args).toEqualTypeOf<[err: Error]>());
  typed.to("room").emit("touch", (...args) => expectTypeOf(args).toEqualTypeOf<[]>());
  typed.to("room").emit("chat", "hello");
  // @ts-expect-error the answers are an array
  typed.to("room").emit("ask", "why?", (text: string) => text);
});

test("the acknowledgement of a broadcast with timeout gets an error and the answers (T6)", () => {
  namespace.timeout(100).emit("ask", "why?", (...args) => {
    expectTypeOf(args).toEqualTypeOf<[err: Error, text: string[]]>();
  });
  typed
    .to("room")
    .timeout(100)
    .emit("store", Buffer.of(1), (...args) => {
      expectTypeOf(args).toEqualTypeOf<[err: Error, id: number[]]>();
    });
});

test("emitWithAck of a broadcast asks for a timeout and resolves to an array", () => {
  expectTypeOf(typed.to("room").timeout(100).emitWithAck("ask", "why?")).resolves.toEqualTypeOf<
    string[]
  >();
  // @ts-expect-error nothing tells when to stop waiting for answers
  void typed.to("room").emitWithAck("ask", "why?");
});

test("a namespace emits events without acknowledgement only (T2)", () => {
  namespace.emit("ping");
  namespace.emit("chat", "hello");
  // @ts-expect-error broadcasts with an acknowledgement need a timeout
  namespace.emit("ask", "why?", () => {});
  expectTypeOf<keyof RemoveAcknowledgements<ClientEvents>>().toEqualTypeOf<"ping" | "chat">();
  expectTypeOf<RemoveAcknowledgements<DefaultEventsMap>>().toEqualTypeOf<DefaultEventsMap>();
});

test("other servers answer with an error and an array (T6)", () => {
  namespace.serverSideEmit("ask", "why?", (...args) => {
    expectTypeOf(args).toEqualTypeOf<[err: Error, text: string[]]>();
  });
  namespace.serverSideEmit("store", Buffer.of(1), (...args) => {
    expectTypeOf(args).toEqualTypeOf<[err: Error, id: number[]]>();
  });
  namespace.serverSideEmit("chat", "hello");
  expectTypeOf(namespace.serverSideEmitWithAck("ask", "why?")).resolves.toEqualTypeOf<string[]>();
});

test("acknowledgements of values of any type are decorated like others", () => {
  interface Loose {
    value: (done: (value: Any) => void) => void;
    many: (done: (...values: Any[]) => void) => void;
    optional: (done: (value?: string) => void) => void;
  }
  type Acks<E extends Record<keyof Loose, (done: never) => void>> = {
    [K in keyof Loose]: Parameters<Parameters<E[K]>[0]>;
  };
  expectTypeOf<Acks<DecorateAcknowledgements<Loose>>>().toEqualTypeOf<{
    value: [err: Error, value: Any];
    many: [err: Error, ...values: Any[]];
    optional: [err: Error, value?: string | undefined];
  }>();
  expectTypeOf<Acks<DecorateAcknowledgementsWithMultipleResponses<Loose>>>().toEqualTypeOf<{
    value: [value: Any[]];
    many: Any[][];
    optional: [value?: (string | undefined)[]];
  }>();
});

test("event names are sorted by what the last parameter is (T2)", () => {
  expectTypeOf<EventNames<ClientEvents>>().toEqualTypeOf<keyof ClientEvents>();
  expectTypeOf<EventNamesWithAck<ClientEvents>>().toEqualTypeOf<
    "ask" | "store" | "flush" | "touch"
  >();
  expectTypeOf<EventNamesWithoutAck<ClientEvents>>().toEqualTypeOf<"ping" | "chat">();
  expectTypeOf<EventNamesWithError<ClientEvents>>().toEqualTypeOf<"store" | "flush">();
});

test("names of an untyped map are in every group (T2)", () => {
  expectTypeOf<EventNames<DefaultEventsMap>>().toEqualTypeOf<string>();
  expectTypeOf<EventNamesWithAck<DefaultEventsMap>>().toEqualTypeOf<string>();
  expectTypeOf<EventNamesWithoutAck<DefaultEventsMap>>().toEqualTypeOf<string>();
  expectTypeOf<EventNamesWithError<DefaultEventsMap>>().toEqualTypeOf<string>();
});

test("an optional callback is no acknowledgement", () => {
  interface Events {
    save: (text: string, done?: () => void) => void;
  }
  expectTypeOf<EventNamesWithAck<Events>>().toEqualTypeOf<never>();
  expectTypeOf<EventNamesWithoutAck<Events>>().toEqualTypeOf<"save">();
});

test("symbols are event names, numbers are not (T1)", () => {
  const key: unique symbol = Symbol("key");
  interface Events {
    [key]: (value: string) => void;
    1: () => void;
  }
  expectTypeOf<EventNames<Events>>().toEqualTypeOf<typeof key>();
});

test("an empty map has no events", () => {
  interface Nothing {}
  expectTypeOf<EventNames<Nothing>>().toEqualTypeOf<never>();
  expectTypeOf<EventNamesWithAck<Nothing>>().toEqualTypeOf<never>();
});

test("interfaces without an index signature are event maps (T1)", () => {
  expectTypeOf<ClientEvents>().toExtend<EventsMap>();
  expectTypeOf<ClientEvents>().not.toExtend<Record<string, unknown>>();
});

test("a listener of unknown type falls back to any arguments (T3)", () => {
  expectTypeOf<FallbackToUntypedListener<never>>().toEqualTypeOf<
    (...args: Any[]) => void | Promise<void>
  >();
  expectTypeOf<FallbackToUntypedListener<(a: 1) => void>>().toEqualTypeOf<(a: 1) => void>();
});

test("tuples are taken apart at their ends (T5)", () => {
  expectTypeOf<Last<[1, 2, 3]>>().toEqualTypeOf<3>();
  expectTypeOf<Last<[1]>>().toEqualTypeOf<1>();
  expectTypeOf<Last<[]>>().toEqualTypeOf<never>();
  expectTypeOf<Last<[1, 2?]>>().toEqualTypeOf<2 | undefined>();
  expectTypeOf<Last<readonly [1, ...2[]]>>().toEqualTypeOf<2>();
  expectTypeOf<AllButLast<[1, 2, 3]>>().toEqualTypeOf<[1, 2]>();
  expectTypeOf<AllButLast<[1]>>().toEqualTypeOf<[]>();
  expectTypeOf<AllButLast<unknown[]>>().toEqualTypeOf<Any[]>();
  expectTypeOf<FirstNonErrorTuple<[1, 2]>>().toEqualTypeOf<1>();
  expectTypeOf<FirstNonErrorTuple<[TypeError, 2]>>().toEqualTypeOf<2>();
  expectTypeOf<FirstNonErrorArg<(err: Error, value: 2) => void>>().toEqualTypeOf<2>();
  expectTypeOf<FirstNonErrorArg<"not a function">>().toBeAny();
  expectTypeOf<MultiplyArray<[1, "a"]>>().toEqualTypeOf<[1[], "a"[]]>();
  expectTypeOf<LooseParameters<(a: 1, b: 2) => 3>>().toEqualTypeOf<[a: 1, b: 2]>();
  expectTypeOf<LooseParameters<"not a function">>().toEqualTypeOf<never>();
  expectTypeOf<PrependTimeoutError<[1, (a: 2) => 3]>>().toEqualTypeOf<
    [1, (err: Error, a: 2) => 3]
  >();
  expectTypeOf<IfAny<Any, 1, 2>>().toEqualTypeOf<1>();
  expectTypeOf<IfAny<unknown, 1, 2>>().toEqualTypeOf<2>();
  expectTypeOf<IfAny<never, 1, 2>>().toEqualTypeOf<2>();
});
