import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { needBuild } from "../support/built.js";
import { onCleanup } from "../support/cleanup.js";

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const FIXTURES = folder("fixtures/");
const INSTALLED = folder("../../node_modules/");

/** What stands for `socket.io`: the build of our package, or the official one to compare with. */
const SUBJECT = process.env["SUBJECT"] === "official" ? "socket.io" : "@jackfield/socketio";

/** What an application has installed besides `socket.io`. */
export interface Packages {
  /** As they are: what they require is found from where they are installed. */
  readonly linked?: readonly string[];
  /** Those that require `socket.io` themselves: they find that of the application. */
  readonly copied?: readonly string[];
}

/** A program that runs. */
export interface Program {
  readonly child: ChildProcess;
  /** Its first message: where it listens, and what it has to tell. */
  readonly facts: { readonly port: number } & Readonly<Record<string, unknown>>;
}

/**
 * The `node_modules` of an application that has said
 * `npm install socket.io@npm:@jackfield/socketio`, and programs that run in it.
 */
export class Installation {
  readonly #folder: string;

  private constructor(directory: string) {
    this.#folder = directory;
  }

  /** Puts the packages in place. The calling file needs the build of ours. */
  static async create({ linked = [], copied = [] }: Packages): Promise<Installation> {
    needBuild();
    // Node.js resolves from the real path, and the temporary folder may be a link.
    const directory = await realpath(await mkdtemp(join(tmpdir(), "jackfield-ecosystem-")));
    const links = linked.map((name) => [name, name] as const);
    for (const [name, target] of [["socket.io", SUBJECT] as const, ...links]) {
      const path = await placeFor(directory, name);
      await symlink(await realpath(join(INSTALLED, target)), path, "junction");
    }
    for (const name of copied) {
      const path = await placeFor(directory, name);
      await cp(await realpath(join(INSTALLED, name)), path, { recursive: true });
    }
    await cp(FIXTURES, directory, { recursive: true });
    return new Installation(directory);
  }

  /**
   * Starts a program of the folder `fixtures`; resolves with its first message. It is told to end
   * after the test by being disconnected.
   */
  async start(fixture: URL): Promise<Program> {
    const name = basename(fileURLToPath(fixture));
    const child = fork(join(this.#folder, name), {
      cwd: this.#folder,
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: "", NODE_ENV: "test" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const exited = once(child, "exit");
    onCleanup(async () => {
      if (child.connected) child.disconnect();
      const [code] = (await exited) as [number | null];
      if (code !== 0) throw new Error(`${name} ended with ${code}`);
    });
    const failed = exited.then(() => {
      throw new Error(`${name} has ended before it was ready`);
    });
    const [facts] = (await Promise.race([once(child, "message"), failed])) as [Program["facts"]];
    return { facts, child };
  }

  /** Removes the folder. */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

async function placeFor(directory: string, name: string): Promise<string> {
  const path = join(directory, "node_modules", name);
  await mkdir(dirname(path), { recursive: true });
  return path;
}
