import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import { text } from "node:stream/consumers";
import { codecV3, codecV4 } from "@jackfield/parser";
import { FakeClock, RawConnection, rawRequest } from "@jackfield/testkit";
import { expect, onTestFinished, test } from "vitest";
import type { EnginePacket } from "../../src/codec.js";
import type { TransportError } from "../../src/errors.js";
import { TimerWheel } from "../../src/timer-wheel.js";
import { plainFormat } from "../../src/transports/polling-format.js";
import { PollingTransport, type PollingTransportInit } from "../../src/transports/polling.js";

/** A transport that serves every request of an HTTP server, and what its host heard. */
function makeTransport(init: Partial<PollingTransportInit> = {}) {
  const clock = new FakeClock();
  const packets: EnginePacket[] = [];
  const log: string[] = [];
  const transport = new PollingTransport({
    codec: codecV4,
    supportsBinary: true,
    scheduler: new TimerWheel(clock),
    maxHttpBufferSize: 100,
    format: plainFormat,
    httpCompression: false,
    onHeaders: () => {},
    ...init,
  });
  const ends = new EventEmitter();
  /** Resolves when the host hears of the end of the connection. */
  const ended = once(ends, "end");
  const heard = (what: string): void => {
    log.push(what);
    ends.emit("end");
  };
  transport.host({
    onPacket: (packet) => void packets.push(packet),
    onReady: () => log.push("ready"),
    onClose: () => heard("close"),
    onError: ({ code, message }: TransportError) => heard(`${code} ${message}`),
    onParseError: ({ code }) => heard(code),
  });
  return { transport, clock, packets, log, ended };
}

async function listen(server: NetServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function serve(init?: Partial<PollingTransportInit>) {
  const made = makeTransport(init);
  const server = createServer((req, res) => made.transport.onRequest(req, res));
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const start = (method: string, body?: string | Buffer, contentType = "text/plain") => {
    const connection = new RawConnection(port);
    onTestFinished(() => connection.destroy());
    const headers = { "Content-Type": contentType };
    const request = { method, path: "/", headers, ...(body === undefined ? {} : { body }) };
    return { connection, response: connection.request(request) };
  };
  return {
    ...made,
    port,
    start,
    post: (body: string | Buffer, contentType?: string) =>
      start("POST", body, contentType).response,
    /** Sends the beginning of a data request, and resolves when the transport has seen it. */
    unfinishedPost: async () => {
      const seen = once(server, "request");
      const connection = new RawConnection(port);
      connection.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n4");
      await seen;
      return connection;
    },
    /** Starts a poll, and resolves when it waits. */
    waitingPoll: async () => {
      const ready = once(made.transport, "ready");
      const poll = start("GET");
      await ready;
      return poll;
    },
  };
}

const message = (data: string | Buffer): EnginePacket => ({ type: "message", data });

test("a poll makes the transport writable, and the next payload answers it (37)", async () => {
  const { transport, log, waitingPoll } = await serve();
  expect(transport.writable).toBe(false);
  const poll = await waitingPoll();
  expect(transport.writable).toBe(true);
  let isWritten = false;
  const written = new Promise<void>((resolve) => {
    transport.send([message("é"), message(Buffer.from([1, 2, 3]))], () => {
      isWritten = true;
      resolve();
    });
  });
  expect(isWritten).toBe(false);
  expect(transport.writable).toBe(false);
  const { status, headers, body } = await poll.response;
  await written;
  expect(status).toBe(200);
  expect(body).toBe("4é\x1ebAQID");
  expect(Object.fromEntries(headers)).toMatchObject({
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Length": "9",
    "cache-control": "no-store",
  });
  expect(log).toEqual(["ready"]);
});

test("what is sent without a poll is not taken", async () => {
  const { transport, waitingPoll } = await serve();
  transport.send([message("lost")]);
  const poll = await waitingPoll();
  transport.send([message("kept")]);
  expect((await poll.response).body).toBe("4kept");
});

test("bytes in protocol 3 make a binary answer (37)", async () => {
  const { transport, waitingPoll } = await serve({ codec: codecV3 });
  const poll = await waitingPoll();
  transport.send([message(Buffer.from([7]))]);
  const response = await poll.response;
  expect(response.header("Content-Type")).toBe("application/octet-stream");
  expect(response.bytes).toEqual(Buffer.from([1, 2, 255, 4, 7]));
});

test("a data request is answered with ok after its packets (30)", async () => {
  const { packets, post } = await serve();
  const response = await post("4a\x1ebAQI=\x1e3");
  expect(packets).toEqual([message("a"), message(Buffer.from([1, 2])), { type: "pong" }]);
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "Content-Type": "text/html",
    "Content-Length": "2",
    "cache-control": "no-store",
  });
  expect(response.body).toBe("ok");
});

