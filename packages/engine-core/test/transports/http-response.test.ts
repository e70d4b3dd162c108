import { createServer, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { endInOneWrite } from "../../src/transports/http-response.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/** Answers raw requests by `respond`, and resolves with the chunks that the peer got. */
async function exchange(respond: (res: ServerResponse) => void, requests = GET): Promise<string[]> {
  const server = createServer((_req, res) => respond(res));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  // One cast: a server that listens on a port has an address.
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const chunks: string[] = [];
  socket.on("data", (chunk) => chunks.push(chunk.toString("latin1")));
  socket.write(requests);
  await new Promise((resolve) => socket.on("close", resolve));
  return chunks;
}

function bodyOf(chunks: string[]): string {
  return chunks.join("").split("\r\n\r\n").slice(1).join("\r\n\r\n");
}

test.each([
  ["text", "hällo", Buffer.from("hällo").toString("latin1")],
  ["bytes", Buffer.from([1, 2, 255]), "\x01\x02\xff"],
  ["nothing", "", ""],
])("%s arrives complete, and written is called", async (_name, body, expected) => {
  let written = 0;
  const chunks = await exchange((res) => {
    res.writeHead(200, { "Content-Length": String(Buffer.byteLength(body)) });
    endInOneWrite(res, body, () => (written += 1));
  });
  expect(bodyOf(chunks)).toBe(expected);
  expect(written).toBe(1);
});

test("head and body of a text leave in one write", async () => {
  let firstWrite: unknown;
  await exchange((res) => {
    const { socket } = res;
    if (socket === null) throw new Error("no socket");
    const write = vi.spyOn(socket, "write");
    res.writeHead(200, { "Content-Length": "2" });
    endInOneWrite(res, "ok", undefined);
    firstWrite = write.mock.calls[0]?.[0];
  });
  expect(String(firstWrite)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nok$/);
});

test("an end that a middleware has put in place sees the body", async () => {
  let seen: unknown;
  const chunks = await exchange((res) => {
    const end = vi.spyOn(res, "end");
    res.writeHead(200, { "Content-Length": "2" });
    endInOneWrite(res, "ok", undefined);
    seen = end.mock.calls[0]?.[0];
  });
  expect(seen).toBe("ok");
  expect(bodyOf(chunks)).toBe("ok");
});

// Node.js gives a response the connection ahead of its turn when the one that had it has ended it. It
// takes for granted that such a response never finishes, and ends the process if it does.
test("a response on a connection that was destroyed before its turn does not finish", async () => {
  // Without a host, Node.js refuses it by itself, and ends the connection.
  const refused = "GET / HTTP/1.1\r\n\r\n";
  const waiting = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n4";
  let finished = 0;
  let wasDestroyed: boolean | undefined;
  await exchange(
    (res) => {
      // The other request waits for ever, and its turn is before this one.
      if (res.req.method !== "GET") return;
      const emit = res.emit.bind(res);
      vi.spyOn(res, "emit").mockImplementation((event, ...args: unknown[]) => {
        if (event !== "finish") return emit(event, ...args);
        finished += 1;
        return true;
      });
      res.socket?.once("finish", () => {
        wasDestroyed = res.socket?.destroyed;
        res.writeHead(200, { "Content-Length": "2" });
        endInOneWrite(res, "ok", undefined);
      });
    },
    refused + waiting + GET,
  );
  expect(wasDestroyed).toBe(true);
  expect(finished).toBe(0);
});
