// A program for the types of npm `socket.io`, with what its documentation shows: it has to compile
// against our types without a change. It is only compiled, never run.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createSecureServer as createHttp2Server } from "node:http2";
import {
  type BroadcastOperator,
  type DefaultEventsMap,
  type DisconnectReason,
  type Event,
  type ExtendedError,
  Namespace,
  type RemoteSocket,
  Server,
  type ServerOptions,
  Socket,
} from "socket.io";

interface ClientToServerEvents {
  "chat:send": (text: string, done: (id: number) => void) => void;
  "chat:typing": (isTyping: boolean) => void;
  upload: (file: Buffer, done: (error: Error | null, bytes: number) => void) => void;
}

interface ServerToClientEvents {
  "chat:message": (from: string, text: string) => void;
  "chat:confirm": (question: string, answer: (yes: boolean) => void) => void;
  "no arguments": () => void;
  message: (text: string) => void;
}

interface InterServerEvents {
  reload: (what: string[]) => void;
  load: (answer: (average: number) => void) => void;
}

interface SocketData {
  user: { readonly id: string; name: string };
}

type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, InterServerEvents, SocketData>;
type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, InterServerEvents, SocketData>;
type ChatNamespace = Namespace<
  ClientToServerEvents,
  ServerToClientEvents,
  InterServerEvents,
  SocketData
>;

const options: Partial<ServerOptions> = {
  path: "/chat",
  serveClient: false,
  connectTimeout: 10_000,
  cleanupEmptyChildNamespaces: true,
  connectionStateRecovery: { maxDisconnectionDuration: 60_000, skipMiddlewares: true },
  pingInterval: 10_000,
  pingTimeout: 5000,
  upgradeTimeout: 5000,
  maxHttpBufferSize: 1e6,
  transports: ["polling", "websocket"],
  allowUpgrades: true,
  allowEIO3: true,
  perMessageDeflate: { threshold: 1024 },
  httpCompression: true,
  cookie: { name: "io", httpOnly: true, sameSite: "strict", maxAge: 86_400 },
  cors: { origin: ["https://example.com", /\.example\.com$/], credentials: true },
  allowRequest: (req: IncomingMessage, callback) => {
    callback(null, req.headers.origin === undefined);
  },
};

export function everyWayToMakeAServer(): Server[] {
  return [
    new Server(),
    new Server(3000),
    new Server(3000, options),
    new Server(options),
    new Server(createServer(), options),
    new Server(createSecureServer(), options),
    new Server(createHttp2Server({ allowHTTP1: true }), options),
    new Server().attach(3000),
    new Server().attach(createServer(), { path: "/x" }),
    new Server().listen(3000),
  ];
}

export const io: ChatServer = new Server<
  ClientToServerEvents,
  ServerToClientEvents,
  InterServerEvents,
  SocketData
>(createServer(), options);

io.use((socket, next) => {
  const token: unknown = socket.handshake.auth["token"];
  if (typeof token === "string" && socket.handshake.query["v"] !== undefined) {
    socket.data.user = { id: token, name: socket.handshake.headers["x-name"]?.toString() ?? "" };
    next();
    return;
  }
  const error: ExtendedError = new Error("not authorized");
  error.data = { retry: true };
  next(error);
});

