/* oxlint-disable vitest/expect-expect -- most assertions are in the expect… functions of subject.ts */
import { rawRequest, type RawResponse } from "@jackfield/testkit";
import { expect, test } from "vitest";

import { expectAlive, expectRefusal, makeEngine, openPolling, PATH, POLLING } from "./subject.js";

const ORIGIN = "http://app.example";

const ALLOWED_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE";

function preflight(
  port: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawResponse> {
  return rawRequest({
    port,
    method: "OPTIONS",
    path: POLLING,
    headers: {
      Origin: ORIGIN,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "x-one, x-two",
      ...headers,
    },
  });
}

/** The headers that have to do with CORS. */
function corsHeaders({ headers }: RawResponse): Record<string, string> {
  const related = headers.filter(([name]) => /^(access-control-.*|vary)$/i.test(name));
  return Object.fromEntries(related);
}

test("a preflight for any origin is answered with 204 and no body (43)", async () => {
  const { engine, port, refusals } = await makeEngine({ cors: { origin: "*" } });
  const response = await preflight(port);
  expect(response.statusLine).toBe("HTTP/1.1 204 No Content");
  expect(response.header("content-length")).toBe("0");
  expect(response.body).toBe("");
  expect(corsHeaders(response)).toEqual({
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": ALLOWED_METHODS,
    Vary: "Access-Control-Request-Headers",
    "Access-Control-Allow-Headers": "x-one, x-two",
  });
  expect(refusals).toEqual([]);
  expect(engine.clientsCount).toBe(0);
});

test("a preflight is answered with the origin it came from when that is reflected (43)", async () => {
  const { port } = await makeEngine({ cors: { origin: true, credentials: true } });
  expect(corsHeaders(await preflight(port))).toEqual({
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Allow-Methods": ALLOWED_METHODS,
    Vary: "Origin, Access-Control-Request-Headers",
    "Access-Control-Allow-Headers": "x-one, x-two",
  });
});

test("a preflight can be given its own answers (43)", async () => {
  const { port } = await makeEngine({
    cors: {
      origin: ORIGIN,
      methods: ["GET", "POST"],
      allowedHeaders: ["x-one"],
      exposedHeaders: ["x-out"],
      maxAge: 600,
      optionsSuccessStatus: 200,
    },
  });
  const response = await preflight(port);
  expect(response.status).toBe(200);
  expect(corsHeaders(response)).toEqual({
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Methods": "GET,POST",
    "Access-Control-Allow-Headers": "x-one",
    "Access-Control-Expose-Headers": "x-out",
    "Access-Control-Max-Age": "600",
    Vary: "Origin",
  });
});

test("a preflight for a session is answered without touching the session (43)", async () => {
  const pair = await openPolling(await makeEngine({ cors: { origin: "*" } }));
  const response = await pair.client.start({ method: "OPTIONS", headers: { Origin: ORIGIN } })
    .response;
  expect(response.status).toBe(204);
  await expectAlive(pair);
});

test("a preflight can be left to the engine, which refuses it (43)", async () => {
  const { port } = await makeEngine({ cors: { origin: ORIGIN, preflightContinue: true } });
  const response = await preflight(port);
  expectRefusal(response, 2, "Bad handshake method");
  expect(response.header("access-control-allow-origin")).toBe(ORIGIN);
});

test("without cors a preflight is refused and no response speaks of origins (43)", async () => {
  const subject = await makeEngine();
  const refused = await preflight(subject.port);
  expectRefusal(refused, 2, "Bad handshake method");
  const { client } = await openPolling(subject, { headers: { Origin: ORIGIN } });
  expect(corsHeaders(refused)).toEqual({});
  expect(corsHeaders(client.handshake)).toEqual({});
});

test("every response of a session has the headers (43)", async () => {
  const cors = { origin: [/\.example$/], credentials: true, exposedHeaders: "x-out" };
  const subject = await makeEngine({ cors });
  const { client, session } = await openPolling(subject, { headers: { Origin: ORIGIN } });
  session.send("x");
  const responses = [client.handshake, await client.poll(), await client.post("4x")];
  const expected = {
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "x-out",
    Vary: "Origin",
  };
  expect(responses.map(corsHeaders)).toEqual([expected, expected, expected]);
});

test("a refusal has the headers too (43)", async () => {
  const { port } = await makeEngine({ cors: { origin: ORIGIN, credentials: true } });
  const response = await rawRequest({ port, path: PATH, headers: { Origin: ORIGIN } });
  expectRefusal(response, 0, "Transport unknown");
  expect(corsHeaders(response)).toEqual({
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Credentials": "true",
    Vary: "Origin",
  });
});

test("a foreign origin is answered without a permission (43)", async () => {
  const { port } = await makeEngine({ cors: { origin: ["http://home.example"] } });
  const response = await rawRequest({ port, path: POLLING, headers: { Origin: ORIGIN } });
  expect(response.status).toBe(200);
  expect(corsHeaders(response)).toEqual({ Vary: "Origin" });
});

test("the origin may be decided for each request (43)", async () => {
  const asked: unknown[] = [];
  const { port } = await makeEngine({
    cors: {
      origin(origin: unknown, decide: (error: unknown, allowed: boolean) => void) {
        asked.push(origin);
        decide(null, origin === ORIGIN);
      },
    },
  });
  const answers = await Promise.all([
    rawRequest({ port, path: POLLING, headers: { Origin: ORIGIN } }),
    rawRequest({ port, path: POLLING }),
  ]);
  expect(answers.map((answer) => answer.header("access-control-allow-origin"))).toEqual([
    ORIGIN,
    undefined,
  ]);
  expect(asked).toHaveLength(2);
});

test("all of the settings may be decided for each request (43)", async () => {
  const { port } = await makeEngine({
    cors(
      request: { headers: Record<string, unknown> },
      decide: (error: unknown, settings: object) => void,
    ) {
      const isHome = request.headers["x-home"] === "yes";
      decide(null, isHome ? { origin: ORIGIN, methods: "GET" } : { origin: false });
    },
  });
  const [home, foreign] = await Promise.all([
    preflight(port, { "X-Home": "yes" }),
    preflight(port),
  ]);
  expect(corsHeaders(home)).toMatchObject({
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Methods": "GET",
  });
  // Origin false switches CORS off, so the request goes on and is no handshake.
  expectRefusal(foreign, 2, "Bad handshake method");
});

test("an error while deciding is a refusal with code 3 (43)", async () => {
  const { port, refusals } = await makeEngine({
    cors: {
      origin: (_origin: unknown, decide: (error: unknown) => void) => decide(new Error("no")),
    },
  });
  expectRefusal(await rawRequest({ port, path: POLLING }), 3, "Bad request");
  expect(refusals).toMatchObject([{ context: { name: "MIDDLEWARE_FAILURE" } }]);
});
