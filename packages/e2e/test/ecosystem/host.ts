import { createServer, type RequestListener, type Server as HttpServer } from "node:http";
import type { Server, ServerOptions } from "socket.io";
import { listen } from "../engine-clients/hosts.js";
import { SubjectServer } from "../support/subject.js";

/** A Socket.IO server, and where it listens. */
export interface Hosted {
  readonly io: Server;
  readonly port: number;
  readonly httpServer: HttpServer;
}

/** Starts a server on an HTTP server that has an application. It is closed after the test. */
export async function hostOn(
  application: RequestListener | HttpServer,
  options: Partial<ServerOptions> = {},
): Promise<Hosted> {
  const httpServer = typeof application === "function" ? createServer(application) : application;
  const io = new SubjectServer(httpServer, options);
  return { io, httpServer, port: await listen(httpServer, () => io.close()) };
}

/** An answer of the application. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The first cookie that it sets, as a client sends it back. */
  readonly cookie: string | undefined;
}

/** Sends a request to the application, without following redirects. */
export async function ask(port: number, path: string, init: RequestInit = {}): Promise<Answer> {
  const url = `http://127.0.0.1:${port}${path}`;
  const response = await fetch(url, { redirect: "manual", ...init });
  return {
    status: response.status,
    body: await response.text(),
    cookie: response.headers.getSetCookie()[0]?.split(";")[0],
  };
}
