import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo, Socket as TcpSocket } from "node:net";
import type * as EngineIo from "engine.io";
import type * as SocketIo from "socket.io";
import { test } from "vitest";
import { onCleanup } from "./cleanup.js";

type SocketIoPackage = Pick<typeof SocketIo, "Server">;
type EnginePackage = Pick<typeof EngineIo, "Server">;

/** Which server is tested: `SUBJECT=official` in the environment means npm `socket.io`. */
const subject: "jackfield" | "official" =
  process.env["SUBJECT"] === "official" ? "official" : "jackfield";

// One type for both: the tests use the API of the official packages, and ours has to have it.
async function loadServer(): Promise<SocketIoPackage> {
  if (subject === "official") {
    return import("socket.io");
  }
  return (await import("@jackfield/socketio")) as unknown as SocketIoPackage;
}

async function loadEngine(): Promise<EnginePackage> {
  if (subject === "official") {
    return import("engine.io");
  }
  return (await import("@jackfield/engine-core")) as unknown as EnginePackage;
}

/** The `Server` class of the subject. */
export const { Server: SubjectServer } = await loadServer();

// The Engine.IO server of the subject.
const { Server: SubjectEngine } = await loadEngine();

/** A test of something that the official server gets wrong and ours must get right. */
export function fix(name: string, run: () => Promise<void> | void): void {
  // oxlint-disable-next-line vitest/valid-title, vitest/expect-expect -- both are the caller's
  test(name, async (context) => {
    context.skip(subject === "official", "the official server has this defect");
    await run();
  });
}

interface Listening {
  readonly httpServer: HttpServer;
  readonly port: number;
  /** Closes the server and cuts what connections are left. May be called twice. */
  close(): Promise<void>;
}

/** A Socket.IO server that listens on the loopback interface. */
export interface RunningServer extends Listening {
  readonly io: SocketIo.Server;
}

/** An Engine.IO server that listens on the loopback interface, with path `/engine.io/`. */
export interface RunningEngine extends Listening {
  readonly engine: EngineIo.Server;
}

/** Where to listen: port 0 (default) picks a free one. */
export interface ListenOptions {
  readonly port?: number;
}

/** Starts a Socket.IO server, which is closed after the test. */
export async function startServer(
  options: Partial<SocketIo.ServerOptions> & ListenOptions = {},
): Promise<RunningServer> {
  const { port = 0, ...serverOptions } = options;
  const httpServer = createServer();
  const io = new SubjectServer(httpServer, serverOptions);
  const listening = await listen(httpServer, port, () => io.close());
  return { io, ...listening };
}

/** Starts a bare Engine.IO server, which is closed after the test. */
export async function startEngine(
  options: EngineIo.ServerOptions & ListenOptions = {},
): Promise<RunningEngine> {
  const { port = 0, ...engineOptions } = options;
  const httpServer = createServer();
  const engine = new SubjectEngine(engineOptions);
  engine.attach(httpServer);
  const listening = await listen(httpServer, port, async () => {
    engine.close();
    await closeHttp(httpServer);
  });
  return { engine, ...listening };
}

/** Starts listening on the loopback interface and resolves with the port. */
export function listenOn(httpServer: HttpServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    httpServer.once("error", reject);
    httpServer.listen(port, "127.0.0.1", () => {
      httpServer.off("error", reject);
      resolve((httpServer.address() as AddressInfo).port);
    });
  });
}

/** Closes an HTTP server; resolves when its last connection has ended. */
export function closeHttp(httpServer: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    // The only error is that it does not listen, which is what was wanted.
    httpServer.close(() => resolve());
  });
}

async function listen(
  httpServer: HttpServer,
  port: number,
  shutDown: () => Promise<void>,
): Promise<Listening> {
  const connections = trackConnections(httpServer);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= connections.cutDuring(shutDown);
    return closed;
  };
  onCleanup(close);
  return { httpServer, port: await listenOn(httpServer, port), close };
}

function trackConnections(httpServer: HttpServer): {
  cutDuring(shutDown: () => Promise<void>): Promise<void>;
} {
  const open = new Set<TcpSocket>();
  let cutting = false;
  httpServer.on("connection", (connection) => {
    open.add(connection);
    connection.once("close", () => open.delete(connection));
    if (cutting) {
      connection.destroy();
    }
  });
  return {
    async cutDuring(shutDown) {
      const down = shutDown();
      cutting = true;
      // One turn later, so that what the server says last is written.
      setImmediate(() => {
        for (const connection of open) {
          connection.destroy();
        }
      });
      await down;
    },
  };
}
