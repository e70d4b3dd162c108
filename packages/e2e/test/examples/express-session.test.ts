import type { Socket } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { ask } from "../ecosystem/host.js";
import { type Cell, CELLS, connect, ready } from "../support/clients.js";
import { first } from "../support/wait.js";
import { shareExample, startExample, useExample } from "./example.js";

const NAME = "express-session";
const CELLS_OF_LATEST = CELLS.filter(({ modern }) => modern);

useExample(NAME);

// Every test has browsers of its own, so all of them may share a server.
const shared = shareExample(NAME);

const form = (fields: Record<string, string>, cookie = ""): RequestInit => ({
  method: "POST",
  body: new URLSearchParams(fields),
  headers: { cookie },
});

/** Logs in like a browser; resolves with the cookie of the session. */
async function logIn(user: string, cookie = "", { port } = shared()): Promise<string> {
  const answer = await ask(port, "/login", form({ user }, cookie));
  expect(answer.status).toBe(303);
  return answer.cookie ?? "";
}

async function me(cookie: string): Promise<unknown> {
  return JSON.parse((await ask(shared().port, "/me", { headers: { cookie } })).body) as unknown;
}

const open = (cell: Cell, cookie: string, { port } = shared()): Promise<Socket> =>
  ready(connect(port, cell, { extraHeaders: { cookie } }), cell);

/** Why a client is not let in. */
async function refusal(cell: Cell, cookie: string): Promise<string> {
  const client = connect(shared().port, cell, { extraHeaders: { cookie } });
  return (await first<Error>(client, "connect_error")).message;
}

describe.each(CELLS_OF_LATEST)("$transport", { timeout: 30_000 }, (cell) => {
  test("who has not logged in is refused, and gets no session", async () => {
    expect(await refusal(cell, "")).toBe("please log in");
    expect(await refusal(cell, "connect.sid=s%3Aforged.signature")).toBe("please log in");
    expect(await ask(shared().port, "/me")).toMatchObject({
      body: '{"clicks":0}',
      cookie: undefined,
    });
  });

  test("HTTP and sockets of one browser share a session, and others have their own", async () => {
    const [ada, bob] = [await logIn("ada"), await logIn("bob")];
    const [one, two] = [await open(cell, ada), await open(cell, ada)];
    const other = await open(cell, bob);
    expect(await one.emitWithAck("click")).toBe(1);
    expect(await two.emitWithAck("click")).toBe(2);
    expect(await one.emitWithAck("click")).toBe(3);
    expect(await other.emitWithAck("click")).toBe(1);
    expect(await me(ada)).toEqual({ user: "ada", clicks: 3 });
    expect(await me(bob)).toEqual({ user: "bob", clicks: 1 });
  });

  test("a logout ends all sockets of the session, and no others", async () => {
    const [ada, bob] = [await logIn("ada"), await logIn("bob")];
    const clients = [await open(cell, ada), await open(cell, ada)];
    const other = await open(cell, bob);
    const gone = clients.map((client) => first(client, "disconnect"));
    expect(await ask(shared().port, "/logout", form({}, ada))).toMatchObject({
      status: 303,
      cookie: "connect.sid=",
    });
    expect(await Promise.all(gone)).toEqual(["io server disconnect", "io server disconnect"]);
    expect(await refusal(cell, ada)).toBe("please log in");
    expect(await other.emitWithAck("click")).toBe(1);
    expect(await me(ada)).toEqual({ clicks: 0 });
  });

  test("a socket ends with the first event after its session has", async () => {
    const cookie = await logIn("ada");
    const client = await open(cell, cookie);
    // A new login ends the old session, but tells nobody.
    const renewed = await logIn("ada", cookie);
    const answered: unknown[] = [];
    const gone = first(client, "disconnect");
    client.emit("click", (clicks: unknown) => answered.push(clicks));
    expect(await gone).toBe("io server disconnect");
    expect(answered).toEqual([]);
    expect(await me(renewed)).toEqual({ user: "ada", clicks: 0 });
  });
});

describe("the example", { timeout: 30_000 }, () => {
  const [cell] = CELLS_OF_LATEST.filter(({ transport }) => transport === "websocket") as [Cell];

  test("a login gives the browser a new session", async () => {
    const one = await logIn("ada");
    const two = await logIn("bob", one);
    expect(two).not.toBe(one);
    expect(await me(one)).toEqual({ clicks: 0 });
    expect(await me(two)).toEqual({ user: "bob", clicks: 0 });
  });

  test("names that are none are refused", async () => {
    const { port } = shared();
    for (const fields of [{}, { user: "" }, { user: "a".repeat(21) }]) {
      expect(await ask(port, "/login", form(fields as Record<string, string>))).toMatchObject({
        status: 400,
        cookie: undefined,
      });
    }
    const json = { method: "POST", body: "{", headers: { "content-type": "application/json" } };
    expect(await ask(port, "/login", json)).toMatchObject({ status: 400 });
    expect(await ask(port, "/logout", { method: "POST" })).toMatchObject({ status: 303 });
  });

  test("takes no harm from an event without an acknowledgement", async () => {
    const client = await open(cell, await logIn("ada"));
    for (const args of [[], ["click"], [null, {}]] as unknown[][]) client.emit("click", ...args);
    expect(await client.emitWithAck("click")).toBe(1);
  });

  test("has a page, and the cookie is not for scripts and other sites", async () => {
    const { port } = shared();
    expect((await ask(port, "/")).body).toContain('<script src="/socket.io/socket.io.js">');
    const response = await fetch(`http://127.0.0.1:${port}/login`, {
      ...form({ user: "ada" }),
      redirect: "manual",
    });
    expect(response.headers.getSetCookie()[0]).toMatch(/; HttpOnly; SameSite=Lax$/);
  });

  test.each([["SIGTERM" as const], ["SIGINT" as const]])("ends on %s", async (signal) => {
    const own = await startExample(NAME);
    const cookie = await logIn("ada", "", own);
    const clients = await Promise.all(CELLS_OF_LATEST.map((each) => open(each, cookie, own)));
    const gone = clients.map((client) => first(client, "disconnect"));
    expect(await own.stop(signal)).toEqual([0, null]);
    expect(await Promise.all(gone)).toHaveLength(clients.length);
    expect(own.output().split("\n")).toHaveLength(1);
  });
});
