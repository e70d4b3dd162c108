import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, vi } from "vitest";
import { execute, type Daemon, type Identity, startDaemon } from "./processes.js";

/** A program that carries messages between servers, while the tests of a file run. */
export interface Broker {
  /** @throws {Error} while it is not running */
  readonly port: number;
}

/** A broker that tests crash and pause. */
export interface FaultyBroker extends Broker, Omit<Daemon, "stop"> {}

const NOT_DURABLE = ["--save", "", "--appendonly", "no"];
/** What was answered is on the disk. */
const DURABLE = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];

/**
 * Runs a Redis server for the tests of the calling file. Unless it is to be durable it keeps
 * nothing on disk.
 */
export function useRedis({ isDurable = false } = {}): FaultyBroker {
  const durability = isDurable ? DURABLE : NOT_DURABLE;
  return useDaemon(() =>
    startDaemon(() =>
      Promise.resolve((port) => ({
        command: "redis-server",
        args: ["--port", `${port}`, "--bind", "127.0.0.1", ...durability],
        readyLine: "Ready to accept connections",
        stopSignal: "SIGTERM",
      })),
    ),
  );
}

/** Runs a PostgreSQL server with an empty database `postgres` for the tests of the calling file. */
export function usePostgres(): FaultyBroker {
  return useDaemon(async () => {
    const identity = await postgresIdentity();
    const programs = postgresPrograms();
    return startDaemon(async (folder) => {
      const data = join(folder, "data");
      const initial = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"];
      await execute(join(programs, "initdb"), [...initial, "--no-sync"], {
        ...identity,
        cwd: folder,
      });
      return (port) => ({
        command: join(programs, "postgres"),
        args: ["-D", data, "-p", `${port}`, ...POSTGRES_SETTINGS.flatMap((each) => ["-c", each])],
        readyLine: "database system is ready to accept connections",
        // "Fast shutdown": it does not wait for clients to leave.
        stopSignal: "SIGINT",
      });
    }, identity);
  });
}

/** Nothing has to survive, so nothing has to reach the disk. */
const POSTGRES_SETTINGS = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "fsync=off",
  "full_page_writes=off",
  "synchronous_commit=off",
  "shared_buffers=16MB",
  "autovacuum=off",
];

function useDaemon(start: () => Promise<Daemon>): FaultyBroker {
  // Slow machines need seconds to fill the folder of a database.
  vi.setConfig({ hookTimeout: 60_000 });
  let daemon: Daemon | undefined;
  beforeAll(async () => {
    daemon = await start();
  });
  afterAll(async () => {
    await daemon?.stop();
  });
  const running = (): Daemon => {
    if (daemon === undefined) throw new Error("the broker does not run");
    return daemon;
  };
  return {
    get port() {
      return running().port;
    },
    crash: () => running().crash(),
    restart: () => running().restart(),
    pause: () => running().pause(),
    resume: () => running().resume(),
  };
}

/** Debian has the programs of PostgreSQL in a folder per version, outside of the search path. */
function postgresPrograms(): string {
  const root = "/usr/lib/postgresql";
  const version = Math.max(...readdirSync(root).map(Number));
  return join(root, String(version), "bin");
}

/** PostgreSQL refuses to run as root. */
async function postgresIdentity(): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = await readFile("/etc/passwd", "utf8");
  const [, , uid, gid] = /^postgres:.*$/m.exec(users)?.[0].split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error("there is no user postgres");
  return { uid: Number(uid), gid: Number(gid) };
}
