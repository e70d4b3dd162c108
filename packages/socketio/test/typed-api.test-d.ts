// The types of the public API, method by method: what they let through, and what they do not.
import { createServer } from "node:http";
import { expectTypeOf, test } from "vitest";
import {
  type BroadcastOperator,
  type DisconnectReason,
  type Event,
  type ExtendedError,
  type Namespace,
  type NamespaceFunction,
  type RemoteSocket,
  Server,
  type Socket,
} from "../src/index.js";

interface ClientToServer {
  note: (text: string) => void;
  add: (a: number, b: number, respond: (sum: number) => void) => void;
}

interface ServerToClient {
  news: (title: string, urgent?: boolean) => void;
  ask: (question: string, respond: (answer: boolean, certainty: number) => void) => void;
  save: (respond: (error: Error, id: string) => void) => void;
  message: (text: string) => void;
}

interface BetweenServers {
  reload: (what: string) => void;
  count: (of: string, respond: (count: number) => void) => void;
}

interface Data {
  user: string;
}

type TypedServer = Server<ClientToServer, ServerToClient, BetweenServers, Data>;
type TypedSocket = Socket<ClientToServer, ServerToClient, BetweenServers, Data>;

declare const io: TypedServer;
declare const socket: TypedSocket;
declare const nsp: Namespace<ClientToServer, ServerToClient, BetweenServers, Data>;
declare const remote: RemoteSocket<ServerToClient, Data>;
declare const untyped: Server;

// Namespaces with event maps of their own.

interface ChatToServer {
  say: (text: string) => void;
}

interface ChatToClient {
  said: (who: string, text: string, respond: (isRead: boolean) => void) => void;
}

interface ChatBetweenServers {
  archive: (room: string) => void;
}

interface ChatData {
  nick: string;
}

test("a namespace has the event maps of its server (T8)", () => {
  expectTypeOf(io.of("/x")).toEqualTypeOf(nsp);
  expectTypeOf(io.sockets).toEqualTypeOf(nsp);
  expectTypeOf(untyped.of("/x")).toEqualTypeOf<Namespace>();
});

test("a namespace may have event maps and data of its own (T8)", () => {
  const chat = io.of<ChatToServer, ChatToClient, ChatBetweenServers, ChatData>("/chat");
  expectTypeOf(chat).toEqualTypeOf<
    Namespace<ChatToServer, ChatToClient, ChatBetweenServers, ChatData>
  >();
  chat.on("connection", (member) => {
    expectTypeOf(member).toEqualTypeOf<
      Socket<ChatToServer, ChatToClient, ChatBetweenServers, ChatData>
    >();
    expectTypeOf(member.data).toEqualTypeOf<ChatData>();
    expectTypeOf(member.nsp).toEqualTypeOf(chat);
    member.on("say", (text) => expectTypeOf(text).toBeString());
    // @ts-expect-error an event of the server, not of this namespace
    member.on("note", () => {});
    // @ts-expect-error an event of the server, not of this namespace
    member.emit("news", "text");
  });
  chat.use((member, next) => {
    expectTypeOf(member.data.nick).toBeString();
    next();
  });
  chat.timeout(1).emit("said", "who", "text", (error, areRead) => {
    expectTypeOf(error).toEqualTypeOf<Error>();
    expectTypeOf(areRead).toEqualTypeOf<boolean[]>();
  });
  chat.serverSideEmit("archive", "room");
  // @ts-expect-error an event between servers of the main namespace
  chat.serverSideEmit("reload", "text");
  expectTypeOf(chat.fetchSockets()).resolves.toEqualTypeOf<
    RemoteSocket<ChatToClient, ChatData>[]
  >();
});

test("what a namespace does not say is that of its server (T8)", () => {
  const chat = io.of<ChatToServer>("/chat");
  expectTypeOf(chat).toEqualTypeOf<Namespace<ChatToServer, ServerToClient, BetweenServers, Data>>();
});

