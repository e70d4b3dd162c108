import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { gunzipSync } from "node:zlib";
import type { Socket as Session } from "engine.io";
import { describe, expect, test } from "vitest";
import { fix } from "../engine-wire/subject.js";
import { collect } from "../support/clients.js";
import { range } from "../support/range.js";
import { first, received, until } from "../support/wait.js";
import { makeCertificate } from "./certificate.js";
import { CELLS, connect, hex, idOf, messages, pair, settled } from "./clients.js";
import { Engine, host, Http2Client, listen } from "./hosts.js";

const server = makeCertificate("server");
const ada = makeCertificate("ada");
const TLS = { key: server.key, cert: server.cert };
const POLLING = "/engine.io/?EIO=4&transport=polling";
const TEXT = { "content-type": "text/plain;charset=UTF-8" };

/** The newest client, and the newest that speaks version 3. */
const SOME_CELLS = CELLS.filter(({ client }) => client === "6.6.8" || client === "3.5.6");

function nameOfPeer(socket: unknown): string | undefined {
  // Without a certificate, Node answers with an empty object.
  const { subject } = (socket as TLSSocket).getPeerCertificate() as Partial<PeerCertificate>;
  return subject?.CN;
}

describe.each(SOME_CELLS)("$name, over TLS", (cell) => {
  test.each([
    ["https", () => createHttpsServer(TLS)],
    ["http2 with allowHTTP1", () => createSecureServer({ ...TLS, allowHTTP1: true })],
  ])("messages of all sizes keep their order on a server of %s", async (_kind, create) => {
    // Clients of version 3 send everything in one POST.
    const running = await host(create(), { maxHttpBufferSize: 1e7 });
    const both = await pair(running, cell, { ca: server.cert });
    const onClient = messages(both.client);
    const onServer = messages(both.session);
    const sent = range(100).map((value) =>
      value % 3 === 0 ? Buffer.alloc(value * 300, value) : `${value} `.repeat(value * 100),
    );
    for (const data of sent) {
      both.client.send(data);
      both.session.send(data);
    }
    await settled(both);
    const expected = sent.map((data) => (typeof data === "string" ? data : hex(data)));
    expect(onServer()).toEqual(expected);
    expect(onClient()).toEqual(expected);
    const closed = first(both.session, "close");
    both.client.close();
    expect(await closed).toBe("transport close");
  });

  test("the certificate of the client can be seen in allowRequest and in the session", async () => {
    const asked: unknown[] = [];
    const running = await host(
      createHttpsServer({ ...TLS, ca: ada.cert, requestCert: true, rejectUnauthorized: true }),
      {
        allowRequest: (req, answer) => {
          asked.push(nameOfPeer(req.socket));
          answer(null, nameOfPeer(req.socket) === "ada");
        },
      },
    );
    const seen: unknown[] = [];
    // Here, because the connection of a poll may be gone soon.
    running.engine.on("connection", ({ request: { socket } }: Session) => {
      seen.push(nameOfPeer(socket), (socket as TLSSocket).authorized);
    });
    const both = await pair(running, cell, { ca: server.cert, cert: ada.cert, key: ada.key });
    await settled(both);
    expect([asked, seen]).toEqual([["ada"], ["ada", true]]);
  });

  test("a client without a certificate is nobody, whom allowRequest may refuse", async () => {
    const { engine, port } = await host(
      createHttpsServer({ ...TLS, ca: ada.cert, requestCert: true, rejectUnauthorized: false }),
      { allowRequest: (req, answer) => answer(null, nameOfPeer(req.socket) !== undefined) },
    );
    const refused = first(engine, "connection_error");
    const client = connect(port, cell, { ca: server.cert });
    const failed = received(client, "error");
    expect(await refused).toMatchObject({ code: 4 });
    await failed;
    expect(engine.clientsCount).toBe(0);
  });
});

