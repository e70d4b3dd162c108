// oxlint-disable vitest/expect-expect -- the assertions are in expectAt
import { test } from "vitest";
import { onCleanup } from "../support/cleanup.js";
import { gather } from "./crowd.js";
import { nodeClusterKit } from "./node-cluster-kit.js";
import { adapterSuite } from "./suite.js";

// The published adapter for node:cluster, on our class, among servers with the one that npm has.

adapterSuite(nodeClusterKit(true), ["subject", "subject", "subject"]);
adapterSuite(nodeClusterKit(true), ["subject", "official"]);
adapterSuite(nodeClusterKit(true), ["official", "subject"]);

test("bytes survive the channels between the processes of a machine (132)", async () => {
  const cluster = await nodeClusterKit(true).start(["subject", "official"]);
  onCleanup(cluster.close);
  const crowd = await gather(cluster);
  const bytes = Buffer.from([0, 127, 128, 255]);
  for (const node of crowd.nodes) {
    await crowd.expectAt([0, 1, 2, 3], ["bytes", { deep: bytes }], () =>
      node.call("emit", {}, "bytes", { deep: bytes }),
    );
  }
});