test("child namespaces of patterns and functions may have their own, too (T8)", () => {
  const byPattern = io.of<ChatToServer, ChatToClient>(/^\/chat-\d+$/, (member) => {
    expectTypeOf(member).toEqualTypeOf<Socket<ChatToServer, ChatToClient, BetweenServers, Data>>();
  });
  const byFunction = io.of<ChatToServer, ChatToClient>((name, auth, next) => {
    expectTypeOf(name).toBeString();
    expectTypeOf(auth["token"]).toBeAny();
    next(null, name.startsWith("/chat"));
  });
  expectTypeOf(byPattern).toEqualTypeOf(byFunction);
  byPattern.on("connect", (member) => {
    member.on("say", (text) => expectTypeOf(text).toBeString());
  });
  // @ts-expect-error an event that only clients send
  byPattern.emit("say", "text");
});

test("the second argument of of() gets sockets of the namespace (T8)", () => {
  io.of<ChatToServer, ChatToClient, ChatBetweenServers, ChatData>("/chat", (member) => {
    expectTypeOf(member.data).toEqualTypeOf<ChatData>();
  });
  // @ts-expect-error a listener for sockets with other data
  io.of("/x", (member: Socket<ClientToServer, ServerToClient, BetweenServers, ChatData>) => member);
});

test("of() takes a name, a pattern or a function that answers (T8)", () => {
  expectTypeOf<TypedServer["of"]>()
    .parameter(0)
    .toEqualTypeOf<string | RegExp | NamespaceFunction>();
  // @ts-expect-error a name is no number
  io.of(1);
  // @ts-expect-error next takes an answer
  io.of((_name, _auth, next) => next(null));
});

// Listening.

test("on and once know the events and their arguments (T3, T4, K24)", () => {
  socket.on("add", (a, b, respond) => {
    expectTypeOf(a).toBeNumber();
    expectTypeOf(b).toBeNumber();
    expectTypeOf(respond).toEqualTypeOf<(sum: number) => void>();
    respond(a + b);
    // @ts-expect-error the sum is a number
    respond("3");
  });
  socket.once("note", async (text) => expectTypeOf(text).toBeString());
  // @ts-expect-error an event that the server sends
  socket.on("news", () => {});
  // @ts-expect-error the text is a string
  socket.once("note", (text: number) => text);
  expectTypeOf(socket.on("note", () => {})).toEqualTypeOf(socket);
});

test("off, and the other methods of an emitter, take any name (T4, K24)", () => {
  const listener = (): void => {};
  socket.off("note", listener).removeListener("note", listener).removeAllListeners();
  socket.prependListener("note", listener).prependOnceListener("note", listener);
  expectTypeOf(socket.listenerCount("note")).toBeNumber();
  expectTypeOf(socket.eventNames()).toEqualTypeOf<(string | symbol)[]>();
  expectTypeOf(socket.listeners("note")).toEqualTypeOf<((text: string) => void)[]>();
  // @ts-expect-error a listener is needed
  socket.off("note");
});

test("the ends of a socket have a reason (T3, K21)", () => {
  socket.on("disconnecting", (reason) => expectTypeOf(reason).toEqualTypeOf<DisconnectReason>());
  socket.on("disconnect", (reason, description) => {
    expectTypeOf(reason).toEqualTypeOf<DisconnectReason>();
    expectTypeOf(description).toBeAny();
    // @ts-expect-error no reason of disconnections
    if (reason === "io server disconnect") socket.disconnect();
  });
  socket.on("error", (error) => expectTypeOf(error).toEqualTypeOf<Error>());
  expectTypeOf<"ping timeout">().toExtend<DisconnectReason>();
  expectTypeOf<string>().not.toExtend<DisconnectReason>();
});

test("a namespace and the server know their own events and those of other servers (T3, S28)", () => {
  io.on("connection", (member) => expectTypeOf(member).toEqualTypeOf(socket));
  io.on("connect", (member) => expectTypeOf(member).toEqualTypeOf(socket));
  io.on("new_namespace", (created) => expectTypeOf(created).toEqualTypeOf(nsp));
  io.on("reload", (what) => expectTypeOf(what).toBeString());
  nsp.on("count", (of, respond) => {
    expectTypeOf(of).toBeString();
    respond(1);
  });
  // @ts-expect-error an event of clients
  io.on("note", () => {});
  // @ts-expect-error announced by the server alone
  nsp.on("new_namespace", () => {});
});

