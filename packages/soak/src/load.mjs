// oxlint-disable no-await-in-loop -- a client lives after the one before it
// The process of the clients.
import { setTimeout as sleep } from "node:timers/promises";
import { CarriedWebTransport } from "./carried-webtransport.mjs";
import { serveCalls } from "./child.mjs";
import { Client, emptyTally, KINDS, TRANSPORTS } from "./client.mjs";
import { Random } from "./random.mjs";

const NAMESPACES = [
  "/",
  "/chat",
  ...Array.from({ length: 4 }, (...[, index]) => `/dynamic-${index}`),
];

// The official client looks for it there.
Object.assign(globalThis, { WebTransport: CarriedWebTransport });

let lastId = 0;

serveCalls({
  /**
   * Keeps so many clients alive for a while, and hands out what each of their sockets got and sent.
   *
   * @param {{ port: number, webTransportPort: number, clients: number, seconds: number, seed: number }} order
   */
  async run({ port, webTransportPort, clients, seconds, seed }) {
    const tally = emptyTally();
    const until = Date.now() + seconds * 1000;
    await Promise.all(
      Array.from({ length: clients }, async (...[, slot]) => {
        const random = new Random(seed + slot * 7919);
        await sleep(random.below(500));
        while (Date.now() < until) {
          const namespaces = [...new Set([random.pick(NAMESPACES), random.pick(NAMESPACES)])];
          const client = new Client({
            port,
            webTransportPort,
            namespaces,
            kind: random.pick(KINDS),
            transports: random.pick(TRANSPORTS) ?? [],
            random,
            tally,
            nextId: () => ++lastId,
            onDrop: (drop) => void process.send?.({ drop }),
          });
          await client.live(Math.min(50 + random.below(3000), Math.max(50, until - Date.now())));
          // What the dead still had in their hands has come by the end of the next turn.
          setTimeout(report, 1000, client);
        }
      }),
    );
    await sleep(1200);
    return tally;
  },
});

/** @param {Client} client */
function report(client) {
  for (const { received, sent } of client.ends) {
    for (const [sid, events] of received) {
      process.send?.({ sid, received: events, sent: sent.get(sid) });
    }
  }
}
