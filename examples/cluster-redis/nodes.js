// Keeps a node running: one that dies is replaced.
import { fork } from "node:child_process";
import { once } from "node:events";
import { end, failure, ON_ITS_OWN } from "./child.js";

/**
 * Starts node.js under a name; resolves when it listens. `port` is where, undefined while there is
 * nobody.
 */
export async function startNode(name, redisUrl) {
  let child;
  let isStopping = false;
  const node = {
    name,
    port: undefined,
    stop() {
      isStopping = true;
      return end(child);
    },
  };

  const run = async () => {
    child = fork(new URL("node.js", import.meta.url), {
      ...ON_ITS_OWN,
      env: { ...process.env, NODE_NAME: name, REDIS_URL: redisUrl },
    });
    const failed = failure(child, `Node ${name}`);
    const [{ port }] = await Promise.race([once(child, "message"), failed]);
    console.log(`Node ${name}: process ${child.pid}, port ${port}`);
    node.port = port;
    failed.catch(restart);
  };

  const restart = async ({ message }) => {
    node.port = undefined;
    if (isStopping) return;
    console.log(`${message} Another one takes its place.`);
    try {
      await run();
    } catch (error) {
      // It does not even start, so it is not tried again: the other node goes on alone.
      if (!isStopping) console.error(error.message);
    }
  };

  await run();
  return node;
}
