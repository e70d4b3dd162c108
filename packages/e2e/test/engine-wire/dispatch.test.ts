/* oxlint-disable vitest/expect-expect -- most assertions are in the expect… functions of subject.ts */
import type { RequestListener } from "node:http";

import { RawConnection, rawRequest, RawWebSocket } from "@jackfield/testkit";
import { expect, test } from "vitest";

import {
  expectAlive,
  expectRefusal,
  fix,
  makeEngine,
  openPolling,
  openUpgraded,
  openWebSocket,
  PATH,
  POLLING,
  WEBSOCKET,
} from "./subject.js";

const refuse = (_request: unknown, decide: (error: unknown, ok: boolean) => void): void =>
  decide(undefined, false);

const notOurs: RequestListener = (_request, response) => response.end("app");

test("whatever begins with the path and its slash is the engine's (1)", async () => {
  const { port } = await makeEngine({}, { app: notOurs });
  for (const path of [POLLING, "/engine.io/abc?EIO=4&transport=polling"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other keeps a failure readable
    const response = await rawRequest({ port, path });
    expect(response.body).toMatch(/^0\{"sid":/);
  }
});

test("a request that only resembles the path goes to the application (1)", async () => {
  const { port } = await makeEngine({}, { app: notOurs });
  const query = "?EIO=4&transport=polling";
  const paths = ["/engine.io", "/engine.iox/", "/engine%2eio/", "/Engine.io/", "/x/engine.io/"];
  const responses = await Promise.all(
    paths.map((path) => rawRequest({ port, path: path + query })),
  );
  expect(responses.map(({ body }) => body)).toEqual(paths.map(() => "app"));
});

test("without addTrailingSlash the path needs no slash (1)", async () => {
  const { port } = await makeEngine({}, { attach: { addTrailingSlash: false } });
  const paths = ["/engine.io", "/engine.io/", "/engine.iox"];
  const responses = await Promise.all(
    paths.map((path) => rawRequest({ port, path: `${path}?EIO=4&transport=polling` })),
  );
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
});

test("a path of one's own is matched with a slash at its end, given or not (1)", async () => {
  for (const path of ["/own", "/own/"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other keeps a failure readable
    const { port } = await makeEngine({}, { app: notOurs, attach: { path } });
    // oxlint-disable-next-line no-await-in-loop -- as above
    const responses = await Promise.all([
      rawRequest({ port, path: "/own/?EIO=4&transport=polling" }),
      rawRequest({ port, path: "/own?EIO=4&transport=polling" }),
    ]);
    expect(responses.map(({ body }) => body.slice(0, 2))).toEqual(["0{", "ap"]);
  }
});

test("the transport is looked at before the sid, the method and the version (2)", async () => {
  const { port } = await makeEngine();
  const base = `${PATH}?EIO=3&transport=foo`;
  const responses = await Promise.all([
    rawRequest({ port, path: base }),
    rawRequest({ port, path: `${base}&sid=unknown` }),
    rawRequest({ port, path: base, method: "POST", body: "4x" }),
  ]);
  for (const response of responses) {
    expectRefusal(response, 0, "Transport unknown");
  }
});

test("the sid is looked at before the method (2)", async () => {
  const { port } = await makeEngine();
  const path = `${POLLING}&sid=unknown`;
  expectRefusal(await rawRequest({ port, path, method: "PUT" }), 1, "Session ID unknown");
});

test("the method is looked at before the need of an upgrade (2)", async () => {
  const { port } = await makeEngine();
  const response = await rawRequest({ port, path: WEBSOCKET, method: "POST", body: "" });
  expectRefusal(response, 2, "Bad handshake method");
});

test("the method is looked at before allowRequest (2)", async () => {
  const { port } = await makeEngine({ allowRequest: refuse });
  const response = await rawRequest({ port, path: POLLING, method: "POST", body: "" });
  expectRefusal(response, 2, "Bad handshake method");
});

test("the need of an upgrade is looked at before allowRequest (2)", async () => {
  const { port } = await makeEngine({ allowRequest: refuse });
  expectRefusal(await rawRequest({ port, path: WEBSOCKET }), 3, "Bad request");
});

test("allowRequest is asked before the version is looked at (2)", async () => {
  const { port } = await makeEngine({ allowRequest: refuse });
  const path = `${PATH}?EIO=3&transport=polling`;
  expectRefusal(await rawRequest({ port, path }), 4, "Forbidden");
});

test("the version is looked at before an id is generated (2)", async () => {
  const { engine, port } = await makeEngine();
  let asked = 0;
  engine.generateId = () => {
    asked += 1;
    throw new Error("no id");
  };
  const path = `${PATH}?EIO=3&transport=polling`;
  expectRefusal(await rawRequest({ port, path }), 5, "Unsupported protocol version");
  expect(asked).toBe(0);
});

test("a refusal is JSON in chunks, without a charset and without a length (3)", async () => {
  const { port } = await makeEngine();
  const response = await rawRequest({ port, path: PATH });
  expect(response.statusLine).toBe("HTTP/1.1 400 Bad Request");
  expect(response.headers[0]).toEqual(["Content-Type", "application/json"]);
  expect(response.header("content-length")).toBeUndefined();
  expect(response.header("transfer-encoding")).toBe("chunked");
  expect(response.body).toBe('{"code":0,"message":"Transport unknown"}');
});

test("a refusal by allowRequest is 403 (3)", async () => {
  const { port } = await makeEngine({ allowRequest: refuse });
  const response = await rawRequest({ port, path: POLLING });
  expect(response.statusLine).toBe("HTTP/1.1 403 Forbidden");
  expect(response.header("content-type")).toBe("application/json");
  expect(response.body).toBe('{"code":4,"message":"Forbidden"}');
});

test("headers that a middleware has set stay on the refusal (3)", async () => {
  const { engine, port } = await makeEngine();
  engine.use((_request, response, next) => {
    response.setHeader("X-Set-Before", "1");
    next();
  });
  const response = await rawRequest({ port, path: PATH });
  expect(response.status).toBe(400);
  expect(response.headers).toContainEqual(["X-Set-Before", "1"]);
});

test("a connection stays usable after a refusal (3)", async () => {
  const { port } = await makeEngine();
  const connection = new RawConnection(port);
  expect((await connection.request({ path: PATH })).status).toBe(400);
  expect((await connection.request({ path: POLLING })).status).toBe(200);
  connection.destroy();
});

test.each(["", "foo", "constructor", "__proto__", "toString", "webtransport", "POLLING"])(
  'a request for transport "%s" is refused with code 0 (4)',
  async (transport) => {
    const { port, refusals } = await makeEngine();
    const path = `${PATH}?EIO=4&transport=${transport}`;
    expectRefusal(await rawRequest({ port, path }), 0, "Transport unknown");
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({
      code: 0,
      message: "Transport unknown",
      context: { transport },
    });
    expect(refusals[0]?.req.url).toBe(path);
  },
);

test("a request without a transport is refused with code 0 (4)", async () => {
  const { port } = await makeEngine();
  expectRefusal(await rawRequest({ port, path: `${PATH}?EIO=4` }), 0, "Transport unknown");
});

test("webtransport is no transport of plain requests, enabled or not (4)", async () => {
  const { port } = await makeEngine({ transports: ["polling", "webtransport"] });
  const path = `${PATH}?EIO=4&transport=webtransport`;
  expectRefusal(await rawRequest({ port, path }), 0, "Transport unknown");
});

test("a transport that is not enabled is refused with code 0 (4)", async () => {
  const { port } = await makeEngine({ transports: ["websocket"] });
  expectRefusal(await rawRequest({ port, path: POLLING }), 0, "Transport unknown");
});

test("websocket without an upgrade is refused with code 3 (4)", async () => {
  const { port, refusals } = await makeEngine();
  expectRefusal(await rawRequest({ port, path: WEBSOCKET }), 3, "Bad request");
  expect(refusals).toMatchObject([{ code: 3, context: { name: "TRANSPORT_HANDSHAKE_ERROR" } }]);
});

test.each(["unknown", "__proto__", "constructor", "hasOwnProperty"])(
  'a request with sid "%s" is refused with code 1 (4)',
  async (sid) => {
    const { port, refusals } = await makeEngine();
    const path = `${POLLING}&sid=${sid}`;
    expectRefusal(await rawRequest({ port, path }), 1, "Session ID unknown");
    expect(refusals).toMatchObject([{ code: 1, message: "Session ID unknown", context: { sid } }]);
  },
);

test("polling on an upgraded session is refused with code 3 (5)", async () => {
  const subject = await makeEngine();
  const { session } = await openUpgraded(subject);
  const path = `${POLLING}&sid=${session.id}`;
  expectRefusal(await rawRequest({ port: subject.port, path }), 3, "Bad request");
  expect(subject.refusals).toMatchObject([
    {
      code: 3,
      message: "Bad request",
      context: {
        name: "TRANSPORT_MISMATCH",
        transport: "polling",
        previousTransport: "websocket",
      },
    },
  ]);
});

test("websocket without an upgrade on a polling session is refused with code 3 (5)", async () => {
  const subject = await makeEngine();
  const pair = await openPolling(subject);
  const path = `${WEBSOCKET}&sid=${pair.client.sid}`;
  expectRefusal(await rawRequest({ port: subject.port, path }), 3, "Bad request");
  expect(subject.refusals).toMatchObject([{ context: { name: "TRANSPORT_MISMATCH" } }]);
  await expectAlive(pair);
});

test("a request of another protocol version than the session's is refused with code 3 (5)", async () => {
  const subject = await makeEngine({ allowEIO3: true });
  const pair = await openPolling(subject);
  const path = `${PATH}?EIO=3&transport=polling&sid=${pair.client.sid}`;
  expectRefusal(await rawRequest({ port: subject.port, path }), 3, "Bad request");
  expect(subject.refusals).toMatchObject([
    { code: 3, context: { name: "PROTOCOL_MISMATCH", protocol: 3, previousProtocol: 4 } },
  ]);
  await expectAlive(pair);
});

test("allowRequest is asked once for a session, whatever the session does later (6)", async () => {
  const asked: (string | undefined)[] = [];
  const subject = await makeEngine({
    allowRequest(request: { url?: string }, decide: (error: unknown, ok: boolean) => void) {
      asked.push(request.url);
      decide(null, true);
    },
  });
  const { session } = await openUpgraded(subject);
  expect(session.transport.name).toBe("websocket");
  await expectAlive(await openPolling(subject));
  await openWebSocket(subject);
  expect(asked).toEqual([POLLING, POLLING, WEBSOCKET]);
});

test("allowRequest may take its time (6)", async () => {
  const subject = await makeEngine({
    allowRequest(_request: unknown, decide: (error: unknown, ok: boolean) => void) {
      setImmediate(() => decide(null, true));
    },
  });
  await expectAlive(await openPolling(subject));
});

test("what allowRequest gives as its first argument is the message of the refusal (6)", async () => {
  const { port, refusals } = await makeEngine({
    allowRequest(_request: unknown, decide: (error: unknown, ok: boolean) => void) {
      decide("not today", false);
    },
  });
  expectRefusal(await rawRequest({ port, path: POLLING }), 4, "not today");
  expect(refusals).toMatchObject([
    { code: 4, message: "Forbidden", context: { message: "not today" } },
  ]);
});

test.each([undefined, null, ""])(
  "the message is Forbidden when allowRequest gives %j (6)",
  async (message) => {
    const { port } = await makeEngine({
      allowRequest(_request: unknown, decide: (error: unknown, ok: boolean) => void) {
        decide(message, false);
      },
    });
    expectRefusal(await rawRequest({ port, path: POLLING }), 4, "Forbidden");
  },
);

const refuseWith =
  (error: unknown) =>
  (_request: unknown, decide: (error: unknown, ok: boolean) => void): void =>
    decide(error, false);

// What is not text, as users do give it: a code, an error, an object.
const NO_TEXTS: readonly unknown[] = [4, new Error("not today"), { reason: "none" }];

test(
  "polling that allowRequest refuses with something other than text gets a text (7)",
  fix("the message is a number or an object", async () => {
    const answers = NO_TEXTS.map(async (value) => {
      const { port } = await makeEngine({ allowRequest: refuseWith(value) });
      const { status, body } = await rawRequest({ port, path: POLLING });
      const answer: unknown = JSON.parse(body);
      return { status, answer };
    });
    const expected = { status: 403, answer: { code: 4, message: expect.stringMatching(/./) } };
    expect(await Promise.all(answers)).toEqual(NO_TEXTS.map(() => expected));
  }),
);

test(
  "an upgrade that allowRequest refuses with something other than text gets a text (7)",
  fix("the process dies of a TypeError", async () => {
    const answers = NO_TEXTS.map(async (value) => {
      const { port } = await makeEngine({ allowRequest: refuseWith(value) });
      const outcome = await RawWebSocket.attempt({ port, path: WEBSOCKET });
      return outcome.name === "refused" ? outcome.response : outcome.name;
    });
    const expected = expect.objectContaining({ status: 400, body: expect.stringMatching(/./) });
    expect(await Promise.all(answers)).toEqual(NO_TEXTS.map(() => expected));
  }),
);

test("a middleware sees every polling request and every upgrade, in the order of use (8)", async () => {
  const subject = await makeEngine();
  const seen: string[] = [];
  for (const name of ["first", "second"]) {
    subject.engine.use((request, _response, next) => {
      seen.push(`${name} ${request.method} ${new URLSearchParams(request.url).get("transport")}`);
      setImmediate(next);
    });
  }
  await openUpgraded(subject);
  const handshake = ["first GET polling", "second GET polling"];
  const upgrade = ["first GET websocket", "second GET websocket"];
  expect(seen).toEqual([...handshake, ...upgrade]);
  await expectAlive(await openPolling(subject));
  const post = ["first POST polling", "second POST polling"];
  expect(seen.slice(4)).toEqual([...handshake, ...post, ...handshake]);
});

test("a middleware runs before anything is looked at (8)", async () => {
  const { engine, port } = await makeEngine({ allowRequest: refuse });
  const seen: (string | undefined)[] = [];
  engine.use((request, _response, next) => {
    seen.push(request.url);
    next();
  });
  const paths = [PATH, `${POLLING}&sid=unknown`, POLLING];
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- the order is what is shown
    await rawRequest({ port, path });
  }
  await RawWebSocket.attempt({ port, path: PATH });
  expect(seen).toEqual([...paths, PATH]);
});

test("an error of a middleware is code 3 and its text stays inside (8)", async () => {
  const { engine, port, refusals } = await makeEngine();
  engine.use((_request, _response, next) => next(new Error("internal detail")));
  const response = await rawRequest({ port, path: POLLING });
  expectRefusal(response, 3, "Bad request");
  expect(response.raw.toString("latin1")).not.toContain("internal detail");
  expect(refusals).toMatchObject([{ code: 3, context: { name: "MIDDLEWARE_FAILURE" } }]);
});

test("after an error of a middleware the next one is not asked (8)", async () => {
  const { engine, port } = await makeEngine();
  let asked = 0;
  engine.use((_request, _response, next) => next(new Error("stop")));
  engine.use((_request, _response, next) => {
    asked += 1;
    next();
  });
  await rawRequest({ port, path: POLLING });
  await RawWebSocket.attempt({ port, path: WEBSOCKET });
  expect(asked).toBe(0);
});

test("an error of a middleware refuses an upgrade with code 3 (8)", async () => {
  const { engine, port, refusals } = await makeEngine();
  engine.use((_request, _response, next) => next(new Error("internal detail")));
  const outcome = await RawWebSocket.attempt({ port, path: WEBSOCKET });
  expect(outcome).toMatchObject({
    name: "refused",
    response: { status: 400, body: "Bad request" },
  });
  expect(refusals).toMatchObject([{ code: 3, context: { name: "MIDDLEWARE_FAILURE" } }]);
});

test("a middleware may answer a request itself (8)", async () => {
  const { engine, port, refusals } = await makeEngine();
  engine.use((_request, response) => response.end());
  const response = await rawRequest({ port, path: POLLING });
  expect({ status: response.status, body: response.body }).toEqual({ status: 200, body: "" });
  expect(refusals).toEqual([]);
  expect(engine.clientsCount).toBe(0);
});

test("a middleware that ends the response of an upgrade cuts the connection (8)", async () => {
  const { engine, port } = await makeEngine();
  engine.use((_request, response) => response.end());
  const outcome = await RawWebSocket.attempt({ port, path: WEBSOCKET });
  expect(outcome.name).toBe("dropped");
  expect(outcome.name === "dropped" && outcome.received).toHaveLength(0);
});

test("headers that a middleware sets are on the answer of polling and on the 101 (8)", async () => {
  const subject = await makeEngine();
  subject.engine.use((_request, response, next) => {
    response.setHeader("X-Set-Before", "some value");
    next();
  });
  const polling = await openPolling(subject);
  const webSocket = await openWebSocket(subject);
  for (const { headers } of [polling.client.handshake, webSocket.client.response]) {
    expect(headers).toContainEqual(["X-Set-Before", "some value"]);
  }
});

test("a middleware can look up and take back the headers of an upgrade (8)", async () => {
  const subject = await makeEngine();
  const seen: unknown[] = [];
  subject.engine.use((_request, response, next) => {
    response.setHeader("X-Kept", "1");
    response.setHeader("X-Removed", "2");
    seen.push(response.getHeader("X-Kept"));
    response.removeHeader("X-Removed");
    next();
  });
  const { client } = await openWebSocket(subject);
  expect(seen).toEqual(["1"]);
  expect(client.response.header("x-kept")).toBe("1");
  expect(client.response.header("x-removed")).toBeUndefined();
});

test("a middleware can add headers at the moment when the head is written (8)", async () => {
  const subject = await makeEngine();
  // What session middlewares do: they set their cookie only when the head leaves.
  subject.engine.use((_request, response, next) => {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = (...args) => {
      response.setHeader("X-Late", "1");
      return writeHead(...args);
    };
    next();
  });
  const polling = await openPolling(subject);
  const webSocket = await openWebSocket(subject);
  expect(polling.client.handshake.header("x-late")).toBe("1");
  expect(webSocket.client.response.header("x-late")).toBe("1");
});

test(
  "several values of a header that a middleware sets are several lines of the 101 (8)",
  fix("the values stand in one line, joined by a comma", async () => {
    const subject = await makeEngine();
    subject.engine.use((_request, response, next) => {
      response.setHeader("Set-Cookie", ["a=1", "b=2"]);
      next();
    });
    const { client } = await openWebSocket(subject);
    const cookies = client.response.headers.filter(([name]) => name === "Set-Cookie");
    expect(cookies).toEqual([
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ]);
  }),
);

test.each(["PUT", "DELETE", "PATCH", "OPTIONS"])(
  "%s on a session is 500 without a body and leaves the session alone (9)",
  async (method) => {
    const subject = await makeEngine();
    const pair = await openPolling(subject);
    const response = await pair.client.start({ method }).response;
    expect(response.statusLine).toBe("HTTP/1.1 500 Internal Server Error");
    expect(response.body).toBe("");
    await expectAlive(pair);
    expect(subject.refusals).toEqual([]);
  },
);

test("HEAD on a session is 500 and leaves the session alone (9)", async () => {
  const pair = await openPolling(await makeEngine());
  expect((await pair.client.start({ method: "HEAD" }).response).status).toBe(500);
  await expectAlive(pair);
});

test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])(
  "%s without a session is refused with code 2 (10)",
  async (method) => {
    const { port, refusals } = await makeEngine();
    expectRefusal(await rawRequest({ port, path: POLLING, method }), 2, "Bad handshake method");
    expect(refusals).toMatchObject([{ code: 2, context: { method } }]);
  },
);