test.each([
  ["garbage", "x", "ERR_PACKET_TYPE"],
  ["nothing", "", "ERR_PACKET_TYPE"],
])("a body of %s is answered with ok, and is a parse error (31)", async (_name, body, code) => {
  const { log, post } = await serve();
  expect((await post(body)).body).toBe("ok");
  expect(log).toEqual([code]);
});

test("packets before garbage are handed over, those behind it are not (32)", async () => {
  const { packets, log, post } = await serve();
  await post("4a\x1ex\x1e4b");
  expect(packets).toEqual([message("a")]);
  expect(log).toEqual(["ERR_PACKET_TYPE"]);
});

test("a second poll is refused, and is an error (28)", async () => {
  const { transport, log, start, waitingPoll } = await serve();
  const first = await waitingPoll();
  const second = await start("GET").response;
  expect([second.status, second.body]).toEqual([400, ""]);
  expect(log).toEqual(["ready", "ERR_TRANSPORT_OVERLAP overlap from client"]);
  transport.close();
  expect((await first.response).body).toBe("1");
});

test("a second data request is refused; closing then cuts the first one off (29)", async () => {
  const { transport, log, post, unfinishedPost } = await serve();
  const first = await unfinishedPost();
  const second = await post("4b");
  expect([second.status, second.body]).toEqual([400, ""]);
  expect(log).toEqual(["ERR_TRANSPORT_OVERLAP data request overlap from client"]);
  transport.close();
  expect(await first.closed).toHaveLength(0);
});

test.each([
  ["application/octet-stream", 400, ["ERR_TRANSPORT_PROTOCOL invalid content"]],
  ["application/octet-stream; x", 200, []],
  ["text/plain;charset=UTF-8", 200, []],
])("a body of type %s is answered with %i in protocol 4 (34)", async (type, status, expected) => {
  const { log, post } = await serve();
  expect((await post("4a", type)).status).toBe(status);
  expect(log).toEqual(expected);
});

test("a binary body of protocol 3 is read as bytes", async () => {
  const { packets, post } = await serve({ codec: codecV3 });
  const body = Buffer.from([1, 2, 255, 4, 7]);
  expect((await post(body, "application/octet-stream")).body).toBe("ok");
  expect(packets).toEqual([message(Buffer.from([7]))]);
});

test("a body above the limit is refused, and the transport goes on (35)", async () => {
  const { packets, log, post } = await serve();
  const refused = await post(`4${"a".repeat(100)}`);
  expect([refused.status, refused.body]).toEqual([413, ""]);
  expect((await post(`4${"a".repeat(99)}`)).status).toBe(200);
  expect(packets).toEqual([message("a".repeat(99))]);
  expect(log).toEqual([]);
});

test("a client that hangs up its poll is an error (36)", async () => {
  const { transport, log, ended, waitingPoll } = await serve();
  const { connection } = await waitingPoll();
  connection.destroy();
  await ended;
  expect(log).toEqual(["ready", "ERR_TRANSPORT_ABORTED poll connection closed prematurely"]);
  expect(transport.writable).toBe(false);
});

test("a client that hangs up in the middle of its data is an error (36)", async () => {
  const { log, ended, unfinishedPost } = await serve();
  (await unfinishedPost()).destroy();
  await ended;
  expect(log).toEqual(["ERR_TRANSPORT_ABORTED data request connection closed prematurely"]);
});

test.each(["PUT", "DELETE", "OPTIONS"])("a %s is answered with 500 (9)", async (method) => {
  const { log, start } = await serve();
  const response = await start(method).response;
  expect([response.status, response.body]).toEqual([500, ""]);
  expect(log).toEqual([]);
});

