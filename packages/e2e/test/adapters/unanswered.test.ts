import { test } from "vitest";
import { usePostgres, useRedis } from "./brokers.js";
import type { Kit, NodeKind } from "./cluster.js";
import { postgresKit } from "./postgres-kit.js";
import { classicKit, shardedKit, streamsKit } from "./redis-kits.js";

const redis = useRedis();
const postgres = usePostgres();

interface Case {
  readonly kit: Kit;
  /** The first one asks, the second one is silent. */
  readonly kinds: readonly NodeKind[];
}

/** As many as vitest runs at the same time. */
const CASES: readonly Case[] = [
  { kit: classicKit("redis", redis), kinds: ["subject", "subject", "subject"] },
  { kit: classicKit("redis", redis), kinds: ["official", "subject", "subject"] },
  { kit: shardedKit("redis", redis, "static"), kinds: ["subject", "official", "subject"] },
  { kit: streamsKit("redis", redis), kinds: ["subject", "subject", "official"] },
  { kit: postgresKit(postgres), kinds: ["subject", "subject", "subject"] },
];

// The adapters wait for seconds, whatever the options. These tests wait together.
test.concurrent.for(CASES)(
  "a server-side event that a server does not answer ends in an error: $kit.name, $kinds",
  async ({ kit, kinds }, { expect, onTestFinished }) => {
    const { nodes, close } = await kit.start(kinds);
    onTestFinished(close);
    const [first, silent, ...others] = nodes;
    const outcome = await first?.call("serverSideEmitWithAck", "/", "who but", silent?.name);
    expect(outcome).toEqual({
      error: expect.stringMatching(/^timeout reached: /),
      responses: others.map(({ name }) => name),
    });
  },
);
