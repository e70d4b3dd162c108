import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { PassThrough, type Duplex } from "node:stream";
import { FakeClock } from "@jackfield/testkit";
import { expect, test } from "vitest";
import { attach, type AttachOptions } from "../src/attach.js";

/** An engine that only notes what it is handed, on an HTTP server that need not listen. */
function attached(options?: AttachOptions, transports = ["polling", "websocket"]) {
  const log: string[] = [];
  const clock = new FakeClock();
  const server = createServer();
  server.on("request", (req: IncomingMessage) => log.push(`application ${req.url}`));
  const engine = {
    opts: { transports },
    handleRequest: (req: IncomingMessage) => void log.push(`request ${req.url}`),
    handleUpgrade: (req: IncomingMessage) => void log.push(`upgrade ${req.url}`),
    close: () => log.push("close"),
  };
  attach(engine, server, clock, options);
  // Casts: of requests and responses, nothing but the URL is looked at.
  const request = (url: string) =>
    server.emit("request", { url } as IncomingMessage, {} as ServerResponse);
  const upgrade = (url: string, socket: Duplex = connection()) => {
    server.emit("upgrade", { url } as IncomingMessage, socket, Buffer.alloc(0));
    return socket;
  };
  return { server, clock, log, request, upgrade };
}

/** What `attach` looks at in a network socket. */
function connection(bytesWritten = 0): PassThrough {
  return Object.assign(new PassThrough(), { bytesWritten });
}

test("the path is a prefix of the URL as it was sent, slash included (1)", () => {
  const { log, request, upgrade } = attached();
  request("/engine.io/?EIO=4");
  request("/engine.io/more");
  upgrade("/engine.io/?EIO=4");
  request("/engine.io?EIO=4");
  request("/engine.iox/");
  request("//engine.io/");
  expect(log).toEqual([
    "request /engine.io/?EIO=4",
    "request /engine.io/more",
    "upgrade /engine.io/?EIO=4",
    "application /engine.io?EIO=4",
    "application /engine.iox/",
    "application //engine.io/",
  ]);
});

test.each([
  ["/chat", "/chat/"],
  ["/chat/", "/chat/"],
  ["/a/b", "/a/b/"],
])("the path %s is looked for as %s", (path, expected) => {
  const { log, request } = attached({ path });
  request(expected);
  request(expected.slice(0, -1));
  expect(log).toEqual([`request ${expected}`, `application ${expected.slice(0, -1)}`]);
});

test("without addTrailingSlash, the path ends without one (1)", () => {
  const { log, request } = attached({ path: "/chat/", addTrailingSlash: false });
  request("/chat?EIO=4");
  request("/chatter");
  request("/cha");
  expect(log).toEqual(["request /chat?EIO=4", "request /chatter", "application /cha"]);
});

test("a request without a URL is not the engine's", () => {
  const { server, log } = attached();
  server.emit("request", {} as IncomingMessage, {} as ServerResponse);
  expect(log).toEqual(["application undefined"]);
});

test("every listener from before the engine gets the other requests, in order, on its server", () => {
  const server = createServer();
  const calls: unknown[][] = [];
  for (const name of ["first", "second"]) {
    server.on("request", function (this: unknown, ...args: unknown[]) {
      calls.push([name, this === server, ...args]);
    });
  }
  const engine = {
    opts: { transports: [] },
    handleRequest: () => calls.push(["engine"]),
    handleUpgrade: () => {},
    close: () => {},
  };
  attach(engine, server, new FakeClock());
  const req = { url: "/" } as IncomingMessage;
  const res = {} as ServerResponse;
  server.emit("request", req, res);
  expect(calls).toEqual([
    ["first", true, req, res],
    ["second", true, req, res],
  ]);
});

test("the end of the HTTP server closes the engine", () => {
  const { server, log } = attached();
  server.emit("close");
  expect(log).toEqual(["close"]);
});

test("without the websocket transport, upgrades are left to others", () => {
  const { server } = attached({}, ["polling"]);
  expect(server.listenerCount("upgrade")).toBe(0);
});

test.each([
  ["after a second", {}, 999],
  ["after the time of the options", { destroyUpgradeTimeout: 50 }, 49],
])("an upgrade that nobody serves is ended %s (15)", (_when, options, ms) => {
  const { clock, upgrade } = attached(options);
  const socket = upgrade("/other");
  clock.advance(ms);
  expect(socket.writableEnded).toBe(false);
  clock.advance(1);
  expect(socket.writableEnded).toBe(true);
});

test("for a destroyUpgradeTimeout of 0, the others have this turn of the event loop (15)", () => {
  const { clock, upgrade } = attached({ destroyUpgradeTimeout: 0 });
  const socket = upgrade("/other");
  expect(socket.writableEnded).toBe(false);
  clock.advance(0);
  expect(socket.writableEnded).toBe(true);
});

test("what was written before the upgrade does not serve it (15)", () => {
  const { clock, upgrade } = attached();
  const socket = upgrade("/other", connection(130));
  clock.advance(1000);
  expect(socket.writableEnded).toBe(true);
});

test("an upgrade that somebody else serves is left alone (15)", () => {
  const { clock, upgrade } = attached();
  const answered = Object.assign(upgrade("/other", connection(130)), { bytesWritten: 260 });
  const ended = upgrade("/other");
  ended.destroy();
  clock.advance(10_000);
  expect(answered.writableEnded).toBe(false);
  expect(ended.writableEnded).toBe(false);
});

test("an error while an unserved upgrade is ended destroys the connection", () => {
  const { clock, upgrade } = attached();
  const socket = upgrade("/other");
  clock.advance(1000);
  socket.emit("error", new Error("reset"));
  expect(socket.destroyed).toBe(true);
});

test.each([true, false])(
  "an error of an upgrade for somebody else ends its connection alone, destroyUpgrade %s (15)",
  (destroyUpgrade) => {
    const { upgrade } = attached({ destroyUpgrade });
    const socket = upgrade("/other");
    socket.emit("error", new Error("reset"));
    expect(socket.destroyed).toBe(true);
  },
);

test("with destroyUpgrade false, nobody's upgrade is ended (15)", () => {
  const { clock, upgrade } = attached({ destroyUpgrade: false });
  const socket = upgrade("/other");
  expect(clock.pending).toBe(0);
  expect(socket.writableEnded).toBe(false);
});

test.each([
  ["path", { path: 7 }],
  ["destroyUpgradeTimeout", { destroyUpgradeTimeout: -1 }],
  ["destroyUpgradeTimeout", { destroyUpgradeTimeout: Number.NaN }],
])("a wrong %s is refused by name", (option, options) => {
  expect(() => attached(options as AttachOptions)).toThrow(
    expect.objectContaining({ code: "ERR_OPTION_VALUE", option }),
  );
});