io.on("connection", (socket: ChatSocket) => {
  const { user } = socket.data;
  const names: string[] = [user.name, socket.id, socket.nsp.name, ...socket.rooms];
  socket.on("chat:send", (text, done) => {
    socket.broadcast.emit("chat:message", names.join(" "), text.trim());
    done(1);
  });
  socket.on("chat:typing", async (isTyping) => {
    await socket.join(isTyping ? ["typing", "awake"] : "awake");
    await socket.leave("asleep");
  });
  socket.once("upload", (file, done) => done(null, file.length));
  socket.off("chat:typing", () => {});
  socket.on("disconnecting", (reason) => describe(reason));
  socket.on("disconnect", (reason, description) => console.log(describe(reason), description));
  socket.on("error", (error) => console.log(error.message));
  socket.use(([event, ...args]: Event, next) => {
    next(event === "chat:send" && args.length === 0 ? new Error("no text") : undefined);
  });
  socket.onAny((event: string, ...args: unknown[]) => console.log(event, args.length));
  socket.prependAny(() => {}).offAny();
  socket.onAnyOutgoing((event: string) => console.log(event));
  socket.prependAnyOutgoing(() => {}).offAnyOutgoing();
  console.log(socket.listenersAny().length + socket.listenersAnyOutgoing().length);
  socket.emit("chat:confirm", "sure?", (yes) => console.log(yes ? "yes" : "no"));
  socket.emit("no arguments");
  socket.timeout(1000).emit("chat:confirm", "sure?", (error, yes) => {
    console.log(error.message, yes ? "yes" : "no");
  });
  socket.compress(false).volatile.emit("chat:message", "a", "b");
  socket.send("text").write("text");
  socket.to("a").to(["b", "c"]).except("d").emit("chat:message", "a", "b");
  socket.in("a").local.volatile.compress(true).emit("no arguments");
  socket
    .except("a")
    .timeout(10)
    .emit("chat:confirm", "?", (error, answers) => {
      console.log(error.message, answers.length);
    });
  console.log(socket.connected, socket.disconnected, socket.recovered, socket.request.headers);
  socket.conn.on("upgrade", (transport) => console.log(transport.name));
  socket.conn.once("close", (reason, description) => console.log(reason, description));
  socket.conn.on("packet", ({ type, data }) => console.log(type, data));
  console.log(socket.conn.transport.name, socket.conn.remoteAddress, socket.conn.protocol);
  console.log(socket.client.conn.readyState, socket.client.request.url);
  socket.conn.close();
  if (socket.handshake.issued > 0 && socket.handshake.secure) socket.disconnect(true);
  console.log(socket.handshake.time, socket.handshake.address, socket.handshake.xdomain);
  console.log(socket.handshake.url);
});

function describe(reason: DisconnectReason): string {
  switch (reason) {
    case "transport error":
    case "transport close":
    case "forced close":
    case "ping timeout":
    case "parse error":
    case "server shutting down":
    case "forced server close":
    case "client namespace disconnect":
    case "server namespace disconnect":
      return reason;
    default:
      return "unknown";
  }
}

export async function talk(socket: ChatSocket): Promise<number> {
  const yes: boolean = await socket.emitWithAck("chat:confirm", "sure?");
  const inTime: boolean = await socket.timeout(100).emitWithAck("chat:confirm", "sure?");
  const all: boolean[] = await io.timeout(100).emitWithAck("chat:confirm", "sure?");
  const some: boolean[] = await io.to("a").timeout(100).emitWithAck("chat:confirm", "sure?");
  const loads: number[] = await io.serverSideEmitWithAck("load");
  return [yes, inTime, ...all, ...some, ...loads].length;
}

export async function everybody(): Promise<void> {
  const sockets: RemoteSocket<ServerToClientEvents, SocketData>[] = await io
    .in("a")
    .local.fetchSockets();
  for (const remote of sockets) {
    remote.emit("chat:message", remote.id, remote.data.user.name);
    remote.timeout(10).emit("chat:confirm", "?", (error, answers) => {
      console.log(error.message, answers);
    });
    remote.join(["a", "b"]);
    remote.leave("a");
    console.log(remote.rooms.size, remote.handshake.url);
    remote.disconnect(true);
  }
  io.socketsJoin("a");
  io.in(["a", "b"]).socketsLeave(["c"]);
  io.except("a").disconnectSockets(true);
  const ids: Set<string> = await io.allSockets();
  console.log(ids.size);
}

