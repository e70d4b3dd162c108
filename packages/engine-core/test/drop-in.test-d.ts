import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { expectTypeOf, test } from "vitest";
import {
  attach,
  listen,
  parser,
  parserV3,
  type protocol,
  Server,
  type Socket,
  Transport,
  type transports,
  type AttachOptions,
  type BaseServer,
  type ErrorCallback,
  type ServerOptions,
} from "../src/index.js";

declare const httpServer: HttpServer;
declare const req: IncomingMessage;
declare const res: ServerResponse;
declare const stream: Duplex;
declare const socket: Socket;

test("the types of npm engine.io are there by name (X5)", () => {
  expectTypeOf<AttachOptions>().toMatchTypeOf<{ path?: string; destroyUpgradeTimeout?: number }>();
  expectTypeOf<ServerOptions>().toMatchTypeOf<{ pingTimeout?: number; allowEIO3?: boolean }>();
  expectTypeOf<Server>().toMatchTypeOf<BaseServer>();
  const verdict: ErrorCallback = (code, context) => {
    expectTypeOf(code).toEqualTypeOf<0 | 1 | 2 | 3 | 4 | 5 | undefined>();
    expectTypeOf(context?.name).toEqualTypeOf<string | undefined>();
  };
  verdict(Server.errors.FORBIDDEN, { message: "no", anything: 1 });
  verdict();
});

test("a server cannot be made by calling the package (X7)", () => {
  expectTypeOf<typeof protocol>().toEqualTypeOf<4>();
  // @ts-expect-error -- a class is not called
  Server(httpServer);
});

test("listen takes a callback behind the port or behind the options (X8)", () => {
  expectTypeOf(listen(3000)).toEqualTypeOf<Server>();
  expectTypeOf(listen(3000, () => {})).toEqualTypeOf<Server>();
  expectTypeOf(listen(3000, { path: "/a", pingTimeout: 1 }, () => {})).toEqualTypeOf<Server>();
  // @ts-expect-error -- nothing follows the callback
  listen(3000, () => {}, {});
});

test("attach takes the options of both (X9)", () => {
  const options: AttachOptions & ServerOptions = { path: "/a", pingTimeout: 1 };
  expectTypeOf(attach(httpServer, options)).toEqualTypeOf<Server>();
});

test("parser has the signatures of engine.io-parser (X12)", () => {
  const packet: parser.Packet = { type: "message", data: Buffer.alloc(1) };
  parser.encodePacket(packet, true, (encoded) => {
    expectTypeOf(encoded).toEqualTypeOf<parser.RawData>();
  });
  parser.encodePayload([packet], (payload) => {
    expectTypeOf(payload).toEqualTypeOf<string>();
  });
  const binaryType: parser.BinaryType = "arraybuffer";
  expectTypeOf(parser.decodePacket("4a", binaryType)).toEqualTypeOf<parser.Packet>();
  expectTypeOf(parser.decodePayload("4a")).toEqualTypeOf<parser.Packet[]>();
  expectTypeOf<parser.PacketType>().toMatchTypeOf<string>();
  const encoder = parser.createPacketEncoderStream();
  const decoder = parser.createPacketDecoderStream(100, "nodebuffer");
  expectTypeOf(encoder.readable.pipeThrough(decoder)).toEqualTypeOf(decoder.readable);
});

test("arguments of parserV3 before the callback may be left out (X13)", () => {
  const packet: parser.Packet = { type: "ping" };
  const callback = (encoded: string | Buffer): void => void encoded;
  parserV3.encodePacket(packet, callback);
  parserV3.encodePacket(packet, true, callback);
  parserV3.encodePacket(packet, true, false, callback);
  parserV3.encodePayload([packet], callback);
  parserV3.decodePayload("1:2", (decoded, index, total) => {
    expectTypeOf(decoded).toEqualTypeOf<parser.Packet>();
    expectTypeOf([index, total]).toEqualTypeOf<number[]>();
  });
  // @ts-expect-error -- without a callback there is no result
  parserV3.encodePacket(packet, true);
});

test("a server has the members of npm engine.io (E1 to E14)", () => {
  const engine = new Server({ transports: ["polling", "websocket", "webtransport"] });
  expectTypeOf(engine.clientsCount).toEqualTypeOf<number>();
  expectTypeOf(engine.clients).toEqualTypeOf<Record<string, Socket>>();
  expectTypeOf(engine.upgrades("polling")).toMatchTypeOf<string[]>();
  expectTypeOf(engine.close()).toEqualTypeOf<Server>();
  expectTypeOf(engine.handleRequest(req, res)).toEqualTypeOf<void>();
  expectTypeOf(engine.handleUpgrade(req, stream, Buffer.alloc(0))).toEqualTypeOf<void>();
  engine.generateId = (request) => request.url ?? Promise.resolve("id");
  engine.use((request, response, next) => {
    expectTypeOf(request).toEqualTypeOf<IncomingMessage>();
    expectTypeOf(response).toEqualTypeOf<ServerResponse>();
    next();
  });
  engine.on("connection", (connected) => expectTypeOf(connected).toEqualTypeOf<Socket>());
  // @ts-expect-error -- read, but not replaced
  engine.middlewares = [];
});

test("a socket sends, and tells of its transport (G1, G2, H1)", () => {
  expectTypeOf(socket.send("a", { compress: true })).toEqualTypeOf<Socket>();
  socket.write(Buffer.alloc(1), (transport) => {
    expectTypeOf(transport).toEqualTypeOf<Transport>();
  });
  socket.on("upgrade", (transport) => expectTypeOf(transport).toEqualTypeOf<Transport>());
  expectTypeOf(socket.transport).toEqualTypeOf<Transport>();
  expectTypeOf(socket.transport.readyState).toEqualTypeOf<"open" | "closing" | "closed">();
  expectTypeOf(socket.transport.protocol).toEqualTypeOf<3 | 4>();
  socket.transport.on("headers", (headers, request) => {
    headers["x"] = "y";
    expectTypeOf(request).toEqualTypeOf<IncomingMessage>();
  });
  expectTypeOf(socket.server?.clientsCount).toEqualTypeOf<number | undefined>();
});

test("the class of all transports is abstract (H1, H2)", () => {
  expectTypeOf<InstanceType<typeof transports.polling>>().toMatchTypeOf<Transport>();
  expectTypeOf<InstanceType<typeof transports.websocket>>().toMatchTypeOf<Transport>();
  // @ts-expect-error -- it is for instanceof, and to be extended
  expectTypeOf(new Transport());
});
