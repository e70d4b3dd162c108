import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { Server } from "@jackfield/socketio";
import { io as connectNew } from "socket.io-client";
import { describe, expect, onTestFinished, test } from "vitest";

const require = createRequire(import.meta.url);

/** What these tests use of a client of Socket.IO 1 or 2, for which there are no types. */
interface OldSocket {
  readonly id: string;
  readonly io: { readonly engine: { readonly transport: { readonly name: string } } };
  on(event: string, listener: (...args: never[]) => void): unknown;
  once(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  disconnect(): unknown;
}

type Connect = (url: string, options: object) => OldSocket;

const CLIENTS: [version: string, connect: Connect][] = [
  ["2.5.0", require("socket.io-client-2") as Connect],
  ["1.7.4", require("socket.io-client-1") as Connect],
];
const TRANSPORTS = [["polling"], ["websocket"], ["polling", "websocket"]];

async function start() {
  const httpServer = createServer();
  const io = new Server(httpServer, { allowEIO3: true });
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    httpServer.closeAllConnections();
    await io.close();
  });
  // One cast: a server that listens on a port has an address.
  return { io, url: `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}` };
}

/** Resolves with the arguments of the next event of this name. */
function next(socket: OldSocket, event: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    socket.once(event, (...args: unknown[]) => resolve(args));
  });
}

const cells = CLIENTS.flatMap(([version, connect]) =>
  TRANSPORTS.map((transports) => ({ version, connect, transports })),
);

describe.each(cells)("socket.io-client $version over $transports", ({ connect, transports }) => {
  async function open(url: string, options = {}): Promise<OldSocket> {
    const client = connect(url, { transports, forceNew: true, reconnection: false, ...options });
    onTestFinished(() => void client.disconnect());
    await next(client, "connect");
    return client;
  }

  test("events, acknowledgements and bytes in both directions", async () => {
    const { io, url } = await start();
    io.on("connection", (socket) => {
      socket.on("echo", (...args: unknown[]) => {
        const answer = args.pop() as (...back: unknown[]) => void;
        answer(...args);
      });
      socket.on("ask", () => {
        socket.emit("question", Buffer.from([9, 8]), (answer: Buffer) => {
          socket.emit("answered", answer);
        });
      });
    });
    const client = await open(url);
    const sent = [1, "text", { a: [true, null] }, Buffer.from([1, 2, 255])];
    const back = await new Promise<unknown[]>((resolve) => {
      client.emit("echo", ...sent, (...args: unknown[]) => resolve(args));
    });
    expect(back).toEqual(sent);
    client.on("question", (bytes: Buffer, answer: (bytes: Buffer) => void) => {
      answer(Buffer.concat([bytes, Buffer.from([7])]));
    });
    const answered = next(client, "answered");
    client.emit("ask");
    expect(await answered).toEqual([Buffer.from([9, 8, 7])]);
  });

  test("rooms and broadcasts reach old and new clients alike, text and bytes", async () => {
    const { io, url } = await start();
    io.on("connection", (socket) => void socket.join("room"));
    const client = await open(url);
    const modern = connectNew(url, { transports: ["websocket"], forceNew: true });
    onTestFinished(() => void modern.disconnect());
    await new Promise<void>((resolve) => modern.once("connect", resolve));
    for (const payload of ["text", Buffer.from([1, 2, 3])]) {
      const both = [
        next(client, "news"),
        new Promise((resolve) => modern.once("news", (...args: unknown[]) => resolve(args))),
      ];
      io.to("room").emit("news", payload);
      expect(await Promise.all(both)).toEqual([[payload], [payload]]);
    }
  });

  test("namespaces with a query, which is in handshake.auth (137)", async () => {
    const { io, url } = await start();
    const joined = once(io.of("/admin"), "connection");
    const client = await open(`${url}/admin?token=abc`);
    const [socket] = await joined;
    expect(socket.handshake.auth).toMatchObject({ token: "abc" });
    const hello = next(client, "hello");
    io.of("/admin").emit("hello", 1);
    expect(await hello).toEqual([1]);
  });

  test("a middleware error is an error event (77)", async () => {
    const { io, url } = await start();
    io.of("/closed").use((_socket, refuse) => refuse(new Error("not you")));
    const client = connect(`${url}/closed`, { transports, forceNew: true, reconnection: false });
    onTestFinished(() => void client.disconnect());
    expect(await next(client, "error")).toEqual(["not you"]);
  });

  test("the end is told to both sides", async () => {
    const { io, url } = await start();
    const joined = once(io, "connection");
    const client = await open(url);
    const [socket] = await joined;
    const left = once(socket, "disconnect");
    client.disconnect();
    expect((await left)[0]).toMatch(/^(client namespace disconnect|transport close)$/);
    const again = once(io, "connection");
    const second = await open(url);
    const dropped = next(second, "disconnect");
    (await again)[0].disconnect(true);
    expect(await dropped).toEqual(["io server disconnect"]);
  });

  test("a hundred events in each direction keep their order", async () => {
    const { io, url } = await start();
    const received: number[] = [];
    io.on("connection", (socket) => {
      socket.on("count", (number: number) => {
        received.push(number);
        socket.emit("count", number);
      });
    });
    const client = await open(url);
    const expected = Array.from({ length: 100 }, (_, number) => number);
    const back: number[] = [];
    await new Promise<void>((resolve) => {
      client.on("count", (number: number) => {
        if (back.push(number) === expected.length) resolve();
      });
      for (const number of expected) client.emit("count", number);
    });
    expect(received).toEqual(expected);
    expect(back).toEqual(expected);
  });
});
