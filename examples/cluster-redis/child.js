// What Redis and the nodes have in common: they are processes that must not outlive this one.
import { once } from "node:events";

const PATIENCE_MS = 10_000;

/** How child processes are started: Ctrl+C must reach server.js alone, which stops them in order. */
export const ON_ITS_OWN = { detached: true };

/** Rejects when a process cannot be started, or ends; never resolves. */
export async function failure(child, name) {
  const [code, signal] = await once(child, "exit"); // rejects with the event "error"
  throw new Error(`${name} has ended (${signal ?? `exit code ${code}`}).`);
}

/** Asks a process to end, and makes it end if it does not listen. */
export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => {
    console.error(`Process ${child.pid} does not end by itself, and is killed.`);
    child.kill("SIGKILL");
  }, PATIENCE_MS);
  child.kill("SIGTERM");
  await once(child, "exit");
  clearTimeout(timer);
}