test("catch-all listeners take whatever comes (K18, K19)", () => {
  socket.onAny((event, ...args) => {
    expectTypeOf(event).toBeAny();
    expectTypeOf(args[0]).toBeAny();
  });
  expectTypeOf(socket.prependAny(() => {}).offAny()).toEqualTypeOf(socket);
  expectTypeOf(socket.prependAnyOutgoing(() => {}).offAnyOutgoing()).toEqualTypeOf(socket);
  expectTypeOf(socket.listenersAnyOutgoing()).toExtend<((...args: never[]) => void)[]>();
  // @ts-expect-error the listener comes first
  socket.onAny("note", () => {});
});

// Emitting.

test("emit takes the arguments of the event (T1, T2)", () => {
  expectTypeOf(socket.emit("news", "title")).toBeBoolean();
  socket.emit("news", "title", true);
  // @ts-expect-error the title is missing
  socket.emit("news");
  // @ts-expect-error the title is a string
  socket.emit("news", 1);
  // @ts-expect-error one argument too many
  socket.emit("news", "title", true, 1);
  // @ts-expect-error an event of clients
  socket.emit("note", "text");
  // @ts-expect-error an event of the library
  socket.emit("disconnect", "transport close");
  socket.send("text").write("text");
  // @ts-expect-error the text of message is a string
  socket.send(1);
});

test("an acknowledgement gets an error first under timeout alone (T5, T6)", () => {
  socket.emit("ask", "?", (answer, certainty) => {
    expectTypeOf(answer).toBeBoolean();
    expectTypeOf(certainty).toBeNumber();
  });
  socket.timeout(1).emit("ask", "?", (error, answer, certainty) => {
    expectTypeOf(error).toEqualTypeOf<Error>();
    expectTypeOf(answer).toBeBoolean();
    expectTypeOf(certainty).toBeNumber();
  });
  // What begins with an error already gets no second one.
  socket.timeout(1).emit("save", (error, id) => {
    expectTypeOf(error).toEqualTypeOf<Error>();
    expectTypeOf(id).toBeString();
  });
  // @ts-expect-error no error without timeout
  socket.emit("ask", "?", (error: Error, answer: boolean) => [error, answer]);
  // @ts-expect-error the error comes first
  socket.timeout(1).emit("ask", "?", (answer: boolean) => answer);
  // @ts-expect-error the acknowledgement is missing
  socket.timeout(1).emit("ask", "?");
});

test("emitWithAck resolves with the first value that is no error (T2, T5)", () => {
  expectTypeOf(socket.emitWithAck("ask", "?")).resolves.toBeBoolean();
  expectTypeOf(socket.timeout(1).emitWithAck("ask", "?")).resolves.toBeBoolean();
  expectTypeOf(socket.emitWithAck("save")).resolves.toBeString();
  // @ts-expect-error nobody answers this event
  void socket.emitWithAck("news", "title");
  // @ts-expect-error the question is missing
  void socket.emitWithAck("ask");
  // @ts-expect-error the acknowledgement is the promise
  void socket.emitWithAck("ask", "?", () => {});
});

test("flags of a socket give the socket again (T7)", () => {
  expectTypeOf(socket.compress(true)).toEqualTypeOf(socket);
  expectTypeOf(socket.volatile).toEqualTypeOf(socket);
  socket.volatile.emit("news", "title");
  // @ts-expect-error the time is a number of milliseconds
  socket.timeout("1s");
});

