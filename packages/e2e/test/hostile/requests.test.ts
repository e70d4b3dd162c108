import type { Duplex } from "node:stream";
import { gzipSync } from "node:zlib";
import {
  formatFrame,
  OPCODE,
  RawConnection,
  type RawPolling,
  rawRequest,
  type RawResponse,
  RawWebSocket,
} from "@jackfield/testkit";
import type { Socket } from "@jackfield/socketio";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { onCleanup } from "../support/cleanup.js";
import { range } from "../support/range.js";
import { first, received } from "../support/wait.js";
import { leave, sidIn, Target, unharmed } from "./target.js";

const UNKNOWN_SID = '{"code":1,"message":"Session ID unknown"}';

const UPGRADE =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** Times short enough to wait for. */
const SHORT = { pingInterval: 200, pingTimeout: 1500, upgradeTimeout: 300, connectTimeout: 300 };

/** Sends bytes and resolves with all that came back until the server closed the connection. */
async function exchange(target: Target, bytes: string | Buffer): Promise<string> {
  const connection = new RawConnection(target.port);
  onCleanup(() => connection.destroy());
  connection.write(bytes);
  return (await connection.closed).toString("latin1");
}

function statusOf(answer: string): string {
  return answer.split("\r\n", 1)[0] ?? "";
}

