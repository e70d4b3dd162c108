import { Random } from "../random.mjs";
import { beyondLimits, SCENARIOS } from "./scenarios.mjs";
import { FULL, LIMITED, PLAIN, Script } from "./script.mjs";

/** @import { Case } from "./steps.js" */

/**
 * The case of this number. It depends on nothing else, so that a run can be repeated.
 *
 * @param {number} seed
 * @param {number} index
 * @returns {Case}
 */
export function caseAt(seed, index) {
  const random = new Random(seed, index);
  const script = new Script(random);
  const scenario = random.weighted(SCENARIOS);
  scenario(script);
  if (random.oneIn(4)) shuffleSome(script);
  if (random.oneIn(5)) damageSome(script);
  if (random.oneIn(3)) leaveBadly(script);
  // Last, so that the cases of other servers are those that they were without it.
  if (script.server === PLAIN && random.oneIn(2)) script.server = LIMITED;
  if (script.server === LIMITED ? random.oneIn(2) : script.server === FULL && random.oneIn(4)) {
    beyondLimits(script);
  }
  return { server: script.server, steps: script.steps };
}

/** @param {Script} script */
function shuffleSome({ random, steps }) {
  for (let times = random.between(1, 3); times > 0; times -= 1) {
    const at = random.below(steps.length);
    const step = steps[at];
    if (step === undefined) return;
    const kind = random.below(4);
    if (kind === 0) steps.splice(at, 1);
    else if (kind === 1) steps.splice(at, 0, structuredClone(step));
    else if (kind === 2) steps.splice(random.below(steps.length), 0, ...steps.splice(at, 1));
    else if ("c" in step) step.c = random.below(4);
  }
}

/** @param {Script} script */
function damageSome({ random, steps }) {
  const sending = steps.filter((step) => step.do === "http" || step.do === "frame");
  if (sending.length === 0) return;
  random.pick(sending).damage = random.list(3, () => ({
    kind: random.pick(/** @type {const} */ (["cut", "drop", "double", "flip", "insert"])),
    at: random.below(1000) / 1000,
    value: random.below(256),
  }));
}

/** @param {Script} script */
function leaveBadly({ random, steps }) {
  const c = random.below(3);
  const at = random.between(Math.floor(steps.length / 2), steps.length);
  steps.splice(at, 0, {
    do: random.pick(/** @type {const} */ (["end", "reset", "destroy", "pause"])),
    c,
  });
}