describe("a server of HTTP/2", () => {
  async function open(
    options: object = {},
  ): Promise<{ http2: Http2Client; path: string; session: Session }> {
    const { engine, port } = await host(createSecureServer({ ...TLS, allowHTTP1: true }), options);
    const http2 = new Http2Client(port, server.cert);
    const connection = first<Session>(engine, "connection");
    const { status, body } = await http2.request(POLLING);
    const session = await connection;
    expect([status, body.startsWith(`0{"sid":"${idOf(session)}"`)]).toEqual([200, true]);
    return { http2, path: `${POLLING}&sid=${idOf(session)}`, session };
  }

  test("polls and posts go over streams of one connection", async () => {
    const { http2, path, session } = await open();
    expect(session.request.httpVersion).toBe("2.0");
    const onServer = messages(session);
    for (const round of range(5)) {
      const answer = http2.request(path);
      const posted = await http2.request(path, { ":method": "POST", ...TEXT }, `4to ${round}`);
      expect([posted.status, posted.body]).toEqual([200, "ok"]);
      session.send(`from ${round}`);
      session.send(Buffer.from([round]));
      const packets = (await answer).body.split("\x1e");
      if (packets.length === 1) packets.push((await http2.request(path)).body);
      expect(packets).toEqual([`4from ${round}`, `b${Buffer.from([round]).toString("base64")}`]);
    }
    expect(onServer()).toEqual(range(5).map((round) => `to ${round}`));
    expect(session.readyState).toBe("open");
  });

  test("what is too big is refused, and the session lives on (35)", async () => {
    const { http2, path, session } = await open({ maxHttpBufferSize: 10 });
    const { status, body } = await http2.request(
      path,
      { ":method": "POST", ...TEXT },
      "4".repeat(11),
    );
    expect([status, body]).toEqual([413, ""]);
    session.send("alive");
    expect((await http2.request(path)).body).toBe("4alive");
  });

  test("overlapping polls close the session (28)", async () => {
    const { http2, path, session } = await open();
    const closed = first(session, "close");
    const one = http2.request(path);
    const other = http2.request(path);
    expect(await closed).toBe("transport error");
    const answers = await Promise.all([one, other]);
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, "1"],
      [400, ""],
    ]);
  });

  test("a client that drops its poll closes the session (36)", async () => {
    const { http2, path, session } = await open();
    const closed = received(session, "close");
    const { stream } = http2.start(path);
    stream.end();
    // The post is answered after the poll has come in.
    await http2.request(path, { ":method": "POST", ...TEXT }, "4x");
    stream.close();
    const [reason, description] = await closed;
    expect([reason, (description as Error).message]).toEqual([
      "transport error",
      "poll connection closed prematurely",
    ]);
  });

  test("refusals are the same as over HTTP/1 (3)", async () => {
    const { http2 } = await open();
    const answers = [
      await http2.request(`${POLLING}&sid=unknown`),
      await http2.request("/engine.io/?EIO=4&transport=other"),
      await http2.request(POLLING, { ":method": "POST" }, ""),
    ];
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [400, '{"code":1,"message":"Session ID unknown"}'],
      [400, '{"code":0,"message":"Transport unknown"}'],
      [400, '{"code":2,"message":"Bad handshake method"}'],
    ]);
  });

  test("a session that the server closes says so to the next poll (38)", async () => {
    const { http2, path, session } = await open();
    const closed = first(session, "close");
    session.send("last");
    session.close();
    expect((await http2.request(path)).body).toBe("4last");
    expect((await http2.request(path)).body).toBe("6\x1e1");
    expect(await closed).toBe("forced close");
  });

  test(
    "compressed answers above the threshold do not end the session (139)",
    fix("the session ends with the first one", async () => {
      const { http2, path, session } = await open();
      for (const round of range(4)) {
        const text = `${round} `.repeat(5000);
        session.send(text);
        const { headers, bytes } = await http2.request(path, { "accept-encoding": "gzip" });
        expect(headers["content-encoding"]).toBe("gzip");
        expect(gunzipSync(bytes).toString()).toBe(`4${text}`);
      }
      const posted = await http2.request(path, { ":method": "POST", ...TEXT }, "4x");
      expect([posted.body, session.readyState]).toEqual(["ok", "open"]);
    }),
  );

  test("the headers of cors and of middlewares are on its answers (43)", async () => {
    const { engine, port } = await host(createSecureServer({ ...TLS, allowHTTP1: true }), {
      cors: { origin: "https://a.example", credentials: true },
      cookie: true,
    });
    engine.use((_req: IncomingMessage, res: ServerResponse, next: () => void) => {
      res.setHeader("x-middleware", "was here");
      next();
    });
    const http2 = new Http2Client(port, server.cert);
    const { headers } = await http2.request(POLLING, { origin: "https://a.example" });
    expect(headers).toMatchObject({
      "access-control-allow-origin": "https://a.example",
      "access-control-allow-credentials": "true",
      "x-middleware": "was here",
      "set-cookie": [expect.stringMatching(/^io=[\w-]{20}; Path=\/; HttpOnly; SameSite=Lax$/)],
    });
    const preflight = await http2.request(POLLING, {
      ":method": "OPTIONS",
      origin: "https://a.example",
      "access-control-request-method": "POST",
    });
    expect([preflight.status, preflight.body]).toEqual([204, ""]);
  });
});

describe.each(SOME_CELLS)("$name, and several servers", (cell) => {
  test("one engine serves several servers at once", async () => {
    const plain = createServer();
    const { engine, port } = await host(plain);
    const secure = createHttpsServer(TLS);
    engine.attach(secure);
    const securePort = await listen(secure, () => {});
    const one = await pair({ engine, port }, cell);
    const other = await pair({ engine, port: securePort }, cell, { ca: server.cert });
    await settled(one);
    await settled(other);
    expect(engine.clientsCount).toBe(2);
    expect(Object.keys(engine["clients"]).sort()).toEqual(
      [idOf(one.session), idOf(other.session)].sort(),
    );
  });

  test("engines of different paths share a server", async () => {
    const shared = createServer();
    const { engine, port } = await host(shared);
    const second = new Engine({ allowEIO3: true });
    second.attach(shared, { path: "/second" });
    const connection = first<Session>(second, "connection");
    const one = await pair({ engine, port }, cell);
    const client = connect(port, cell, { path: "/second" });
    const session = await connection;
    if (cell.transport === "upgrade") await until(() => session.upgraded);
    await settled({ client, session });
    await settled(one);
    expect([engine.clientsCount, second.clientsCount]).toEqual([1, 1]);
  });

  test("after close and with another server the engine serves again", async () => {
    const { engine, port } = await host(createServer());
    const before = await pair({ engine, port }, cell);
    const closed = [first(before.session, "close"), received(before.client, "close")];
    engine.close();
    expect((await Promise.all(closed))[0]).toBe("forced close");
    expect(engine.clientsCount).toBe(0);
    const next = createServer();
    engine.attach(next);
    const after = await pair({ engine, port: await listen(next, () => {}) }, cell);
    await settled(after);
    expect(engine.clientsCount).toBe(1);
  });

  test("the end of a server is the end of its engine's sessions", async () => {
    const plain = createServer();
    const { engine, port } = await host(plain);
    const both = await pair({ engine, port }, cell);
    const reasons = collect(both.session, "close");
    plain.emit("close");
    await until(() => reasons.length === 1);
    expect(reasons[0]?.[0]).toBe("forced close");
  });
});
