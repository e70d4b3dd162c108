import { expect, test } from "vitest";
import { range } from "../support/range.js";
import { leave, Target, unharmed } from "./target.js";

const RECOVERY = {
  pingInterval: 200,
  pingTimeout: 1500,
  connectionStateRecovery: { maxDisconnectionDuration: 300 },
};

interface Connected {
  readonly sid: string;
  readonly pid: string;
}

function connected(text: string): Connected {
  return JSON.parse(text.slice(2)) as Connected;
}

test.each([
  ["an unknown one", '{"pid":"AAAAAAAAAAAAAAAAAAAAAAAA","offset":"x"}'],
  ["the name of an object member", '{"pid":"__proto__","offset":"constructor"}'],
  ["another one", '{"pid":"constructor","offset":"__proto__"}'],
  ["no text", '{"pid":{"toString":1},"offset":["x"]}'],
  ["numbers", '{"pid":0,"offset":0}'],
  ["nothing", '{"pid":null,"offset":null}'],
  ["empty", '{"pid":"","offset":""}'],
  [
    "as long as a message may be",
    `{"pid":"${"p".repeat(400_000)}","offset":"${"o".repeat(400_000)}"}`,
  ],
  ["a member of the prototype", '{"__proto__":{"pid":"x","offset":"x"}}'],
])("a forged session id, %s, opens a new session like none", async (_name, payload) => {
  const target = await Target.start(RECOVERY);
  const client = await target.openWebSocket();
  client.send(`40${payload}`);
  const { sid } = connected(await client.nextText());
  expect(target.io.of("/").sockets.get(sid)?.recovered).toBe(false);
  await leave(client);
  expect(await target.aftermath()).toEqual(unharmed());
});

test("a stolen session id is worth as much as its session, and only once", async () => {
  const target = await Target.start(RECOVERY);
  const victim = await target.openWebSocket();
  victim.send("40");
  const { sid, pid } = connected(await victim.nextText());
  target.io.to(sid).emit("secret", 1);
  await victim.nextText();
  await leave(victim);
  const thieves = await Promise.all(range(5).map(() => target.openWebSocket()));
  for (const thief of thieves) thief.send(`40{"pid":"${pid}","offset":"x"}`);
  const answers = await Promise.all(
    thieves.map(async (thief) => connected(await thief.nextText())),
  );
  expect(new Set(answers.map((answer) => answer.sid)).size).toBe(5);
  for (const thief of thieves) await leave(thief);
  expect(await target.aftermath()).toEqual(unharmed());
});

test("clients that come and go with recovery leave nothing behind", async () => {
  const target = await Target.start(RECOVERY);
  for (const index of range(50)) {
    const client = await target.openWebSocket();
    client.send("40");
    const { sid, pid } = connected(await client.nextText());
    await target.io
      .of("/")
      .sockets.get(sid)
      ?.join([`room ${index}`, "__proto__"]);
    target.io.emit("noise", index);
    await client.nextText();
    await leave(client);
    const again = await target.openWebSocket();
    again.send(`40{"pid":"${pid}","offset":"${index}"}`);
    again.destroy();
    expect(await again.closed).toEqual({ hasCloseFrame: false, code: undefined });
  }
  expect(await target.aftermath()).toEqual(unharmed());
});
