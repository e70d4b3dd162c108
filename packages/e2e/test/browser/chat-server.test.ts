import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { io, type Socket } from "socket.io-client";
import { expect, onTestFinished, test } from "vitest";
import { type Chat, startChat } from "./chat-app.js";

const hex = (): string => randomBytes(16).toString("hex");

interface Message {
  readonly id: string;
  readonly text: string;
}

interface Reply {
  readonly ok: boolean;
  readonly error?: string;
  readonly retryAfter?: number;
  readonly history?: readonly Message[];
  readonly message?: Message;
}

/** A client of the chat; resolves with the text of the refusal, if it was refused. */
async function connect(chat: Chat, auth: unknown): Promise<{ client: Socket; refusal?: string }> {
  const client = io(chat.url, { auth: auth as object, forceNew: true, reconnection: false });
  onTestFinished(() => {
    client.disconnect();
  });
  return new Promise((resolve) => {
    client.once("connect", () => resolve({ client }));
    client.once("connect_error", ({ message }) => resolve({ client, refusal: message }));
  });
}

async function enter(chat: Chat, name: string): Promise<Socket> {
  const { client, refusal } = await connect(chat, { name, key: hex() });
  expect(refusal).toBeUndefined();
  return client;
}

const ask = async (client: Socket, event: string, payload: unknown): Promise<Reply> =>
  (await client.emitWithAck(event, payload)) as Reply;

/** Sends a message, waiting as long as the limit asks for. */
async function say(client: Socket, text: string, id = hex()): Promise<Reply> {
  const reply = await ask(client, "message", { room: "Lobby", id, text });
  if (reply.retryAfter === undefined) return reply;
  await new Promise((resolve) => {
    setTimeout(resolve, reply.retryAfter);
  });
  return say(client, text, id);
}

test.for([
  ["nothing", undefined],
  ["a number", { name: 7, key: hex() }],
  ["one letter", { name: "A", key: hex() }],
  ["21 letters", { name: "A".repeat(21), key: hex() }],
  ["markup", { name: "<b>Ada</b>", key: hex() }],
  ["a line break that only looks like a space", { name: "Ada\u202eB", key: hex() }],
  ["no key", { name: "Ada" }],
])("as a name, %s is refused", async ([, auth]) => {
  const { refusal } = await connect(await startChat(), auth);
  expect(refusal).toBe("Please use 2 to 20 letters and digits.");
});

test("a name may come from any script, and spaces in it are tidied", async () => {
  const chat = await startChat();
  const ada = await enter(chat, "  Adá   राम ");
  const { refusal } = await connect(chat, { name: "adá राम", key: hex() });
  expect(refusal).toBe("“adá राम” is taken. Please choose another name.");
  expect(ada.connected).toBe(true);
});

test("a name is free again when its owner has gone", async () => {
  const chat = await startChat();
  const ada = await enter(chat, "Ada");
  const bob = await enter(chat, "Bob");
  await ask(bob, "join", { room: "Lobby" });
  const joined = new Promise((resolve) => bob.once("members", resolve));
  await ask(ada, "join", { room: "Lobby" });
  await joined;
  const left = new Promise((resolve) => bob.once("members", resolve));
  ada.disconnect();
  await left;
  expect((await connect(chat, { name: "Ada", key: hex() })).refusal).toBeUndefined();
});

test("a message that is sent again is kept once", async () => {
  const ada = await enter(await startChat(), "Ada");
  const id = hex();
  const first = await say(ada, "hello", id);
  expect(await say(ada, "hello", id)).toEqual(first);
  expect((await ask(ada, "join", { room: "lobby" })).history).toEqual([first.message]);
});

test("nobody can overwrite another one's message by its id", async () => {
  const chat = await startChat();
  const id = hex();
  await say(await enter(chat, "Ada"), "hello", id);
  const bob = await enter(chat, "Bob");
  expect((await say(bob, "good-bye", id)).ok).toBe(false);
  expect((await ask(bob, "join", { room: "Lobby" })).history).toMatchObject([{ text: "hello" }]);
});

test("more events at once than the limit are put off, not lost", async () => {
  const ada = await enter(await startChat(), "Ada");
  const ids = Array.from({ length: 40 }, hex);
  const replies = await Promise.all(
    ids.map((id) => ask(ada, "message", { room: "Lobby", id, text: id })),
  );
  const putOff = replies.filter(({ retryAfter }) => retryAfter !== undefined);
  expect(putOff.length).toBeGreaterThan(0);
  expect(putOff.every(({ ok }) => !ok)).toBe(true);
  const id = hex();
  expect(await say(ada, "later", id)).toMatchObject({ ok: true, message: { id } });
});

