// node src/profile.mjs FILE [LINES]: what a .cpuprofile or .heapprofile is made of, largest first.
import { readFileSync } from "node:fs";

/**
 * The place in the program that a sample names; both kinds of profile have it.
 *
 * @typedef {{ functionName: string, url: string, lineNumber: number }} CallFrame
 */

/** @typedef {{ callFrame: CallFrame, selfSize: number, children: HeapNode[] }} HeapNode */
/** @typedef {{ id: number, callFrame: CallFrame }} CpuNode */

const [file = "", lines = "25"] = process.argv.slice(2);
const profile = JSON.parse(readFileSync(file, "utf8"));
const shares = profile.head ? heapShares(profile.head) : cpuShares(profile);
const total = [...shares.values()].reduce((sum, share) => sum + share, 0);
console.log(`100 %  ${profile.head ? `${total} bytes` : `${(total / 1e6).toFixed(2)} s`}`);
for (const [place, share] of [...shares].sort((a, b) => b[1] - a[1]).slice(0, Number(lines))) {
  console.log(`${((100 * share) / total).toFixed(1).padStart(5)}  ${place}`);
}

/**
 * @param {{ nodes: CpuNode[], samples: number[], timeDeltas: number[] }} cpuProfile
 * @returns {Map<string, number>} microseconds by place, without the time in which nothing ran
 */
function cpuShares({ nodes, samples, timeDeltas }) {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]));
  const times = new Map();
  for (const [index, id] of samples.entries()) {
    const place = places.get(id);
    if (place !== "(idle)") times.set(place, (times.get(place) ?? 0) + (timeDeltas[index] ?? 0));
  }
  return times;
}

/**
 * @param {HeapNode} head
 * @returns {Map<string, number>} bytes by place
 */
function heapShares(head) {
  const sizes = new Map();
  const pending = [head];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const place = describe(node.callFrame);
    sizes.set(place, (sizes.get(place) ?? 0) + node.selfSize);
    pending.push(...node.children);
  }
  return sizes;
}

/** @param {CallFrame} callFrame */
function describe({ functionName, url, lineNumber }) {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  return `${name}  ${url.split("/").slice(-3).join("/")}:${lineNumber + 1}`;
}
