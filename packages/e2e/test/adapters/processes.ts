import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Which program to run, and what it prints when it is ready. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly readyLine: string;
  readonly stopSignal: NodeJS.Signals;
}

/** The user that a program runs as. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** A running program. */
export interface Daemon {
  readonly port: number;
  /** Stops the program and deletes its folder. */
  stop(): Promise<void>;
  /** Ends the program at once, as a crash does. */
  crash(): Promise<void>;
  /** Starts the program again after a crash, on the same port and with the same folder. */
  restart(): Promise<void>;
  /** Makes the program and its children stand still: they answer nothing, and connections stay. */
  pause(): Promise<void>;
  /** Ends a pause. */
  resume(): Promise<void>;
}

/** How often a port that looked free may be taken by somebody else before the program has it. */
const PORT_ATTEMPTS = 5;

/**
 * Starts a program on a free port of the loopback interface, in a folder that is deleted when it
 * stops.
 *
 * @param prepare fills the folder, and says how to start the program
 */
export async function startDaemon(
  prepare: (folder: string) => Promise<(port: number) => Program>,
  identity?: Identity,
): Promise<Daemon> {
  const folder = await mkdtemp(join(tmpdir(), "jackfield-daemon-"));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    if (identity !== undefined) await chown(folder, identity.uid, identity.gid);
    const programFor = await prepare(folder);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const program = programFor(port);
      const { child, output } = launch(program, folder, identity);
      const isReady = await printed(child, program.readyLine, output);
      if (isReady) return daemonOf({ port, program, folder, identity, child, removeFolder });
      if (attempt === PORT_ATTEMPTS) {
        throw new Error(`${program.command} did not start:\n${output.join("")}`);
      }
    }
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

interface DaemonInit {
  readonly port: number;
  readonly program: Program;
  readonly folder: string;
  readonly identity: Identity | undefined;
  readonly child: ChildProcess;
  readonly removeFolder: () => Promise<void>;
}

/** How often a program that has crashed may find that its former children still run. */
const RESTART_ATTEMPTS = 50;

function daemonOf({ port, program, folder, identity, ...init }: DaemonInit): Daemon {
  let { child } = init;
  const signal = async (name: NodeJS.Signals) => {
    for (const pid of await family(child.pid)) {
      try {
        process.kill(pid, name);
      } catch {
        // It has just ended.
      }
    }
  };
  return {
    port,
    async stop() {
      await signal("SIGCONT");
      await stop(child, program.stopSignal);
      await init.removeFolder();
    },
    async crash() {
      const closed = once(child, "close");
      // A child that stands still would outlive its parent.
      await signal("SIGKILL");
      await closed;
    },
    async restart() {
      for (let attempt = 1; ; attempt++) {
        const started = launch(program, folder, identity);
        ({ child } = started);
        if (await printed(child, program.readyLine, started.output)) return;
        if (attempt === RESTART_ATTEMPTS) throw new Error(started.output.join(""));
      }
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
  };
}

/** The ids of a process and its children. */
async function family(pid: number | undefined): Promise<number[]> {
  if (pid === undefined) return [];
  try {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    return [pid, ...children.split(" ").filter(Boolean).map(Number)];
  } catch {
    // It has ended.
    return [];
  }
}

/** Runs a program to its end. */
export async function execute(
  command: string,
  args: readonly string[],
  options: Partial<Identity> & { readonly cwd: string },
): Promise<void> {
  await run(command, [...args], options);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function launch(
  { command, args }: Program,
  cwd: string,
  identity: Identity | undefined,
): { child: ChildProcess; output: string[] } {
  const child = spawn(command, args, { ...identity, cwd, stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  }
  // Should the tests end without having stopped it.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("close", () => process.off("exit", kill));
  return { child, output };
}

/** Whether the program said that it is ready; if not, it has ended. */
function printed(child: ChildProcess, line: string, output: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (output.join("").includes(line)) resolve(true);
    };
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
    child.once("error", reject);
    child.once("close", () => resolve(false));
  });
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill(signal);
  await closed;
}