test("a broadcast collects answers, in arrays (T6, B3)", () => {
  socket.to("a").emit("ask", "?", (answers) => expectTypeOf(answers).toEqualTypeOf<boolean[]>());
  socket
    .to("a")
    .timeout(1)
    .emit("ask", "?", (error, answers) => {
      expectTypeOf(error).toEqualTypeOf<Error>();
      expectTypeOf(answers).toEqualTypeOf<boolean[]>();
    });
  io.timeout(1).emit("save", (error, ids) => {
    expectTypeOf(error).toEqualTypeOf<Error>();
    expectTypeOf(ids).toEqualTypeOf<string[]>();
  });
  // @ts-expect-error one answer of many is no boolean
  io.timeout(1).emit("ask", "?", (_error, answers: boolean) => answers);
  // @ts-expect-error an acknowledgement needs a timeout here
  io.emit("ask", "?", () => {});
  // @ts-expect-error an acknowledgement needs a timeout here
  nsp.emit("ask", "?", () => {});
  nsp.emit("news", "title");
  io.send("text").write("text");
});

test("every selection is a broadcast of the same events (T7, B2)", () => {
  const selections = [
    io.to("a"),
    io.in(["a", "b"]),
    io.except("a"),
    io.volatile,
    io.local,
    io.compress(true),
    nsp.to("a").in("b").except(["c"]).volatile.local.compress(false),
    socket.to("a"),
    socket.in("a"),
    socket.except("a"),
    socket.broadcast,
    socket.local,
  ];
  for (const selection of selections) selection.emit("news", "title");
  expectTypeOf(io.to("a")).toEqualTypeOf(socket.broadcast);
  expectTypeOf(io.to("a")).toExtend<BroadcastOperator<never, Data>>();
  // @ts-expect-error an event of clients
  io.to("a").emit("note", "text");
  // @ts-expect-error the title is a string
  socket.broadcast.emit("news", 1);
  // @ts-expect-error a room is a string
  io.to(1);
});

test("emitWithAck of a broadcast needs a timeout (T2, B6)", () => {
  expectTypeOf(io.timeout(1).emitWithAck("ask", "?")).resolves.toEqualTypeOf<boolean[]>();
  expectTypeOf(io.to("a").timeout(1).emitWithAck("save")).resolves.toEqualTypeOf<string[]>();
  // @ts-expect-error there is no timeout
  void io.to("a").emitWithAck("ask", "?");
  // @ts-expect-error nobody answers this event
  void io.timeout(1).emitWithAck("news", "title");
});

// Other sockets, other servers.

test("fetched sockets know their data and their events (T7, B10)", () => {
  expectTypeOf(io.fetchSockets()).resolves.toEqualTypeOf<RemoteSocket<ServerToClient, Data>[]>();
  expectTypeOf(nsp.fetchSockets()).resolves.toEqualTypeOf<RemoteSocket<ServerToClient, Data>[]>();
  expectTypeOf(remote.data).toEqualTypeOf<Data>();
  expectTypeOf(remote.rooms).toEqualTypeOf<Set<string>>();
  remote.emit("news", "title");
  remote.join("a");
  remote.join(["a", "b"]);
  remote.leave("a");
  expectTypeOf(remote.disconnect(true)).toEqualTypeOf(remote);
  // @ts-expect-error an event of clients
  remote.emit("note", "text");
  // @ts-expect-error sockets of other servers are not listened to
  remote.on("note", () => {});
  // @ts-expect-error a room is a string
  remote.join(1);
});

test("the answer of a fetched socket has an error first (T6, B10)", () => {
  remote.timeout(1).emit("ask", "?", (error, answer) => {
    expectTypeOf(error).toEqualTypeOf<Error>();
    expectTypeOf(answer).toBeBoolean();
  });
  // @ts-expect-error the error comes first
  remote.timeout(1).emit("ask", "?", (answer: boolean) => answer);
});

test("servers emit to each other by the third map (T6, S22)", () => {
  expectTypeOf(io.serverSideEmit("reload", "what")).toBeBoolean();
  nsp.serverSideEmit("count", "of", (error, counts) => {
    expectTypeOf(error).toEqualTypeOf<Error>();
    expectTypeOf(counts).toEqualTypeOf<number[]>();
  });
  // @ts-expect-error the argument is a string
  io.serverSideEmit("reload", 1);
  // @ts-expect-error an event for clients
  io.serverSideEmit("news", "title");
  // @ts-expect-error each server answers: there are many counts
  io.serverSideEmit("count", "of", (_error, counts: number) => counts);
});

