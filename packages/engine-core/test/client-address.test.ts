import { expect, test } from "vitest";
import { addressKey, clientAddress, compileTrust } from "../src/client-address.js";
import { OptionsError } from "../src/errors.js";

function address(trustProxy: unknown, remoteAddress: string | undefined, forwarded?: string) {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return clientAddress({ headers, socket: { remoteAddress } }, compileTrust(trustProxy));
}

test("nobody is believed by default", () => {
  expect(address(false, "::ffff:10.0.0.1", "1.2.3.4")).toBe("::ffff:10.0.0.1");
  expect(address(0, "10.0.0.1", "1.2.3.4")).toBe("10.0.0.1");
  expect(address(undefined, undefined, "1.2.3.4")).toBe("");
});

test.each([
  [1, "3.3.3.3"],
  [2, "2.2.2.2"],
  [3, "1.1.1.1"],
  [9, "1.1.1.1"],
])("%i proxies are counted from the server outwards", (hops, expected) => {
  expect(address(hops, "10.0.0.1", "1.1.1.1, 2.2.2.2,3.3.3.3")).toBe(expected);
});

test.each([
  ["an address", "10.0.0.1"],
  ["a network", ["10.0.0.0/8"]],
  ["a name", "uniquelocal"],
  ["several, with commas", "loopback, 10.0.0.0/24"],
])("what a client forged is behind the first entry that %s does not cover", (_name, trust) => {
  expect(address(trust, "::ffff:10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.1")).toBe("203.0.113.7");
  expect(address(trust, "203.0.113.9", "6.6.6.6")).toBe("203.0.113.9");
});

test("IPv6 networks, ports, brackets and zones are understood", () => {
  expect(address("fd00::/8", "fd00::1", "[2001:db8::1]:443")).toBe("2001:db8::1");
  expect(address("linklocal", "fe80::1%eth0", "192.0.2.1:80")).toBe("192.0.2.1");
  expect(address("fd00::/8", "fe00::1", "2001:db8::1")).toBe("fe00::1");
});

test("what is no address ends the search", () => {
  expect(address(5, "10.0.0.1", "1.1.1.1, unknown, 3.3.3.3")).toBe("3.3.3.3");
  expect(address(5, "10.0.0.1", "")).toBe("10.0.0.1");
});

test("a connection without an address is trusted by its number only", () => {
  expect(address(1, undefined, "1.1.1.1")).toBe("1.1.1.1");
  expect(address("loopback", undefined, "1.1.1.1")).toBe("");
});

test("a function is asked from the server outwards", () => {
  const asked: unknown[] = [];
  const trust = (proxy: string, hop: number) => asked.push([proxy, hop]) < 2;
  expect(address(trust, "10.0.0.1", "1.1.1.1, 2.2.2.2")).toBe("2.2.2.2");
  expect(asked).toEqual([
    ["10.0.0.1", 0],
    ["2.2.2.2", 1],
  ]);
});

test.each([true, "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "example.com", ["::1/129"], -1, 1.5, [7]])(
  "%j is not accepted",
  (value) => {
    expect(() => compileTrust(value)).toThrow(OptionsError);
  },
);

test.each([
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:0:1:2:3:4:5", "2001:db8:0:1"],
  ["2001:DB8:0:1::9", "2001:db8:0:1"],
  ["2001:db8::", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  ["", ""],
])("%s counts as %s", (given, key) => {
  expect(addressKey(given)).toBe(key);
});