test("a close packet ends the transport, and a waiting poll with a noop (33)", async () => {
  const { packets, log, post, waitingPoll } = await serve();
  const poll = await waitingPoll();
  expect((await post("4a\x1e1\x1e4b")).body).toBe("ok");
  expect((await poll.response).body).toBe("6");
  expect(packets).toEqual([message("a")]);
  expect(log).toEqual(["ready", "close"]);
});

test("a transport that closes in the middle of a payload hands over no more of it", async () => {
  const { transport, packets, post } = await serve();
  transport.once("packet", () => {
    transport.discard();
    transport.close();
  });
  expect((await post("4a\x1e4b\x1ex")).body).toBe("ok");
  expect(packets).toEqual([message("a")]);
});

test("closing answers a waiting poll with a close packet (38)", async () => {
  const { transport, waitingPoll } = await serve();
  const poll = await waitingPoll();
  let isClosed = false;
  transport.close(() => (isClosed = true));
  expect(isClosed).toBe(true);
  expect((await poll.response).body).toBe("1");
});

test("closing without a poll waits for one, and answers it with noop and close (38)", async () => {
  const { transport, start } = await serve();
  const closed = new Promise<void>((resolve) => transport.close(resolve));
  expect((await start("GET").response).body).toBe("6\x1e1");
  await closed;
});

test("a poll that never comes is waited for until closeTimeout (38)", () => {
  const { transport, clock } = makeTransport();
  let isClosed = false;
  transport.close(() => (isClosed = true));
  clock.advance(29_000);
  expect(isClosed).toBe(false);
  clock.advance(2000);
  expect(isClosed).toBe(true);
  expect(clock.pending).toBe(0);
});

test("a discarded transport waits for nobody (39, 52)", () => {
  const { transport, clock } = makeTransport();
  let isClosed = false;
  transport.discard();
  transport.close(() => (isClosed = true));
  expect(isClosed).toBe(true);
  expect(clock.pending).toBe(0);
});

test("closing twice answers both at once when the transport is closed already", () => {
  const { transport } = makeTransport();
  const log: string[] = [];
  transport.on("close", () => log.push("event"));
  transport.discard();
  transport.close(() => log.push("first"));
  transport.close(() => log.push("second"));
  expect(log).toEqual(["first", "event", "second"]);
});

test.each([
  ["Mozilla/4.0 (compatible;MSIE 8.0)", "0"],
  ["Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0)", "0"],
  ["Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0", undefined],
])("for %s, X-XSS-Protection is %s (27)", async (userAgent, expected) => {
  const { port } = await serve();
  const headers = { "User-Agent": userAgent };
  const response = await rawRequest({ port, method: "POST", path: "/", headers, body: "4a" });
  expect(response.header("X-XSS-Protection")).toBe(expected);
});

test("the server and observers may add headers to either answer", async () => {
  const { transport, post, waitingPoll } = await serve({
    onHeaders: (headers, req) => (headers["X-Method"] = req.method ?? ""),
  });
  transport.on("headers", (headers) => (headers["X-Observed"] = ["1", "2"]));
  expect((await post("4a")).header("X-Method")).toBe("POST");
  const poll = await waitingPoll();
  transport.send([message("a")]);
  const response = await poll.response;
  expect(response.header("X-Method")).toBe("GET");
  expect(response.header("X-Observed")).toBe("1, 2");
});

test("over HTTP/2, a compressed answer leaves the transport open (139)", async () => {
  const { transport, log } = makeTransport({ httpCompression: { threshold: 10 } });
  const server = createHttp2Server((req, res) =>
    // One cast: the compatible API of HTTP/2 has all that is used of a request and its response.
    transport.onRequest(req as never, res as never),
  );
  const port = await listen(server);
  const client = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const get = (): Promise<string> => {
    const stream = client.request({ ":path": "/", "accept-encoding": "gzip" });
    return text(stream);
  };
  for (let count = 1; count <= 2; count += 1) {
    const ready = once(transport, "ready");
    const answer = get();
    await ready;
    transport.send([message("a".repeat(1000))]);
    expect((await answer).length).toBeGreaterThan(0);
  }
  expect(log).toEqual(["ready", "ready"]);
});
