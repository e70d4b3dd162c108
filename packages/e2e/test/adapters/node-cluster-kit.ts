import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setupPrimary } from "@socket.io/cluster-adapter";
import { rolldown } from "rolldown";
import { acquainted, type ClusterNode, type Kit, type NodeKind } from "./cluster.js";
import { type Call, MESSAGE_SOURCE, type Reply } from "./worker-messages.js";

/** Ignored by git, and near enough to `node_modules` for what is loaded from there. */
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/adapters", import.meta.url));

/** What stands for `socket.io-adapter`, if asked for. */
const OURS = fileURLToPath(new URL("../../../socketio/src/index.ts", import.meta.url));

/**
 * The adapter that uses the channels between the processes of a node:cluster.
 *
 * @param isOurs whether the adapter of the servers under test extends the class of this project
 */
export function nodeClusterKit(isOurs = false): Kit {
  return {
    name: isOurs ? "@socket.io/cluster-adapter on our class" : "@socket.io/cluster-adapter",
    async start(kinds) {
      await mkdir(CACHE, { recursive: true });
      const folder = await mkdtemp(join(CACHE, "run-"));
      await bundle(folder, { name: "worker.mjs", isOurs: false });
      if (isOurs) await bundle(folder, { name: "worker-ours.mjs", isOurs });
      setupPrimary();
      const nodes = await Promise.all(
        kinds.map((kind, index) => {
          const file = isOurs && kind === "subject" ? "worker-ours.mjs" : "worker.mjs";
          // JSON, the default, knows no bytes. What is said here is for the next worker.
          cluster.setupPrimary({
            exec: join(folder, file),
            args: [],
            execArgv: [],
            serialization: "advanced",
          });
          return startWorker(kind, index);
        }),
      );
      await acquainted(nodes, "/", "/side");
      return {
        prefix: "",
        nodes,
        roomReady: () => Promise.resolve(),
        async close() {
          await Promise.all(nodes.map((node) => node.close()));
          cluster.removeAllListeners("message");
          await rm(folder, { recursive: true });
        },
      };
    },
  };
}

/** Node.js 20 runs no TypeScript. */
async function bundle(
  dir: string,
  { name, isOurs }: { readonly name: string; readonly isOurs: boolean },
): Promise<void> {
  const build = await rolldown({
    input: { worker: fileURLToPath(new URL("worker.ts", import.meta.url)) },
    platform: "node",
    external: isOurs ? ["socket.io"] : ["socket.io", "@socket.io/cluster-adapter"],
    resolve: {
      conditionNames: ["@jackfield/source", "node", "import"],
      alias: isOurs ? { "socket.io-adapter": OURS } : {},
    },
    logLevel: "silent",
  });
  await build.write({ dir, format: "esm", entryFileNames: name });
  await build.close();
}

async function startWorker(kind: NodeKind, index: number): Promise<ClusterNode> {
  const name = `node ${index}`;
  const worker = cluster.fork({ NODE_NAME: name, NODE_KIND: kind });
  const calls = new Calls(worker);
  const port = await calls.listening;
  return {
    name,
    port,
    call: async (action, ...args) => (await calls.call(action, args)) as never,
    async close() {
      const exited = once(worker, "exit");
      await calls.call("close", []);
      await exited;
    },
  };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What was asked of one worker and is not answered. */
class Calls {
  /** The port of the server. */
  readonly listening: Promise<number>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.listening = new Promise((resolve, reject) => {
      worker.once("exit", (code) => {
        const error = new Error(`the worker has ended with code ${code}`);
        reject(error);
        for (const waiting of this.#waiting.values()) waiting.reject(error);
      });
      worker.on("message", (message: Partial<Reply>) => {
        if (message.source !== MESSAGE_SOURCE) return;
        if (message.port !== undefined) resolve(message.port);
        else this.#answered(message as Reply);
      });
    });
  }

  call(action: string, args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const call: Call = { source: MESSAGE_SOURCE, id, action, args };
      this.#worker.send(call);
    });
  }

  #answered({ id = 0, value, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }
}