export function selections(): BroadcastOperator<ServerToClientEvents, SocketData>[] {
  io.emit("chat:message", "a", "b");
  io.send("text").write("text");
  io.volatile.emit("no arguments");
  io.local.compress(true).to("a").emit("no arguments");
  io.timeout(10).emit("chat:confirm", "?", (error, answers) => {
    const count: number = answers.filter((yes: boolean) => yes).length;
    console.log(error.message, count);
  });
  io.serverSideEmit("reload", ["a"]);
  io.serverSideEmit("load", (error, averages) => {
    const sum: number = averages.reduce((a, b) => a + b, 0);
    console.log(error.message, sum);
  });
  io.on("reload", (what) => console.log(what.length));
  io.on("load", (answer) => answer(1));
  io.on("new_namespace", (nsp: ChatNamespace) => console.log(nsp.name));
  return [];
}

export function namespaces(): void {
  const main: ChatNamespace = io.sockets;
  const admin = io.of("/admin", (socket) => console.log(socket.data.user.name));
  admin.use((socket, next) => next(socket.data.user.id === "1" ? undefined : new Error("no")));
  admin.on("connect", (socket) => socket.emit("no arguments"));
  io.of(/^\/room-\d+$/).on("connection", (socket) => console.log(socket.nsp.name));
  io.of((name, auth, next) => next(null, name === auth["name"])).emit("no arguments");
  console.log(main.sockets.size, main.sockets.get("id")?.data.user.name, main.name);
  main.adapter.on("create-room", (room: string) => console.log(room));
  main.adapter.on("join-room", (room: string, id: string) => console.log(room, id));
  console.log(main.adapter.rooms.get("a")?.size, main.adapter.sids.get("id")?.has("a"));
  main.send("text").write("text");
  main.except("a").emit("no arguments");
}

export function engine(): void {
  io.engine.on("initial_headers", (headers, req) => {
    headers["test"] = (req as IncomingMessage).url;
  });
  io.engine.on("headers", (headers) => {
    headers["set-cookie"] = "a=b";
  });
  io.engine.once("connection", (rawSocket) => console.log(rawSocket.id));
  io.engine.on("connection_error", (error) => {
    console.log(error.req, error.code, error.message, error.context);
  });
  io.engine.generateId = (req: IncomingMessage) => req.url ?? "";
  io.engine.use((req: IncomingMessage, _res: ServerResponse, next: () => void) => {
    console.log(req.url);
    next();
  });
  console.log(io.engine.clientsCount);
  const httpServer = createServer((req, res) => io.engine.handleRequest(req as never, res));
  httpServer.on("upgrade", (req, socket, head) => {
    io.engine.handleUpgrade(req, socket, head);
  });
}

export function settings(): void {
  const path: string = io.path();
  const timeout: number = io.connectTimeout();
  const isServing: boolean = io.serveClient();
  io.path(path).connectTimeout(timeout).serveClient(isServing);
  void io.close((error) => console.log(error?.message));
  io.httpServer.on("close", () => {});
}

// Without event maps everything goes.
export const untyped = new Server(createServer());
untyped.on("connection", (socket) => {
  socket.data.anything = 1;
  socket.on("anything", (a, b, done) => done(a + b));
  socket.on("async", async (file: Buffer) => {
    await socket.join(file.toString());
  });
  socket.emit("anything", 1, "two", { three: 3 }, (answer: string) => console.log(answer));
  socket.to("a").emit("anything", 1);
});
untyped.of("/x").emit("anything", 1);
untyped.on("anything", (a: number) => console.log(a));

// Functions of libraries take sockets and servers without event maps, or with any.
export function takesAnySocket(socket: Socket): string {
  return socket.id;
}
export function takesMaps<Listen extends DefaultEventsMap, Emit extends DefaultEventsMap>(
  server: Server<Listen, Emit>,
): Namespace<Listen, Emit> {
  return server.of("/x");
}
untyped.use((socket, next) => next(takesAnySocket(socket) === "" ? new Error("no id") : undefined));
export const isSocket = (value: unknown): boolean =>
  value instanceof Socket || value instanceof Namespace || value instanceof Server;