test("a room keeps its last 50 messages", async () => {
  const chat = await startChat();
  const sent: string[] = [];
  // Each of them may say so much at once without being put off.
  for (const name of ["Ada", "Bob", "Cid", "Dan"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, so the order is known
    const client = await enter(chat, name);
    const texts = Array.from({ length: 15 }, (_, index) => `${name} ${index}`);
    sent.push(...texts);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await Promise.all(texts.map((text) => say(client, text)));
  }
  const { history } = await ask(await enter(chat, "Eve"), "join", { room: "Lobby" });
  expect(history?.map(({ text }) => text)).toEqual(sent.slice(-50));
});

test.for([
  ["no payload", undefined],
  ["null", null],
  ["a list", []],
  ["an object as text", { room: "Lobby", id: hex(), text: { toString: 1 } }],
  ["an empty text", { room: "Lobby", id: hex(), text: " \u0007 \n" }],
  ["1001 characters", { room: "Lobby", id: hex(), text: "x".repeat(1001) }],
  ["a room that is not there", { room: "Cellar", id: hex(), text: "x" }],
  ["the prototype as a room", { room: "__proto__", id: hex(), text: "x" }],
  ["no id", { room: "Lobby", text: "x" }],
])("a message with %s is answered with an error", async ([, payload]) => {
  const ada = await enter(await startChat(), "Ada");
  expect(await ask(ada, "message", payload)).toMatchObject({
    ok: false,
    error: expect.any(String),
  });
});

test("events without an acknowledgement or of the wrong kind do no harm", async () => {
  const ada = await enter(await startChat(), "Ada");
  ada.emit("join");
  ada.emit("message", 1, 2, 3);
  ada.emit("typing", null);
  ada.emit("unknown", { a: 1 });
  expect((await ask(ada, "join", { room: "Lobby" })).ok).toBe(true);
});

test("control characters and runs of empty lines do not get into a message", async () => {
  const ada = await enter(await startChat(), "Ada");
  const { message } = await say(ada, " a\u0000\u001b[31m\r\n\r\n\r\n\r\nb\tc ");
  expect(message?.text).toBe("a[31m\n\nb\tc");
});

test("there are at most 50 rooms", async () => {
  const chat = await startChat();
  // A room goes when the last one leaves, so there must be one person in each.
  const people = await Promise.all(
    Array.from({ length: 48 }, (_, index) => enter(chat, `Person ${index}`)),
  );
  const replies = await Promise.all(
    people.map((person, index) => ask(person, "join", { room: `Room ${index}` })),
  );
  expect(replies.filter(({ ok }) => ok)).toHaveLength(47);
  expect(replies.filter(({ ok }) => !ok)).toEqual([
    { ok: false, error: "There are too many rooms already." },
  ]);
});

test("somebody who names a room like another one's socket does not reach that one", async () => {
  const chat = await startChat();
  let ada = await enter(chat, "Ada 0");
  // A few of the random ids are no names: those that begin or end with a sign.
  for (let index = 1; !/^[^\W_].*[^\W_]$/.test(String(ada.id)); index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- the next one is only needed without this one
    ada = await enter(chat, `Ada ${index}`);
  }
  const bob = await enter(chat, "Bob");
  await ask(ada, "join", { room: "Lobby" });
  const got: unknown[] = [];
  ada.on("message", (message) => got.push(message));
  const room = String(ada.id);
  expect((await ask(bob, "join", { room })).ok).toBe(true);
  expect((await ask(bob, "message", { room, id: hex(), text: "psst" })).ok).toBe(true);
  await say(bob, "hello");
  await expect.poll(() => got).toMatchObject([{ text: "hello" }]);
});

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly policy: unknown;
}

/** Asks for a path exactly as it is written, which `fetch` would tidy up. */
function get(chat: Chat, path: string, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "localhost", port: chat.port, path, method }, (answer) => {
      answer.resume();
      const { headers, statusCode } = answer;
      resolve({
        status: statusCode,
        type: headers["content-type"],
        policy: headers["content-security-policy"],
      });
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("the page comes with a policy that forbids inline scripts", async () => {
  const answer = await get(await startChat(), "/");
  expect(answer).toMatchObject({ status: 200, type: "text/html; charset=utf-8" });
  expect(answer.policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
});

test.for([
  "/../server.js",
  "/..%2fserver.js",
  "/public/index.html",
  "//etc/passwd",
  "/%2e%2e/server.js",
  "/..\\server.js",
  "/constructor",
  "/.",
])("nothing outside the folder is served: %s", async (path) => {
  expect((await get(await startChat(), path)).status).toBe(404);
});

test("files can only be read", async () => {
  const chat = await startChat();
  expect((await get(chat, "/", "POST")).status).toBe(405);
  expect((await get(chat, "/style.css?v=1", "HEAD")).status).toBe(200);
});