test("serverSideEmitWithAck resolves with one answer per server (T6, S23)", () => {
  expectTypeOf(io.serverSideEmitWithAck("count", "of")).resolves.toEqualTypeOf<number[]>();
  // @ts-expect-error nobody answers this event
  void nsp.serverSideEmitWithAck("reload", "what");
  // @ts-expect-error the argument is missing
  void nsp.serverSideEmitWithAck("count");
});

// What belongs to a socket.

test("socket.data is of the fourth type (T7, K4)", () => {
  expectTypeOf(socket.data).toEqualTypeOf<Data>();
  socket.data.user = "ada";
  socket.data = { user: "ada" };
  // @ts-expect-error the user is a string
  socket.data.user = 1;
  // @ts-expect-error the user is missing
  socket.data = {};
  expectTypeOf<Socket["data"]>().toBeAny();
});

test("middlewares of a namespace get its sockets, and may pass an ExtendedError on (N3)", () => {
  const error: ExtendedError = Object.assign(new Error("no"), { data: { code: 1 } });
  io.use((member, next) => {
    expectTypeOf(member).toEqualTypeOf(socket);
    next(error);
  });
  nsp.use(async (_member, next) => next());
  // @ts-expect-error a reason is an error
  io.use((_member, next) => next("no"));
  // @ts-expect-error there is no third parameter
  io.use((_member, _next, _more) => {});
});

test("middlewares of a socket get its events (K17)", () => {
  socket.use((event, next) => {
    expectTypeOf(event).toEqualTypeOf<Event>();
    expectTypeOf(event[0]).toBeString();
    next(new Error("no"));
  });
  // @ts-expect-error the name of the event is a string
  socket.use(([name]: [number], next) => next(name === 1 ? undefined : new Error("no")));
});

test("a namespace and its adapter are emitters, and so is the session (A4, G4)", () => {
  nsp.adapter.on("create-room", (room: string) => room);
  nsp.adapter.once("leave-room", (room: string, id: string) => [room, id]);
  expectTypeOf(nsp.adapter.rooms).toEqualTypeOf<Map<string, Set<string>>>();
  socket.conn.once("upgrade", (transport) => expectTypeOf(transport).toBeAny());
  io.engine.once("connection_error", (error) => expectTypeOf(error).toBeAny());
  expectTypeOf(socket.conn.transport.name).toBeString();
  // @ts-expect-error the sockets of a room are asked for by a set of rooms
  void nsp.adapter.sockets("a");
});

test("servers are made of the options and of HTTP servers (S2, S12)", () => {
  expectTypeOf(new Server()).toEqualTypeOf<Server>();
  expectTypeOf(
    new Server<ClientToServer, ServerToClient, BetweenServers, Data>(createServer()),
  ).toEqualTypeOf<TypedServer>();
  // @ts-expect-error the time is a number
  expectTypeOf(new Server({ connectTimeout: "1s" })).not.toBeAny();
  // @ts-expect-error there is no such option
  expectTypeOf(new Server(createServer(), { conectTimeout: 1 })).not.toBeAny();
  // @ts-expect-error a path is a string
  io.path(1);
});

test("without event maps nothing is known, and nothing refused (T1)", () => {
  untyped.emit("anything", 1, "two");
  untyped.on("connection", (member) => {
    member.on("anything", (a, b) => {
      expectTypeOf(a).toBeAny();
      expectTypeOf(b).toBeAny();
    });
    member.emit("anything", () => {});
    expectTypeOf(member.emitWithAck("anything")).resolves.toBeAny();
    expectTypeOf(member.timeout(1).emitWithAck("anything")).resolves.toBeAny();
  });
  untyped.serverSideEmit("anything", 1);
});
