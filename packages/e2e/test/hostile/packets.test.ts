import type { Socket } from "@jackfield/socketio";
import { OPCODE, type RawWebSocket } from "@jackfield/testkit";
import { describe, expect, test } from "vitest";
import { range } from "../support/range.js";
import { first, received } from "../support/wait.js";
import { leave, Target, unharmed } from "./target.js";

const PROTOTYPE_KEYS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "__defineGetter__",
];

/** How a connection ends whose client broke the protocol. */
const CLOSED = { hasCloseFrame: true, code: undefined };

describe("names of object members", () => {
  test.each(PROTOTYPE_KEYS)("%s is an event like any other", async (key) => {
    const target = await Target.start();
    const { client, socket } = await target.join();
    client.send(`421["${key}",1]`);
    client.send('422["echo",1]');
    expect(await client.nextText()).toBe("432[1]");
    const heard = first(socket as never, key);
    client.send(`42["${key}",{"${key}":1}]`);
    expect(Object.keys((await heard) as object)).toEqual([key]);
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each(PROTOTYPE_KEYS)("%s is a namespace that does not exist", async (key) => {
    const target = await Target.start();
    const client = await target.openWebSocket();
    client.send(`40/${key},`);
    expect(await client.nextText()).toBe(`44/${key},{"message":"Invalid namespace"}`);
    client.send(`42/${key},["echo"]`);
    expect(await client.closed).toEqual(CLOSED);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each(PROTOTYPE_KEYS)("%s is a namespace if a pattern admits it", async (key) => {
    const target = await Target.start();
    target.io.of(/^\/\w+$/).on("connection", (socket) => {
      socket.on("echo", (...args) => socket.emit("echo", ...args));
    });
    const client = await target.openWebSocket();
    client.send(`40/${key},`);
    expect(await client.nextText()).toMatch(new RegExp(`^40/${key},{"sid":`));
    client.send(`42/${key},["echo",1]`);
    expect(await client.nextText()).toBe(`42/${key},["echo",1]`);
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each(PROTOTYPE_KEYS)("%s is a room like any other", async (key) => {
    const target = await Target.start();
    const { client, socket } = await target.join();
    target.io.to(key).emit("before");
    await socket.join(key);
    expect([...socket.rooms]).toEqual([socket.id, key]);
    target.io.to(key).except("x").emit("in");
    expect(await client.nextText()).toBe('42["in"]');
    target.io.except(key).emit("but");
    await socket.leave(key);
    target.io.to(key).emit("after");
    client.send('421["echo"]');
    expect(await client.nextText()).toBe("431[]");
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("in auth, cookies, headers and queries they are values of the client, and no more", async () => {
    const target = await Target.start();
    const connected = first<Socket>(target.io as never, "connection");
    const polling = await target.openPolling(
      `EIO=4&transport=polling&${PROTOTYPE_KEYS.map((key) => `${key}=evil`).join("&")}`,
    );
    const auth = `{${PROTOTYPE_KEYS.map((key) => `"${key}":{"evil":1}`).join(",")}}`;
    await polling.post(`40${auth}`);
    const { handshake } = await connected;
    expect(Object.keys(handshake.auth).sort()).toEqual([...PROTOTYPE_KEYS].sort());
    expect(JSON.stringify(handshake.auth)).toBe(auth);
    expect(({} as Record<string, unknown>)["evil"]).toBeUndefined();
    expect(handshake.query["EIO"]).toBe("4");
    await polling.post("1");
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("as headers and cookies they neither open nor close anything", async () => {
    const target = await Target.start({ cookie: true });
    const headers = {
      ...Object.fromEntries(PROTOTYPE_KEYS.map((key) => [`X-${key}`, "1"])),
      ["__proto__x"]: "1",
      Constructor: "1",
      Cookie: PROTOTYPE_KEYS.map((key) => `${key}=1`).join("; "),
    };
    const { pollingHandshake } = await import("@jackfield/testkit");
    const polling = await pollingHandshake(target.port, { path: "/socket.io/", headers });
    expect(polling.handshake.header("set-cookie")).toBe(
      `io=${polling.sid}; Path=/; HttpOnly; SameSite=Lax`,
    );
    await polling.post("1");
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("as keys of data they come back as they were sent", async () => {
    const target = await Target.start();
    const { client } = await target.join();
    const value = '{"__proto__":{"evil":1},"constructor":{"prototype":{"evil":1}},"toJSON":1}';
    client.send(`42["echo",${value}]`);
    expect(await client.nextText()).toBe(`42["echo",${value}]`);
    expect(({} as Record<string, unknown>)["evil"]).toBeUndefined();
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("as keys of binary data they come back as they were sent", async () => {
    const target = await Target.start();
    const { client } = await target.join();
    const placeholder = '{"_placeholder":true,"num":0}';
    const value = `{"__proto__":${placeholder},"constructor":{"a":1}}`;
    client.send(`451-["echo",${value}]`);
    client.send(Buffer.from("x"));
    expect(await client.nextText()).toBe(`451-["echo",${value}]`);
    expect((await client.nextFrame()).text).toBe("x");
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("depth", () => {
  const nested = (depth: number, open = "[", close = "]"): string =>
    open.repeat(depth) + close.repeat(depth);

  test.each([
    ["arrays", 999, "[", "]"],
    ["objects", 498, '{"a":[', "]}"],
  ])("%s that are nested as deep as allowed come back", async (_name, depth, open, close) => {
    const target = await Target.start();
    const { client } = await target.join();
    const value = nested(depth, open, close);
    client.send(`42["echo",${value}]`);
    expect(await client.nextText()).toBe(`42["echo",${value}]`);
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each([
    ["arrays", `42["echo",${nested(1001)}]`],
    ["a hundred thousand arrays", `42["echo",${nested(100_000)}]`],
    ["half a million arrays that never close", `42["echo",${"[".repeat(490_000)}`],
    ["objects", `42["echo",${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}]`],
    ["an acknowledgement", `430${nested(100_000)}`],
    ["auth of another namespace", `40/x,${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
  ])("deeper than allowed, %s close their connection", async (_name, packet) => {
    const target = await Target.start();
    const { client } = await target.join();
    client.send(packet);
    expect(await client.closed).toEqual(CLOSED);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a binary packet that is nested deeper than allowed closes its connection", async () => {
    const target = await Target.start();
    const { client } = await target.join();
    client.send(`451-["echo",{"_placeholder":true,"num":0},${nested(50_000)}]`);
    client.send(Buffer.alloc(1));
    expect(await client.closed).toEqual(CLOSED);
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("attachments", () => {
  const A = '{"_placeholder":true,"num":0}';
  const B = '{"_placeholder":true,"num":1}';

  test("one that two placeholders name is in both places", async () => {
    const { target, client } = await joined();
    client.send(`451-["echo",${A},${A}]`);
    client.send(Buffer.from("x"));
    expect(await texts(client, 3)).toEqual([`452-["echo",${A},${B}]`, "x", "x"]);
    await gone(client, target);
  });

  test("one that no placeholder names is waited for, and then nowhere", async () => {
    const { target, client } = await joined();
    client.send('452-["echo",1]');
    client.send(Buffer.from("x"));
    client.send(Buffer.from("y"));
    expect(await texts(client, 1)).toEqual(['42["echo",1]']);
    await gone(client, target);
  });

  test("placeholders in another order than the attachments are in order again", async () => {
    const { target, client } = await joined();
    client.send(`452-["echo",${B},${A}]`);
    client.send(Buffer.from("x"));
    client.send(Buffer.from("y"));
    expect(await texts(client, 3)).toEqual([`452-["echo",${A},${B}]`, "y", "x"]);
    await gone(client, target);
  });

  test.each([
    ["one too many", [`451-["echo",${A}]`, Buffer.from("x"), Buffer.from("y")]],
    ["one that nobody announced", [Buffer.from("x")]],
    ["text in the place of one", [`451-["echo",${A}]`, '42["echo"]']],
    ["a second packet in the place of one", [`451-["echo",${A}]`, `451-["echo",${A}]`]],
    ["a placeholder beyond them", [`451-["echo",${B}]`, Buffer.from("x")]],
    ["eleven of them", [`4511-["echo",${A}]`]],
    ["a count without an end", ["451"]],
    ["a negative count", [`45-1-["echo",${A}]`]],
    ["a hexadecimal count", [`450x1-["echo",${A}]`]],
    ["a count with an exponent", [`451e0-["echo",${A}]`]],
    ["a count of nothing", [`45-["echo",${A}]`]],
  ])("%s: the connection is closed", async (_name, messages) => {
    const { target, client } = await joined();
    for (const message of messages) client.send(message);
    expect(await textsUntilClosed(client)).toSatisfy((seen: string[]) =>
      seen.every((text) => text === "x" || text.startsWith(`451-["echo"`)),
    );
    expect(await client.closed).toEqual(CLOSED);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a client that leaves in the middle of a packet leaves nothing behind", async () => {
    const { target, client } = await joined();
    client.send(`4510-["echo",${A}]`);
    for (const index of range(9)) client.send(Buffer.alloc(90_000, index));
    client.sendFrame({ opcode: OPCODE.ping });
    expect((await client.nextFrame()).opcode).toBe(OPCODE.pong);
    await gone(client, target);
  });

  test("a binary packet without attachments is complete, and the next one as well (Q9, 93)", async () => {
    const { target, client } = await joined();
    client.send('450-["echo",1]');
    client.send('42["echo",2]');
    client.send("460-7[]");
    client.send('42["echo",3]');
    expect(await texts(client, 3)).toEqual(['42["echo",1]', '42["echo",2]', '42["echo",3]']);
    await gone(client, target);
  });

  async function joined(): Promise<{ target: Target; client: RawWebSocket }> {
    const target = await Target.start();
    const { client } = await target.join();
    return { target, client };
  }

  async function gone(client: RawWebSocket, target: Target): Promise<void> {
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  }

  async function texts(client: RawWebSocket, count: number): Promise<string[]> {
    const result = [];
    for (let left = count; left > 0; left -= 1) result.push((await client.nextFrame()).text);
    return result;
  }

  async function textsUntilClosed(client: RawWebSocket): Promise<string[]> {
    await client.closed;
    return client.untaken.filter(({ opcode }) => opcode !== OPCODE.close).map(({ text }) => text);
  }
});

describe("hundreds of thousands of arguments", () => {
  const COUNT = 400_000;
  const MANY = ",0".repeat(COUNT).slice(1);
  const TOO_MANY = "RangeError: Maximum call stack size exceeded";

  test("of an event end in an error for the operator, not in the end of the process (Q21)", async () => {
    const target = await Target.start();
    const { client, socket } = await target.join();
    socket.onAny(() => {});
    client.send(`42["echo",${MANY}]`);
    client.send('421["echo",1]');
    expect(await client.nextText()).toBe("431[1]");
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed(TOO_MANY, TOO_MANY));
  });

  test("of an event nobody listens to are no error at all (Q21)", async () => {
    const target = await Target.start();
    const { client } = await target.join();
    client.send(`42["nobody listens",${MANY}]`);
    client.send('421["echo",1]');
    expect(await client.nextText()).toBe("431[1]");
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("of an event reach a socket middleware, which takes the event as one argument (Q21)", async () => {
    const target = await Target.start();
    const { client, socket } = await target.join();
    const length = new Promise((resolve) => {
      socket.use((event, next) => {
        resolve(event.length);
        next(new Error("too many"));
      });
    });
    client.send(`42["echo",${MANY}]`);
    expect(await length).toBe(COUNT + 1);
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each(["callback", "timeout", "promise"] as const)(
    "of an acknowledgement end in an error for the operator: %s (Q21)",
    async (kind) => {
      const target = await Target.start();
      const { client, socket } = await target.join();
      const answers: unknown[] = [];
      if (kind === "callback") socket.emit("question", () => answers.push("called"));
      if (kind === "timeout") socket.timeout(60_000).emit("question", () => answers.push("called"));
      if (kind === "promise") {
        void socket.emitWithAck("question").then((answer) => answers.push(answer));
      }
      const question = await client.nextText();
      const id = /^42(\d+)/.exec(question)?.[1] ?? "";
      client.send(`43${id}[${MANY}]`);
      client.send('421["echo",1]');
      expect(await client.nextText()).toBe("431[1]");
      // A promise takes one argument; functions would have to take them all.
      expect(answers).toEqual(kind === "promise" ? [0] : []);
      await leave(client);
      expect(await target.aftermath()).toEqual(
        kind === "promise" ? unharmed() : unharmed(TOO_MANY),
      );
    },
  );

  test("of an answer to a broadcast count as none, and the answers of others as ever (Q21)", async () => {
    const target = await Target.start();
    const hostile = await target.join();
    const healthy = await target.join();
    for (const { socket } of [hostile, healthy]) await socket.join("asked");
    const outcome = new Promise((resolve) => {
      target.io
        .timeout(500)
        .to("asked")
        .emit("question", (error: unknown, answers: unknown) => resolve([String(error), answers]));
    });
    const id = /^42(\d+)/.exec(await hostile.client.nextText())?.[1] ?? "";
    hostile.client.send(`43${id}[${MANY}]`);
    healthy.client.send(`43${id}["fine"]`);
    expect(await outcome).toEqual(["AckTimeoutError: operation has timed out", ["fine"]]);
    await leave(hostile.client);
    await leave(healthy.client);
    expect(await target.aftermath()).toEqual(unharmed(TOO_MANY));
  });

  test("of a broadcast of the application reach everybody (Q21)", async () => {
    const target = await Target.start();
    const { client, socket } = await target.join();
    await socket.join("room");
    const args = Array.from({ length: 50_000 }, () => 0);
    target.io.to("room").emit("many", ...args);
    expect(await client.nextText()).toBe(`42["many",${args.join(",")}]`);
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("listeners that throw", () => {
  test("a disconnecting listener that throws keeps no socket in its rooms (Q24)", async () => {
    const target = await Target.start();
    const { client, socket } = await target.join();
    await socket.join("room");
    socket.on("disconnecting", () => {
      throw new Error("disconnecting");
    });
    socket.on("disconnect", () => {
      throw new Error("disconnect");
    });
    const disconnected = received(socket as never, "disconnect");
    await leave(client);
    expect((await disconnected)[0]).toBe("transport close");
    expect(socket.rooms.size).toBe(0);
    expect(await target.aftermath()).toEqual(unharmed("Error: disconnecting", "Error: disconnect"));
  });
});
