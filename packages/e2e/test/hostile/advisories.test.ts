import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { formatFrame, OPCODE, RawConnection, rawRequest, RawWebSocket } from "@jackfield/testkit";
import { range } from "../support/range.js";
import { first } from "../support/wait.js";
import { dispose, leave, Target, unharmed } from "./target.js";

// What was published about engine.io, socket.io, socket.io-parser, ws and what these are built from,
// tried on this server. Each name says what the attack was.

const PROTOTYPE_KEYS = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];

/** The limit that servers have by default. */
const MAX_PAYLOAD = 1_000_000;

const UNKNOWN_TRANSPORT = '{"code":0,"message":"Transport unknown"}';
const UNKNOWN_SID = '{"code":1,"message":"Session ID unknown"}';

describe("engine.io", () => {
  test.each([
    ["text of many packets", "\u001e4".repeat(MAX_PAYLOAD / 2 - 1).slice(1)],
    ["base64 of many packets", "\u001ebAA".repeat(MAX_PAYLOAD / 4 - 1).slice(1)],
    ["one packet", "4".repeat(MAX_PAYLOAD)],
  ])("CVE-2020-36048: a POST of the largest size allowed, %s", async (_name, payload) => {
    const target = await Target.start();
    const polling = await target.openPolling();
    const answer = await polling.post(payload);
    // What it holds is no Socket.IO, so that the session is closed; the request is answered.
    expect([answer.status, answer.body]).toEqual([200, "ok"]);
    expect((await polling.poll()).body).toBe("6\u001e1");
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each([
    ["many packets", "1:4".repeat(MAX_PAYLOAD / 3 - 1)],
    ["many packets of nothing", "0:".repeat(MAX_PAYLOAD / 2 - 1)],
    ["one length", "9".repeat(MAX_PAYLOAD)],
    ["one colon after the other", ":".repeat(MAX_PAYLOAD)],
  ])("CVE-2020-36048: the same over protocol 3, %s", async (_name, payload) => {
    const target = await Target.start({ allowEIO3: true, pingInterval: 300, pingTimeout: 1000 });
    const sid = await target.openSession("EIO=3&transport=polling");
    const path = `/socket.io/?EIO=3&transport=polling&sid=${sid}`;
    const answer = await rawRequest({ port: target.port, path, method: "POST", body: payload });
    expect([answer.status, answer.body]).toEqual([200, "ok"]);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("CVE-2020-36048: a body above the limit is not even collected", async () => {
    const target = await Target.start({ maxHttpBufferSize: 1000 });
    const polling = await target.openPolling();
    const announced = polling.start({ method: "POST", contentLength: 1e12, body: "4" });
    expect((await announced.response).status).toBe(413);
    announced.connection.destroy();
    const chunked = new RawConnection(target.port);
    chunked.write(
      `POST ${polling.target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `3e9\r\n${"4".repeat(1001)}\r\n`,
    );
    expect((await chunked.nextResponse()).status).toBe(413);
    chunked.destroy();
    await polling.post("1");
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("CVE-2022-21676: invalid frames in the same write as the upgrade request", async () => {
    const target = await Target.start();
    const frames = [
      formatFrame({ opcode: OPCODE.text, rsv: 3, payload: "2probe" }),
      formatFrame({ opcode: 3 }),
      formatFrame({ opcode: OPCODE.text, masked: false, payload: "2probe" }),
    ];
    for (const early of frames) {
      const polling = await target.openPolling();
      for (const sid of ["", `&sid=${polling.sid}`]) {
        const path = target.websocket + sid;
        const client = await RawWebSocket.connect({ port: target.port, path, early });
        expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1002 });
      }
      await polling.post("1");
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each([true, false])(
    "CVE-2022-41940: a reset at any point of the upgrade, allowRequest asynchronous: %s",
    async (isAsync) => {
      const target = await Target.start({
        allowRequest: (_req, answer) => {
          if (isAsync) setImmediate(answer, null, true);
          else answer(null, true);
        },
      });
      const upgrade =
        `GET ${target.websocket} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
      for (const turns of range(12)) {
        const socket = new RawConnection(target.port);
        socket.write(upgrade);
        for (let left = turns; left > 0; left -= 1) await turn();
        socket.reset();
        const answer = (await socket.closed).toString();
        expect(answer).toMatch(/^(?:HTTP\/1.1 101 Switching Protocols\r\n|$)/);
      }
      expect(await target.aftermath()).toEqual(unharmed());
    },
  );

  test("CVE-2023-31125: names of object members as transport", async () => {
    const target = await Target.start();
    const polling = await target.openPolling();
    for (const key of [...PROTOTYPE_KEYS, "", "webtransport", "handlesUpgrades"]) {
      for (const sid of ["", `&sid=${polling.sid}`]) {
        const path = `/socket.io/?EIO=4&transport=${key}${sid}`;
        const answer = await rawRequest({ port: target.port, path });
        expect([answer.status, answer.body]).toEqual([400, UNKNOWN_TRANSPORT]);
        const outcome = await RawWebSocket.attempt({ port: target.port, path });
        expect(outcome).toMatchObject({
          name: "refused",
          response: { status: 400, body: "Transport unknown" },
        });
      }
    }
    await polling.post("1");
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("socket.io-parser", () => {
  const digits = "9".repeat(MAX_PAYLOAD - 100);
  test.each([
    ["attachments", `45${digits}-["a"]`],
    ["digits without an end", `45${digits}`],
    ["id", `42${digits}["a"]`],
    ["acknowledgement", `43${digits}[]`],
  ])("CVE-2020-36049: a packet whose header has a megabyte of %s", async (_name, packet) => {
    const target = await Target.start();
    const { client } = await target.join();
    client.send(packet);
    expect(await client.closed).toEqual({ hasCloseFrame: true, code: undefined });
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("CVE-2020-36049: a namespace of a megabyte is none that there is", async () => {
    const target = await Target.start();
    const client = await target.openWebSocket();
    const name = `/${"n".repeat(MAX_PAYLOAD - 100)}`;
    client.send(`40${name},`);
    expect(await client.nextText()).toBe(`44${name},{"message":"Invalid namespace"}`);
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each([...PROTOTYPE_KEYS, "splice", "length", "0", "-1"])(
    "CVE-2022-2421: a placeholder with the number %j",
    async (num) => {
      const target = await Target.start();
      const { client } = await target.join();
      client.send(`451-["echo",{"_placeholder":true,"num":${JSON.stringify(num)}}]`);
      client.send(Buffer.from("x"));
      expect(await client.closed).toEqual({ hasCloseFrame: true, code: undefined });
      expect(await target.aftermath()).toEqual(unharmed());
    },
  );

  test.each(["-1", "1", "0.5", "1e9", "null", "true", "{}", "[0]", '{"valueOf":0}'])(
    "CVE-2022-2421: a placeholder with the number %s",
    async (num) => {
      const target = await Target.start();
      const { client } = await target.join();
      client.send(`451-["echo",{"_placeholder":true,"num":${num}}]`);
      client.send(Buffer.from("x"));
      expect(await client.closed).toEqual({ hasCloseFrame: true, code: undefined });
      expect(await target.aftermath()).toEqual(unharmed());
    },
  );

  test.each(['{"toString":"x"}', "{}", "[]", "null", "true", '[{"valueOf":1,"toString":2}]'])(
    "CVE-2023-32695: the event name %s",
    async (name) => {
      const target = await Target.start();
      const { client } = await target.join();
      client.send(`42[${name}]`);
      expect(await client.closed).toEqual({ hasCloseFrame: true, code: undefined });
      expect(await target.aftermath()).toEqual(unharmed());
    },
  );

  test("a packet that announces a billion attachments is refused before the first one", async () => {
    const target = await Target.start();
    const { client } = await target.join();
    client.send('451000000000-["echo"]');
    expect(await client.closed).toEqual({ hasCloseFrame: true, code: undefined });
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("socket.io", () => {
  test("CVE-2024-38355: an event of the name error, with nobody listening", async () => {
    const target = await Target.start();
    const { client, socket } = await target.join();
    socket.removeAllListeners("error");
    client.send('42["error"]');
    client.send('42["error",{"message":1}]');
    client.send('420["echo",1]');
    expect(await client.nextText()).toBe("430[1]");
    await leave(client);
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("CVE-2020-28481: without the option cors, no page of another origin reads an answer", async () => {
    const target = await Target.start();
    const headers = { Origin: "http://evil.example" };
    for (const method of ["GET", "OPTIONS"]) {
      const answer = await rawRequest({ port: target.port, path: target.polling, method, headers });
      expect(answer.headers.filter(([name]) => /^access-control/i.test(name))).toEqual([]);
      const sid = /"sid":"([\w-]+)"/.exec(answer.body)?.[1];
      const path = `${target.polling}&sid=${sid ?? "none"}`;
      await rawRequest({ port: target.port, path, method: "POST", body: "1" });
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("CVE-2017-16031: ids cannot be guessed from other ids", async () => {
    const target = await Target.start();
    const ids = [];
    for (const index of range(50)) {
      const { client, socket } = await target.join();
      ids.push(socket.id, (socket.conn as unknown as { id: string }).id);
      expect(ids.length).toBe(2 * index + 2);
      await leave(client);
    }
    expect(new Set(ids).size).toBe(100);
    // Twenty characters, of which each of the first sixteen is random: all 64 come up somewhere.
    for (const id of ids) expect(id).toMatch(/^[\w-]{20}$/);
    expect(new Set(ids.map((id) => id.slice(0, 16)).join("")).size).toBe(64);
    expect(new Set(ids.map((id) => id.slice(0, 8))).size).toBe(100);
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("ws", () => {
  test("CVE-2016-10518: a pong has the bytes of its ping and no others", async () => {
    const target = await Target.start();
    const client = await target.openWebSocket();
    for (const payload of ["", "x", "y".repeat(125)]) {
      client.sendFrame({ opcode: OPCODE.ping, payload });
      const pong = await client.nextFrame();
      expect([pong.opcode, pong.text]).toEqual([OPCODE.pong, payload]);
    }
    client.sendFrame({ opcode: OPCODE.ping, payload: "z".repeat(126) });
    expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1002 });
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("CVE-2016-10542: a frame above the limit is refused by its header alone", async () => {
    const target = await Target.start({ maxHttpBufferSize: 1000 });
    for (const length of [
      "000000000000ffff",
      "0000000080000000",
      "001fffffffffffff",
      "7fffffffffffffff",
      "ffffffffffffffff",
    ]) {
      const client = await target.openWebSocket();
      client.write(Buffer.from(`82ff${length}00000000`, "hex"));
      expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1009 });
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("CVE-2016-10542: a message above the limit is refused when its fragments exceed it", async () => {
    const target = await Target.start({ maxHttpBufferSize: 1000 });
    const client = await target.openWebSocket();
    client.sendFrame({ opcode: OPCODE.text, fin: false, payload: "x".repeat(600) });
    client.sendFrame({ opcode: OPCODE.continuation, fin: false, payload: "x".repeat(600) });
    expect(await client.closed).toEqual({ hasCloseFrame: true, code: 1009 });
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test.each([
    ["names of object members", PROTOTYPE_KEYS.join(", "), "accepted"],
    [
      "the same as parameters",
      PROTOTYPE_KEYS.map((key) => `permessage-deflate; ${key}=1`).join(", "),
      "refused",
    ],
    ["unfinished quotes", 'permessage-deflate; a="', "refused"],
    ["nothing but separators", ";,".repeat(4000), "refused"],
  ])("GHSA-5v72-xg48-5rpm: Sec-WebSocket-Extensions of %s", async (_name, value, byWs) => {
    // Our own WebSocket knows no extensions and ignores them all; ws refuses what is malformed.
    const expected = { false: "accepted", true: byWs };
    for (const perMessageDeflate of [false, true]) {
      const target = await Target.start({ perMessageDeflate });
      const headers = { "Sec-WebSocket-Extensions": value };
      const path = target.websocket;
      const outcome = await RawWebSocket.attempt({ port: target.port, path, headers });
      expect(outcome.name).toBe(expected[`${perMessageDeflate}`]);
      await dispose(outcome);
      expect(await target.aftermath()).toEqual(unharmed());
    }
  });

  test("CVE-2021-32640: a Sec-WebSocket-Protocol that makes regular expressions backtrack", async () => {
    const target = await Target.start();
    for (const value of [`b${" ".repeat(15_000)}x`, `a,${" ,".repeat(7000)}`, "a,".repeat(7000)]) {
      const headers = { "Sec-WebSocket-Protocol": value };
      const path = target.websocket;
      const outcome = await RawWebSocket.attempt({ port: target.port, path, headers });
      expect(outcome).toMatchObject({
        name: "refused",
        response: { status: 400, body: "Invalid Sec-WebSocket-Protocol header" },
      });
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("CVE-2024-37890: so many headers that those of the upgrade are dropped", async () => {
    const target = await Target.start();
    target.httpServer.maxHeadersCount = 20;
    const path = target.websocket;
    const many = range(30)
      .map((index) => `X-${index}: 1`)
      .join("\r\n");
    for (const kept of ["", "Connection: Upgrade\r\n", "Upgrade: websocket\r\n"]) {
      const socket = new RawConnection(target.port);
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\n${kept}${many}\r\nConnection: Upgrade\r\n` +
          "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      expect((await socket.nextResponse()).status).toBe(400);
      socket.destroy();
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });
});

describe("what servers are built from", () => {
  test("CVE-2014-7191, CVE-2014-10064, CVE-2017-1000048, CVE-2022-24999: nested query keys", async () => {
    const target = await Target.start();
    const queries = [
      "a[100000000]=1",
      `a${"[a]".repeat(2000)}=1`,
      "__proto__[x]=1&constructor[prototype][x]=1&a[__proto__]=1&a[__proto__]&a[length]=1e9",
      "toString=1&hasOwnProperty=1&__proto__=1",
    ];
    for (const query of queries) {
      const polling = await target.openPolling(`EIO=4&transport=polling&${query}`);
      const connected = first<{ handshake: { query: Record<string, unknown> } }>(
        target.io,
        "connection",
      );
      await polling.post("40");
      const { handshake } = await connected;
      expect(handshake.query["x"]).toBeUndefined();
      expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
      await polling.post("1");
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("CVE-2016-10539: an Accept-Encoding that makes regular expressions backtrack", async () => {
    const target = await Target.start({ httpCompression: { threshold: 1 } });
    const value = `gzip;q=0.${" ".repeat(7000)},${"a;".repeat(3000)}`;
    const answer = await rawRequest({
      port: target.port,
      path: target.polling,
      headers: { "Accept-Encoding": value },
    });
    expect(answer.status).toBe(200);
    expect(answer.header("content-encoding")).toBeUndefined();
    const sid = /"sid":"([\w-]+)"/.exec(answer.body)?.[1] ?? "";
    const path = `${target.polling}&sid=${sid}`;
    await rawRequest({ port: target.port, path, method: "POST", body: "1" });
    expect(await target.aftermath()).toEqual(unharmed());
  });

  test("a session id of a name of an object member is unknown", async () => {
    const target = await Target.start();
    for (const key of PROTOTYPE_KEYS) {
      for (const path of [
        `${target.polling}&sid=${key}`,
        `${target.polling}&sid[]=${key}&sid=${key}`,
      ]) {
        for (const method of ["GET", "POST"]) {
          const answer = await rawRequest({ port: target.port, path, method, body: "4" });
          expect([answer.status, answer.body]).toEqual([400, UNKNOWN_SID]);
        }
      }
    }
    expect(await target.aftermath()).toEqual(unharmed());
  });
});
