import { expect, test } from "vitest";
import { resolveOptions, type ServerOptions } from "../src/options.js";

test.each<ServerOptions>([
  { maxBufferedBytes: 1 },
  { maxBufferedBytes: Infinity },
  { slowConsumer: "disconnect" },
  { slowConsumer: "drop-volatile" },
  { slowConsumer: () => "keep" },
  { maxConnections: 1 },
  { maxConnectionsPerAddress: Infinity },
  { trustProxy: 2 },
  { trustProxy: ["loopback", "10.0.0.0/8"] },
  { handshakeRate: false },
  { handshakeRate: { perSecond: 0.5, burst: 1 } },
  { allowedOrigins: [] },
  { allowedOrigins: () => true },
])("%j is accepted as it is", (options) => {
  expect(resolveOptions(options)).toMatchObject(options);
});

test.each<[string, unknown]>([
  ["maxBufferedBytes", 0],
  ["maxBufferedBytes", NaN],
  ["maxBufferedBytes", "1mb"],
  ["slowConsumer", "drop"],
  ["slowConsumer", null],
  ["maxConnections", 0],
  ["maxConnections", -1],
  ["maxConnectionsPerAddress", "10"],
  ["trustProxy", true],
  ["handshakeRate", true],
  ["handshakeRate", { perSecond: 1 }],
  ["handshakeRate", { perSecond: 0, burst: 1 }],
  ["handshakeRate", { perSecond: 1, burst: 0 }],
  ["handshakeRate", { perSecond: Infinity, burst: 1 }],
  ["allowedOrigins", "https://example.com"],
  ["allowedOrigins", ["https://example.com/"]],
])("%s: %j is refused by its name", (option, value) => {
  const options = { [option]: value } as ServerOptions;
  expect(() => resolveOptions(options)).toThrow(
    expect.objectContaining({ code: "ERR_OPTION_VALUE", option }),
  );
});
