import { once } from "node:events";
import type { Server as HttpServer } from "node:http";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import type * as EngineIo from "engine.io";
import { onCleanup } from "../support/cleanup.js";
import { closeHttp, listenOn, type RunningEngine } from "../support/subject.js";

/** The Engine.IO `Server` class: ours, or that of the official package for `SUBJECT=official`. */
export const { Server: Engine } = (
  process.env["SUBJECT"] === "official"
    ? await import("engine.io")
    : await import("@jackfield/engine-core")
) as typeof EngineIo;

/** Attaches an engine to a server of any kind, which listens until the end of the test. */
export async function host(
  server: HttpServer | HttpsServer | Http2SecureServer,
  options: EngineIo.ServerOptions = {},
): Promise<Pick<RunningEngine, "engine" | "port">> {
  const engine = new Engine({ allowEIO3: true, ...options });
  engine.attach(server as HttpServer);
  return { engine, port: await listen(server, () => engine.close()) };
}

/** Starts listening; after the test, `stop` is called and every connection cut. */
export function listen(
  server: HttpServer | HttpsServer | Http2SecureServer,
  stop: () => unknown,
): Promise<number> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  };
  server.on("connection", track);
  onCleanup(async () => {
    stop();
    const closed = closeHttp(server as HttpServer);
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return listenOn(server as HttpServer, 0);
}

/** An answer over HTTP/2. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly body: string;
}

/** A client that speaks HTTP/2 and nothing else. */
export class Http2Client {
  readonly #session: ClientHttp2Session;

  constructor(port: number, ca: string) {
    this.#session = connectHttp2(`https://127.0.0.1:${port}`, { ca });
    // The server cuts it after the test.
    this.#session.on("error", () => {});
    onCleanup(() => this.#session.destroy());
  }

  /** Sends a request, with a body if there is one; resolves with the answer. */
  async request(
    path: string,
    headers: OutgoingHttpHeaders = {},
    body?: Buffer | string,
  ): Promise<Http2Answer> {
    const { stream, answer } = this.start(path, headers);
    stream.end(body);
    return answer;
  }

  /** Starts a request, whose stream the caller ends, or destroys. */
  start(
    path: string,
    headers: OutgoingHttpHeaders = {},
  ): { stream: ReturnType<ClientHttp2Session["request"]>; answer: Promise<Http2Answer> } {
    const stream = this.#session.request({ ":path": path, ...headers }, { endStream: false });
    const answer = readAnswer(stream);
    // Whoever destroys the stream does not look at the answer.
    answer.catch(() => {});
    return { stream, answer };
  }
}

async function readAnswer(stream: ReturnType<ClientHttp2Session["request"]>): Promise<Http2Answer> {
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
  const bytes = await buffer(stream);
  return { status: Number(headers[":status"]), headers, bytes, body: bytes.toString() };
}
