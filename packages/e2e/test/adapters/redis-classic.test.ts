// oxlint-disable vitest/no-standalone-expect -- the linter does not know `fix` as a test
import { expect } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { useRedis } from "./brokers.js";
import { gather } from "./crowd.js";
import { classicKit } from "./redis-kits.js";
import { fix } from "../support/subject.js";
import { adapterSuite } from "./suite.js";

const redis = useRedis();
const servers = ["subject", "subject", "subject"] as const;

adapterSuite(classicKit("redis", redis), servers);
adapterSuite(classicKit("ioredis", redis, { publishOnSpecificResponseChannel: true }), servers);

fix("a local broadcast waits for the answers of its own clients alone", async () => {
  const cluster = await classicKit("redis", redis).start(["subject", "subject"]);
  onCleanup(cluster.close);
  const { first } = await gather(cluster);
  // Nobody is late: with the answers of the others it would take the whole time.
  const outcome = await first.call("emitWithAck", { local: true, timeout: 2000 }, "question", []);
  expect((outcome.responses as string[]).toSorted()).toEqual(["m0", "m1"]);
  expect(outcome.error).toBeUndefined();
});
