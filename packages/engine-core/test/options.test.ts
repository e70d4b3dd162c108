import { expect, test } from "vitest";
import { OptionsError } from "../src/errors.js";
import { resolveOptions, type ServerOptions } from "../src/options.js";

test("the defaults are those of the npm package (P1 to P7)", () => {
  expect(resolveOptions()).toEqual({
    pingTimeout: 20_000,
    pingInterval: 25_000,
    upgradeTimeout: 10_000,
    maxHttpBufferSize: 1_000_000,
    allowRequest: undefined,
    transports: ["polling", "websocket"],
    allowUpgrades: true,
    initialPacket: undefined,
    cookie: false,
    cors: undefined,
    allowEIO3: false,
    perMessageDeflate: false,
    httpCompression: { threshold: 1024 },
    wsEngine: undefined,
    maxBufferedBytes: 16_777_216,
    slowConsumer: "disconnect",
    maxConnections: Infinity,
    maxConnectionsPerAddress: Infinity,
    trustProxy: false,
    handshakeRate: false,
    allowedOrigins: undefined,
  });
});

test("the options are copied", () => {
  const transports: ServerOptions["transports"] = ["polling"];
  const input = Object.freeze({ transports, pingTimeout: 0 });
  const options = resolveOptions(input);
  transports.push("websocket");
  expect(options.transports).toEqual(["polling"]);
  expect(options.pingTimeout).toBe(0);
});

test("switching a compression on means the default threshold", () => {
  const { perMessageDeflate, httpCompression } = resolveOptions({
    perMessageDeflate: true,
    httpCompression: true,
  });
  expect(perMessageDeflate).toEqual({ threshold: 1024 });
  expect(httpCompression).toEqual({ threshold: 1024 });
});

test("options of others are left alone", () => {
  expect(resolveOptions({ path: "/x" } as ServerOptions)).not.toHaveProperty("path");
});

test.each([
  ["pingTimeout", -1],
  ["pingInterval", "25000"],
  ["upgradeTimeout", Number.NaN],
  ["maxHttpBufferSize", 0],
  ["transports", ["carrier pigeon"]],
  ["transports", "polling"],
  ["allowUpgrades", 1],
  ["allowRequest", true],
  ["initialPacket", 7],
  ["cookie", "io"],
  ["cors", true],
  ["allowEIO3", "yes"],
  ["perMessageDeflate", 1],
  ["httpCompression", "gzip"],
  ["wsEngine", "ws"],
])("a wrong %s is refused by name: %j", (option, value) => {
  let thrown: unknown;
  try {
    resolveOptions({ [option]: value });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(OptionsError);
  expect(thrown).toMatchObject({ code: "ERR_OPTION_VALUE", option });
  expect(String(thrown)).toContain(`option "${option}"`);
});
