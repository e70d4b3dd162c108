import { expect, test } from "vitest";
import { findUpgradeHeaders } from "../src/upgrade-headers.js";

const BROWSER = [
  ["Host", "a.example"],
  ["Connection", "Upgrade"],
  ["Pragma", "no-cache"],
  ["Upgrade", "websocket"],
  ["Origin", "http://a.example"],
  ["Sec-WebSocket-Version", "13"],
  ["Cookie", "a=1"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ["Sec-WebSocket-Extensions", "permessage-deflate"],
] as const;

const FOUND = {
  origin: "http://a.example",
  upgrade: "websocket",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
  "sec-websocket-protocol": undefined,
};

test("the headers of a browser are found", () => {
  expect(findUpgradeHeaders(BROWSER.flat())).toEqual(FOUND);
});

test.each([
  ["lower", (name: string) => name.toLowerCase()],
  ["upper", (name: string) => name.toUpperCase()],
])("they are found in %s case", (_case, convert) => {
  const headers = BROWSER.flatMap(([name, value]) => [convert(name), value]);
  expect(findUpgradeHeaders(headers)).toEqual(FOUND);
});

test("a subprotocol is found", () => {
  const headers = [...BROWSER.flat(), "Sec-WebSocket-Protocol", "chat"];
  expect(findUpgradeHeaders(headers)).toEqual({ ...FOUND, "sec-websocket-protocol": "chat" });
});

test.each([
  "origin",
  "Upgrade",
  "sec-websocket-key",
  "Sec-WebSocket-Version",
  "SEC-WEBSOCKET-PROTOCOL",
])("what a repeated header means is left to Node: %s", (name) => {
  expect(findUpgradeHeaders([name, "a", ...BROWSER.flat(), name, "b"])).toBeUndefined();
});

test("headers that do not matter may be repeated", () => {
  expect(findUpgradeHeaders(["Cookie", "b=2", ...BROWSER.flat()])).toEqual(FOUND);
});

test("long lists are left to Node, which may cut them", () => {
  const others = Array.from({ length: 200 }, (_, index) => `${index}`);
  expect(findUpgradeHeaders([...others, ...BROWSER.flat()])).toBeUndefined();
});
