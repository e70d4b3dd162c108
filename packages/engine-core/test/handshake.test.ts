import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { judgeRequest, type JudgeContext, type JudgedSession } from "../src/handshake.js";

const sessions = new Map<string, JudgedSession>([
  ["p", { protocol: 4, transport: { name: "polling" } }],
  ["w", { protocol: 4, transport: { name: "websocket" } }],
]);
const context: JudgeContext = {
  transports: ["polling", "websocket"],
  sessionOf: (sid) => sessions.get(sid),
};

function judge(query: string, { upgrade = false, method = "GET", origin = "" } = {}) {
  const headers = origin === "" ? {} : { origin };
  // One cast: the verdict reads nothing else of a request.
  const req = { url: `/engine.io/?${query}`, method, headers } as unknown as IncomingMessage;
  const why = judgeRequest(req, upgrade, context);
  return why && { code: why.code, context: why.context };
}

test("good requests go on", () => {
  expect(judge("EIO=4&transport=polling")).toBeUndefined();
  expect(judge("EIO=4&transport=websocket", { upgrade: true })).toBeUndefined();
  expect(judge("EIO=4&transport=polling&sid=p", { method: "POST" })).toBeUndefined();
  expect(judge("EIO=4&transport=websocket&sid=p", { upgrade: true })).toBeUndefined();
});

test.each([
  ["foo", "foo"],
  ["__proto__", "__proto__"],
  ["constructor", "constructor"],
  ["webtransport", "webtransport"],
])("the transport %s is unknown (4)", (name, transport) => {
  expect(judge(`EIO=4&transport=${name}`)).toEqual({ code: 0, context: { transport } });
});

test("a missing transport is unknown, of a repeated one the last counts", () => {
  expect(judge("EIO=4")?.code).toBe(0);
  expect(judge("EIO=4&transport=polling&transport=foo")?.code).toBe(0);
  expect(judge("EIO=4&transport=foo&transport=polling")).toBeUndefined();
});

test("an origin with characters that no header may have is refused (11)", () => {
  expect(judge("EIO=4&transport=polling", { origin: "http://a\n" })?.context["name"]).toBe(
    "INVALID_ORIGIN",
  );
});

test.each(["unknown", "__proto__", "p&sid=unknown"])("the session %s is unknown (4)", (sid) => {
  expect(judge(`EIO=4&transport=polling&sid=${sid}`)?.code).toBe(1);
});

test("a request for another transport than the session's is refused (5)", () => {
  expect(judge("EIO=4&transport=polling&sid=w")).toEqual({
    code: 3,
    context: { name: "TRANSPORT_MISMATCH", transport: "polling", previousTransport: "websocket" },
  });
});

test("a plain request cannot reach a WebSocket session", () => {
  expect(judge("EIO=4&transport=websocket&sid=w")?.code).toBe(3);
});

test("a handshake is a GET (10)", () => {
  expect(judge("EIO=4&transport=polling", { method: "POST" })).toEqual({
    code: 2,
    context: { method: "POST" },
  });
});

test("a WebSocket handshake needs an upgrade (4)", () => {
  expect(judge("EIO=4&transport=websocket")).toEqual({
    code: 3,
    context: { name: "TRANSPORT_HANDSHAKE_ERROR" },
  });
});

test("the transport is looked at first, the session before the method (2)", () => {
  expect(judge("EIO=4&transport=foo&sid=unknown", { method: "POST" })?.code).toBe(0);
  expect(judge("EIO=4&transport=polling&sid=unknown", { method: "PUT" })?.code).toBe(1);
});

test("a request of another protocol revision than the session's is refused (5)", () => {
  expect(judge("EIO=3&transport=polling&sid=p")).toEqual({
    code: 3,
    context: { name: "PROTOCOL_MISMATCH", protocol: 3, previousProtocol: 4 },
  });
});
