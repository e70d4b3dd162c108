import { createServer } from "node:http";
import { expectTypeOf, test } from "vitest";
import { Adapter, SessionAwareAdapter } from "socket.io-adapter";
import {
  type AdapterConstructor,
  type DisconnectReason,
  type HandlerErrorContext,
  type Namespace,
  type RemoteSocket,
  Server,
  type ServerOptions,
  type Socket,
} from "../src/index.js";

interface ClientToServer {
  add: (a: number, b: number, respond: (sum: number) => void) => void;
  note: (text: string) => void;
}

interface ServerToClient {
  news: (text: string) => void;
  ask: (question: string, respond: (answer: boolean) => void) => void;
}

interface BetweenServers {
  ping: (n: number) => void;
  count: (respond: (count: number) => void) => void;
}

interface Data {
  user: string;
}

test("without event maps everything goes", () => {
  const io = new Server(createServer(), { cors: { origin: "*" } });
  io.on("connection", (socket: Socket) => {
    expectTypeOf(socket.data).toBeAny();
    socket.on("anything", (a, b) => {
      expectTypeOf(a).toBeAny();
      expectTypeOf(b).toBeAny();
    });
    socket.emit("anything", 1, "two", () => {});
    socket.on("disconnect", (reason) => expectTypeOf(reason).toEqualTypeOf<DisconnectReason>());
    const nsp: Namespace = socket.nsp;
    const server: Server = nsp.server;
    server.emit("anything");
  });
  io.emit("anything", 1);
  io.use((_socket, next) => next(new Error("no")));
  io.of(/^\/x/).on("connection", async (socket) => {
    await socket.join("a");
  });
  io.on("handler_error", (error, context) => {
    expectTypeOf(error).toBeUnknown();
    expectTypeOf(context).toEqualTypeOf<HandlerErrorContext>();
  });
});

test("event maps type listeners, emits and acknowledgements (T7)", () => {
  const io = new Server<ClientToServer, ServerToClient, BetweenServers, Data>();
  io.on("connection", (socket) => {
    expectTypeOf(socket.data).toEqualTypeOf<Data>();
    socket.on("add", (a, b, respond) => {
      expectTypeOf(a).toBeNumber();
      respond(a + b);
    });
    socket.on("note", async (text) => expectTypeOf(text).toBeString());
    // @ts-expect-error no such event
    socket.on("unknown", () => {});
    socket.emit("news", "text");
    // @ts-expect-error a number is no text
    socket.emit("news", 1);
    socket.emit("ask", "?", (answer) => expectTypeOf(answer).toBeBoolean());
    socket.timeout(5).emit("ask", "?", (error, answer) => {
      expectTypeOf(error).toEqualTypeOf<Error>();
      expectTypeOf(answer).toBeBoolean();
    });
    expectTypeOf(socket.emitWithAck("ask", "?")).resolves.toBeBoolean();
    expectTypeOf(socket.timeout(5).emitWithAck("ask", "?")).resolves.toBeBoolean();
    socket.broadcast.emit("news", "text");
    socket.on("disconnect", (reason) => expectTypeOf(reason).toEqualTypeOf<DisconnectReason>());
  });
});

test("broadcasts have many responses, and need a timeout", () => {
  const io = new Server<ClientToServer, ServerToClient, BetweenServers, Data>();
  io.emit("news", "text");
  // @ts-expect-error an acknowledgement needs a timeout
  io.emit("ask", "?", () => {});
  io.timeout(5).emit("ask", "?", (error, answers) => {
    expectTypeOf(error).toEqualTypeOf<Error>();
    expectTypeOf(answers).toEqualTypeOf<boolean[]>();
  });
  expectTypeOf(io.timeout(5).emitWithAck("ask", "?")).resolves.toEqualTypeOf<boolean[]>();
  expectTypeOf(io.fetchSockets()).resolves.toEqualTypeOf<RemoteSocket<ServerToClient, Data>[]>();
});

test("servers talk to each other by a map of their own", () => {
  const io = new Server<ClientToServer, ServerToClient, BetweenServers, Data>();
  io.on("ping", (n) => expectTypeOf(n).toBeNumber());
  io.serverSideEmit("ping", 1);
  // @ts-expect-error no such event between servers
  io.serverSideEmit("news", "text");
  io.serverSideEmit("count", (error, counts) => {
    expectTypeOf(error).toEqualTypeOf<Error>();
    expectTypeOf(counts).toEqualTypeOf<number[]>();
  });
  expectTypeOf(io.serverSideEmitWithAck("count")).resolves.toEqualTypeOf<number[]>();
});

test("published adapters fit the option", () => {
  expectTypeOf(Adapter).toExtend<AdapterConstructor>();
  expectTypeOf(SessionAwareAdapter).toExtend<AdapterConstructor>();
  const options: Partial<ServerOptions> = { adapter: Adapter, pingInterval: 5, path: "/x" };
  expectTypeOf(new Server(options)).toEqualTypeOf<Server>();
  expectTypeOf(new Server(0, options)).toEqualTypeOf<Server>();
});
