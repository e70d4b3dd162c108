// oxlint-disable no-await-in-loop -- one input after the other
// The process in which the codecs are attacked, so that a hang is seen from outside.
import { Random } from "../random.mjs";
import { TARGETS } from "./targets.mjs";

/** @import { CodecJob } from "./codecs.mjs" */

/** Inputs between two signs of life. */
const STRIDE = 500;

process.on("disconnect", () => process.exit());
process.on("message", (/** @type {CodecJob} */ job) => {
  void run(job);
});

/** @param {CodecJob} job */
async function run({ seed, from, count, careful }) {
  for (let index = from; index < from + count; index += 1) {
    if (careful || (index - from) % STRIDE === 0) {
      await new Promise((resolve) => process.send?.({ at: index }, () => resolve(undefined)));
    }
    const target = TARGETS[index % TARGETS.length];
    const input = target?.make(new Random(seed, index));
    try {
      target?.check(input);
    } catch (error) {
      const { name, message, stack } = /** @type {Error} */ (error);
      process.send?.({ failed: index, detail: name === "Violation" ? message : stack });
      return;
    }
  }
  process.send?.({ done: true, heap: process.memoryUsage().heapUsed });
}