test("HEAD without a session is refused with code 2 (10)", async () => {
  const { port, refusals } = await makeEngine();
  const { status } = await rawRequest({ port, path: POLLING, method: "HEAD" });
  expect(status).toBe(400);
  expect(refusals).toMatchObject([{ code: 2 }]);
});

test("a control character in Origin does not get past the HTTP parser (11)", async () => {
  const { engine, port, refusals } = await makeEngine();
  const headers = { Origin: "http://a\u0001b" };
  const response = await rawRequest({ port, path: POLLING, headers });
  expect(response.status).toBe(400);
  expect(response.body).toBe("");
  expect(refusals).toEqual([]);
  expect(engine.clientsCount).toBe(0);
});

test("a control character in the Origin of a request made elsewhere is refused with code 3 (11)", async () => {
  const { engine, port, refusals } = await makeEngine();
  const origin = "http://example.org\u0001";
  engine.use((request, _response, next) => {
    request.headers.origin = origin;
    next();
  });
  expectRefusal(await rawRequest({ port, path: POLLING }), 3, "Bad request");
  const outcome = await RawWebSocket.attempt({ port, path: WEBSOCKET });
  expect(outcome).toMatchObject({ name: "refused", response: { body: "Bad request" } });
  const expected = { code: 3, context: { name: "INVALID_ORIGIN", origin } };
  expect(refusals).toMatchObject([expected, expected]);
  // Nobody who handles the event can pass the bad value on.
  expect(refusals.map(({ req }) => req.headers.origin)).toEqual([null, null]);
});

test.each(["http://example.org", "null", "http://exämple.org", "a\tb"])(
  "Origin %j is fine (11)",
  async (origin) => {
    const { port } = await makeEngine();
    const headers = { Origin: origin };
    expect((await rawRequest({ port, path: POLLING, headers })).status).toBe(200);
  },
);

test("an error of a middleware is 400 whatever status it carries (136)", async () => {
  const { engine, port } = await makeEngine();
  engine.use((_request, _response, next) => {
    next(Object.assign(new Error("unauthorized"), { status: 401, statusCode: 401 }));
  });
  expectRefusal(await rawRequest({ port, path: POLLING }), 3, "Bad request");
  const outcome = await RawWebSocket.attempt({ port, path: WEBSOCKET });
  expect(outcome).toMatchObject({ name: "refused", response: { status: 400 } });
});

test("a forbidden handshake is 403 over polling and 400 over WebSocket (136)", async () => {
  const { port } = await makeEngine({ allowRequest: refuse });
  const polling = await rawRequest({ port, path: POLLING });
  const upgrade = await RawWebSocket.attempt({ port, path: WEBSOCKET });
  expect(polling.status).toBe(403);
  expect(upgrade).toMatchObject({ name: "refused", response: { status: 400, body: "Forbidden" } });
});
