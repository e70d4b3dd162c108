import { expect, test } from "vitest";
import { OptionsError } from "../src/errors.js";
import { resolveOptions } from "../src/options.js";

test("the defaults are those of the official server", () => {
  expect(resolveOptions()).toEqual({
    path: undefined,
    adapter: undefined,
    parser: undefined,
    connectTimeout: 45_000,
    serveClient: true,
    cleanupEmptyChildNamespaces: false,
    connectionStateRecovery: undefined,
    // Beyond the official server: no limit is set.
    maxNamespacesPerConnection: Infinity,
    maxDynamicNamespacesPerConnection: Infinity,
    maxRoomsPerSocket: Infinity,
    maxPendingAcksPerSocket: Infinity,
    eventRate: undefined,
    pingInterval: undefined,
    pingTimeout: undefined,
  });
});

test("the options of the caller are not changed", () => {
  const options = Object.freeze({ connectionStateRecovery: Object.freeze({}), pingInterval: 5 });
  expect(resolveOptions(options).connectionStateRecovery).toEqual({
    maxDisconnectionDuration: 120_000,
    skipMiddlewares: true,
    maxSessions: 100_000,
    maxPackets: 100_000,
    maxBytes: 67_108_864,
  });
});

test("zero is a value, not a missing one", () => {
  expect(resolveOptions({ connectTimeout: 0 }).connectTimeout).toBe(0);
});

test.each([
  ["path", 7],
  ["connectTimeout", -1],
  ["connectTimeout", Number.NaN],
  ["connectTimeout", Infinity],
  ["connectTimeout", "45000"],
  ["serveClient", "no"],
  ["cleanupEmptyChildNamespaces", 1],
  ["adapter", {}],
  ["parser", null],
  ["parser", { Encoder: Map }],
  ["connectionStateRecovery", true],
])("the option %s cannot be %j", (option, value) => {
  expect(() => resolveOptions({ [option]: value })).toThrow(OptionsError);
  expect(() => resolveOptions({ [option]: value })).toThrow(`option "${option}" must be`);
});

test("a wrong member of an option is named with the option", () => {
  expect(() =>
    resolveOptions({ connectionStateRecovery: { maxDisconnectionDuration: -1 } }),
  ).toThrow('option "connectionStateRecovery.maxDisconnectionDuration" must be');
});