describe("injection", () => {
  const BREAKS = ["\r\nX-Evil: 1", "%0d%0aX-Evil:%201", "\nX-Evil: 1", "%0aX-Evil:%201", "\u0000"];

  test("nothing of a request comes back in the head of a response", async () => {
    const target = await Target.start({
      cookie: true,
      cors: { origin: true, credentials: true, exposedHeaders: ["x"] },
    });
    for (const text of ["%0d%0aX-Evil:%201", "%0aX-Evil:%201", "%00", "%22;X-Evil=1"]) {
      for (const name of ["sid", "transport", "EIO", "j", "t", "b64"]) {
        const path = `${target.polling}&${name}=${text}`;
        const answer = await rawRequest({ port: target.port, path });
        expect(headOf(answer)).not.toMatch(/evil/i);
        await closeOpened(target, answer, name === "j" ? "d=1" : "1");
      }
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a header with a line break ends where the line does, or the request is refused", async () => {
    const target = await Target.start({ cors: { origin: true } });
    for (const text of BREAKS) {
      const answer = await exchange(
        target,
        `GET ${target.polling} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: a${text}\r\n\r\n`,
      );
      expect(statusOf(answer)).toMatch(/^HTTP\/1.1 (?:200 OK|400 Bad Request)$/);
      expect(answer).not.toMatch(/\r\nx-evil/i);
      await closeOpened(target, answer);
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each([
    ["0", "___eio[0]("],
    ["0](alert(1));//", "___eio[01]("],
    ["__proto__", "___eio[]("],
    ["</script><script>1", "___eio[1]("],
    ["1\u2028;2", "___eio[12]("],
    ["%", "___eio[]("],
  ])("of the JSONP index %j only the digits are in the script", async (index, call) => {
    const target = await Target.start();
    const path = `${target.polling}&j=${encodeURIComponent(index)}`;
    const answer = await rawRequest({ port: target.port, path });
    expect(answer.body.slice(0, call.length)).toBe(call);
    expect(answer.body).toMatch(/^___eio\[\d*\]\("0\{\\"sid\\":\\"[\w-]{20}\\".*\}"\);$/);
    await closeOpened(target, answer, "d=1");
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("what a JSONP answer holds stays inside its string", async () => {
    const target = await Target.start();
    const sid = await target.openSession("EIO=4&transport=polling&j=0");
    const path = `${target.polling}&j=0&sid=${sid}`;
    const post = (packets: string): Promise<RawResponse> =>
      rawRequest({
        port: target.port,
        path,
        method: "POST",
        body: `d=${encodeURIComponent(packets)}`,
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
      });
    await post("40");
    await rawRequest({ port: target.port, path });
    const text = '");alert(1);("\u2028\u2029</script>\\';
    await post(`42${JSON.stringify(["echo", text])}`);
    const { body } = await rawRequest({ port: target.port, path });
    expect(body).not.toMatch(/[\u2028\u2029]/);
    const script = /^___eio\[0\]\((".*")\);$/.exec(body)?.[1] ?? "null";
    expect(JSON.parse(JSON.parse(script).slice(2))).toEqual(["echo", text]);
    await post("1");
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a query of a thousand and one keys loses the last, and harms nobody", async () => {
    const target = await Target.start();
    const many = range(1000).map((index) => `k${index}=1`);
    const path = `/socket.io/?${many.join("&")}&EIO=4&transport=polling`;
    const answer = await rawRequest({ port: target.port, path });
    expect(answer.body).toBe('{"code":0,"message":"Transport unknown"}');
    const form = `${"a=1&".repeat(200_000)}d=1`;
    const sid = await target.openSession("EIO=4&transport=polling&j=1");
    const posted = await rawRequest({
      port: target.port,
      path: `${target.polling}&sid=${sid}`,
      method: "POST",
      body: form,
    });
    expect([posted.status, posted.body]).toEqual([200, "ok"]);
    await rawRequest({
      port: target.port,
      path: `${target.polling}&sid=${sid}`,
      method: "POST",
      body: "d=1",
    });
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("compression", () => {
  /** A megabyte of zeros in a few hundred bytes, as a message of a WebSocket. */
  async function bomb(target: Target, size: number): Promise<{ code: number; wasOpen: boolean }> {
    const client = new WebSocket(`ws://127.0.0.1:${target.port}${target.websocket}`, {
      perMessageDeflate: { threshold: 0 },
    });
    onCleanup(() => client.terminate());
    await received(client as never, "message");
    const wasOpen = client.extensions.startsWith("permessage-deflate");
    const closed = new Promise<number>((resolve) => {
      client.on("close", resolve);
    });
    client.send(Buffer.alloc(size, "4"), { binary: false, compress: true });
    return { code: await closed, wasOpen };
  }

  test("a message that is larger than allowed only when it is inflated is refused", async () => {
    const target = await Target.start({ perMessageDeflate: true, maxHttpBufferSize: 10_000 });
    expect(await bomb(target, 100_000_000)).toEqual({ code: 1009, wasOpen: true });
    expect(await bomb(target, 10_001)).toEqual({ code: 1009, wasOpen: true });
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("many of them at a time are, too", async () => {
    const target = await Target.start({ perMessageDeflate: true, maxHttpBufferSize: 10_000 });
    const outcomes = await Promise.all(range(20).map(() => bomb(target, 5_000_000)));
    for (const outcome of outcomes) expect(outcome).toEqual({ code: 1009, wasOpen: true });
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a message that says it is compressed and is not is refused", async () => {
    const target = await Target.start({ perMessageDeflate: true });
    const client = await RawWebSocket.connect({
      port: target.port,
      path: target.websocket,
      headers: { "Sec-WebSocket-Extensions": "permessage-deflate" },
    });
    client.sendFrame({ opcode: OPCODE.text, rsv: 4, payload: Buffer.alloc(50, 0xff) });
    expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1007 });
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("without compression a compressed message is against the protocol", async () => {
    const target = await Target.start();
    const client = await target.openWebSocket();
    client.sendFrame({ opcode: OPCODE.text, rsv: 4, payload: "4" });
    expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1002 });
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a compressed request body is taken as it is and never inflated", async () => {
    const target = await Target.start();
    for (const coding of ["gzip", "deflate", "br", "x", "gzip, gzip, gzip"]) {
      const polling = await target.openPolling();
      const body = gzipSync(Buffer.alloc(50_000_000, "4"));
      const answer = await polling.post(body, { "Content-Encoding": coding });
      expect([answer.status, answer.body]).toEqual([200, "ok"]);
      // No packet begins like that, so that the session ends with a parse error.
      expect((await polling.poll()).body).toBe(UNKNOWN_SID);
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("requests that overlap", () => {
  test("a second poll gets 400, the first the end of the session", async () => {
    const target = await Target.start();
    const polling = await target.openPolling();
    const one = polling.startPoll();
    const other = polling.startPoll();
    const bodies = [(await one.response).body, (await other.response).body].sort();
    expect(bodies).toEqual(["", "1"]);
    expect((await polling.poll()).body).toBe(UNKNOWN_SID);
    for (const { connection } of [one, other]) connection.destroy();
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("fifty polls and posts at once end one session", async () => {
    const target = await Target.start();
    const polling = await target.openPolling();
    const requests = range(50).map((index) =>
      index % 2 === 0
        ? polling.startPoll()
        : polling.start({ method: "POST", contentLength: 10, body: "4" }),
    );
    await Promise.allSettled(requests.map(({ response }) => response));
    expect((await polling.poll()).body).toBe(UNKNOWN_SID);
    for (const { connection } of requests) connection.destroy();
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("pipelined polls of one connection are answered in order, or end the session", async () => {
    const target = await Target.start();
    const polling = await target.openPolling();
    const connection = new RawConnection(target.port);
    const get = `GET ${polling.target} HTTP/1.1\r\nHost: x\r\n\r\n`;
    connection.write(get.repeat(3));
    const answers = await Promise.all(range(3).map(() => connection.nextResponse()));
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, "1"],
      [400, ""],
      [400, UNKNOWN_SID],
    ]);
    connection.destroy();
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("requests behind one that ends the connection are lost, and nothing else is", async () => {
    const target = await Target.start();
    target.io.engine.use((_req: unknown, _res: unknown, next: () => void) => setImmediate(next));
    const polling = await target.openPolling();
    const refused = `GET ${polling.target} HTTP/1.1\r\n\r\n`;
    const post = `POST ${polling.target} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n4`;
    const get = `GET ${polling.target} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const answer = await exchange(target, refused + post + get);
    expect(answer).toMatch(
      /^HTTP\/1.1 400 Bad Request\r\nConnection: close\r\n[^]*\r\n\r\n0\r\n\r\n$/,
    );
    await endSession(target, polling);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("posts that are pipelined overlap: the connection is cut and the session ends", async () => {
    const target = await Target.start();
    const { polling, socket } = await joinByPolling(target);
    const gone = received(socket as never, "disconnect");
    const body = '42["echo",1]';
    const post = `POST ${polling.target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect(await exchange(target, post.repeat(100))).toBe("");
    const [reason, description] = await gone;
    expect([reason, (description as Error).message]).toEqual([
      "transport error",
      "data request overlap from client",
    ]);
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("bodies that smuggle", () => {
  test.each([
    ["two lengths", "Content-Length: 1\r\nContent-Length: 30\r\n"],
    ["a length and chunks", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"],
    ["chunks, and then not", "Transfer-Encoding: chunked, identity\r\n"],
    ["chunks with a space before the colon", "Transfer-Encoding : chunked\r\n"],
    ["a negative length", "Content-Length: -1\r\n"],
    ["a hexadecimal length", "Content-Length: 0x10\r\n"],
    ["a length with a sign", "Content-Length: +4\r\n"],
    ["a folded header", "Content-Length: 1\r\n 0\r\n"],
  ])("%s: the request is refused, and what follows is not read", async (_name, headers) => {
    const target = await Target.start();
    const polling = await target.openPolling();
    const answer = await exchange(
      target,
      `POST ${polling.target} HTTP/1.1\r\nHost: x\r\n${headers}\r\n` +
        `1\r\n4\r\n0\r\n\r\nGET ${target.polling} HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    expect(answer).toBe("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    // The session it was for has lost a data request at most.
    await endSession(target, polling);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each(["g", "-1", "10000000000000000", "0x5", "5 5"])(
    "a chunk of size %j ends the request and its session",
    async (size) => {
      const target = await Target.start();
      const polling = await target.openPolling();
      const answer = await exchange(
        target,
        `POST ${polling.target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n4abc\r\n0\r\n\r\n`,
      );
      expect(statusOf(answer)).toMatch(/^(?:HTTP\/1.1 400 Bad Request|)$/);
      expect((await polling.poll()).body).toBe(UNKNOWN_SID);
      expect(await target.aftermath()).toEqual(unharmed());
    },
  );

  test("a second request inside the body of the first is data", async () => {
    const target = await Target.start();
    const polling = await target.openPolling();
    const answer = await polling.post(`GET ${target.polling} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect([answer.status, answer.body]).toEqual([200, "ok"]);
    expect((await polling.poll()).body).toBe(UNKNOWN_SID);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a request behind the body of an upgrade is frames, not a request", async () => {
    const target = await Target.start();
    const answer = await exchange(
      target,
      `GET ${target.websocket} HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe("HTTP/1.1 101 Switching Protocols");
    // "GE" is a frame with a reserved bit set.
    expect(answer.endsWith("\u0088\u0002\u0003\u00ea")).toBe(true);
    expect(answer).not.toContain("404");
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("connections that do not go on", () => {
  test("a WebSocket that says nothing is closed by the connect timeout", async () => {
    const target = await Target.start(SHORT);
    const client = await target.openWebSocket();
    expect(await client.closed).toEqual({ hasCloseFrame: true, code: undefined });
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a WebSocket that answers no ping is closed by the ping timeout", async () => {
    const target = await Target.start(SHORT);
    const { client, socket } = await target.join();
    const gone = received(socket as never, "disconnect");
    expect((await gone)[0]).toBe("ping timeout");
    await client.closed;
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("polling clients that go away without a word are forgotten after the ping timeout", async () => {
    const target = await Target.start(SHORT);
    for (const index of range(20)) {
      const polling = await target.openPolling();
      if (index % 2 === 0) await polling.post("40");
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a client that closes its half of the connection is closed", async () => {
    const target = await Target.start();
    const connection = new RawConnection(target.port);
    connection.write(`GET ${target.websocket} HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
    expect((await connection.nextResponse()).status).toBe(101);
    connection.end();
    expect((await connection.closed).includes("101 Switching Protocols")).toBe(true);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a poll whose client closes its half is over, and so is the session", async () => {
    const target = await Target.start();
    const polling = await target.openPolling();
    const poll = polling.startPoll();
    const twin = polling.startPoll();
    await Promise.all([poll.response, twin.response]);
    for (const { connection } of [poll, twin]) connection.end();
    await Promise.all([poll.connection.closed, twin.connection.closed]);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("an upgrade for a path that nobody serves may be reset (15)", async () => {
    const target = await Target.start({ destroyUpgradeTimeout: 200 });
    for (const path of ["/", "/socket.io?EIO=4&transport=websocket"]) {
      const upgraded = new Promise<Duplex>((resolve) => {
        target.httpServer.once("upgrade", (_req, socket) => resolve(socket));
      });
      const connection = new RawConnection(target.port);
      connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
      const socket = await upgraded;
      const gone = received(socket, "close");
      connection.reset();
      await gone;
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("an upgrade that is never used is given up, and the session goes on", async () => {
    const target = await Target.start(SHORT);
    const polling = await target.openPolling();
    await polling.post("40");
    await polling.poll();
    const path = `${target.websocket}&sid=${polling.sid}`;
    const silent = await RawWebSocket.connect({ port: target.port, path });
    const probing = await RawWebSocket.connect({ port: target.port, path });
    expect(await probing.closed).toEqual({ hasCloseFrame: true, code: undefined });
    expect(await silent.closed).toEqual({ hasCloseFrame: true, code: undefined });
    expect((await polling.post('42["echo",1]')).body).toBe("ok");
    await polling.post("1");
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("heads and bodies that never come are cut by the limits of the HTTP server", async () => {
    const target = await Target.start(
      {},
      { connectionsCheckingInterval: 100, headersTimeout: 200, requestTimeout: 300 },
    );
    const polling = await target.openPolling();
    const slow = [
      "GET ",
      `GET ${target.polling} HTTP/1.1\r\nHost: x\r\nX-Slow: `,
      `POST ${polling.target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4`,
      `GET ${target.websocket} HTTP/1.1\r\nHost: x\r\n${UPGRADE}`,
    ];
    const answers = await Promise.all(slow.map((text) => exchange(target, text)));
    expect(answers.map(statusOf)).toEqual(slow.map(() => "HTTP/1.1 408 Request Timeout"));
    expect((await polling.poll()).body).toBe(UNKNOWN_SID);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a frame that never ends costs no more than what has come of it", async () => {
    const target = await Target.start(SHORT);
    const clients = await Promise.all(range(50).map(() => target.openWebSocket()));
    const header = formatFrame({ opcode: OPCODE.binary, payload: Buffer.alloc(999_999) });
    for (const client of clients) client.write(header.subarray(0, 20));
    // The close frame of a client would be taken for payload.
    for (const client of clients) {
      // A ping may come before.
      while ((await client.nextFrame()).opcode !== OPCODE.close);
      client.destroy();
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a million empty fragments are one message", async () => {
    const target = await Target.start();
    const { client } = await target.join();
    const fragment = formatFrame({ opcode: OPCODE.continuation, fin: false });
    client.sendFrame({ opcode: OPCODE.text, fin: false, payload: '42["echo",' });
    for (let left = 100; left > 0; left -= 1) {
      client.write(Buffer.concat(Array.from({ length: 10_000 }, () => fragment)));
    }
    client.sendFrame({ opcode: OPCODE.continuation, payload: "1]" });
    expect(await client.nextText()).toBe('42["echo",1]');
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a client that pings without reading the pongs is not answered without bound (Q10)", async () => {
    // Longer than reading all of it takes: the witness lives in the same process.
    const target = await Target.start({ pingInterval: 200, pingTimeout: 4000 });
    const { client, socket } = await target.join();
    const gone = received(socket as never, "disconnect");
    client.pause();
    const pings = Buffer.concat(
      Array.from({ length: 20_000 }, () =>
        formatFrame({ opcode: OPCODE.ping, payload: "x".repeat(125) }),
      ),
    );
    for (let left = 5; left > 0; left -= 1) client.write(pings);
    const { conn } = socket as unknown as { conn: { bufferedBytes: number } };
    expect((await gone)[0]).toBe("ping timeout");
    expect(conn.bufferedBytes).toBeLessThan(5_000_000);
    client.destroy();
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a middleware that throws lets nobody in and keeps nobody (Q22)", async () => {
    const target = await Target.start();
    target.io.of("/guarded").use(() => {
      throw new Error("middleware");
    });
    const client = await target.openWebSocket();
    client.send("40/guarded,");
    expect(await client.nextText()).toBe('44/guarded,{"message":"middleware"}');
    expect(target.io.of("/guarded").sockets.size).toBe(0);
    await leave(client);
    target.io._nsps.delete("/guarded");
    expect(await target.aftermath()).toEqual(unharmed("Error: middleware"));
  });

  test("a server closes in spite of a slow reader and of a half-sent request (Q22)", async () => {
    const target = await Target.start();
    const reader = await target.join();
    reader.client.pause();
    reader.socket.emit("data", "x".repeat(10_000_000));
    const polling = await target.openPolling();
    const half = polling.start({ method: "POST", contentLength: 10, body: "4" });
    const unfinished = new RawConnection(target.port);
    unfinished.write("GET / HTTP/1.1\r\nHost");
    onCleanup(() => {
      for (const connection of [half.connection, unfinished]) connection.destroy();
      reader.client.destroy();
    });
    await target.io.close();
    expect(target.httpServer.listening).toBe(false);
  });
});

/** A polling client in the namespace `/`, which has got its CONNECT packet. */
async function joinByPolling(target: Target): Promise<{ polling: RawPolling; socket: Socket }> {
  const connected = first<Socket>(target.io as never, "connection");
  const polling = await target.openPolling();
  await polling.post("40");
  await polling.poll();
  return { polling, socket: await connected };
}

function headOf(answer: RawResponse): string {
  return answer.raw.toString("latin1").split("\r\n\r\n", 1)[0] ?? "";
}

/** Ends the session that an answer has opened, if it has. */
async function closeOpened(
  target: Target,
  answer: RawResponse | string,
  body = "1",
): Promise<void> {
  const text = typeof answer === "string" ? answer : answer.body;
  const sid = sidIn(text);
  if (sid === undefined) return;
  const path = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
  await rawRequest({ port: target.port, path, method: "POST", body });
}

/** Ends a session, whether it is still there or not. */
async function endSession(target: Target, polling: RawPolling): Promise<void> {
  const { status } = await polling.post("1");
  expect([200, 400]).toContain(status);
  expect(target.io.engine).toBeDefined();
}
