// Two Socket.IO servers ("nodes") behind one port, and Redis, which carries messages between them:
//
//                           ┌─► node A ─┐
//   browsers ─► balancer ───┤           ├─► Redis
//                           └─► node B ─┘
//
// This file starts and stops the four; the application is in node.js. Run it with
// `npm run example:cluster-redis` in the root folder; PORT says where the balancer listens.
import { startBalancer } from "./balancer.js";
import { startNode } from "./nodes.js";
import { startRedis } from "./redis.js";

const stopSignal = new Promise((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, resolve);
});

const running = [];
const started = (part) => {
  running.push(part);
  return part;
};

try {
  const redis = started(await startRedis());
  const nodes = [
    started(await startNode("A", redis.url)),
    started(await startNode("B", redis.url)),
  ];
  const balancer = await startBalancer(nodes, Number(process.env.PORT || 3002));
  running.splice(1, 0, balancer); // before the nodes, so that it stops after them
  console.log(`Open ${balancer.url} in two windows (Ctrl+C stops everything)`);
  await Promise.race([stopSignal, redis.failed]);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

// Backwards: the nodes let their clients go, whom the balancer has to reach for that, and Redis is
// there for the nodes to the end.
// oxlint-disable-next-line no-await-in-loop -- one after the other
for (const part of running.toReversed()) await part.stop();
