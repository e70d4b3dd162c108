import { answerCalls } from "../answer.mjs";
import { Broadcast } from "./broadcast.mjs";
import { Connects } from "./connects.mjs";
import { Exchange } from "./exchange.mjs";
import { Latency } from "./latency.mjs";
import { Idle, Memberships } from "./memory.mjs";
import { Polling } from "./polling.mjs";

/** @import { Driver, Job } from "./driver.mjs" */

const DRIVERS = {
  exchange: Exchange,
  broadcast: Broadcast,
  connects: Connects,
  polling: Polling,
  latency: Latency,
  idle: Idle,
  memberships: Memberships,
};

/** @type {Driver | undefined} */
let driver;

answerCalls({
  /** @param {Job} job */
  async prepare(job) {
    driver = new DRIVERS[job.bench.driver](job);
    await driver.prepare();
  },
  leadIn: () => driver?.leadIn?.(),
  work: (/** @type {number} */ seconds) => driver?.work(seconds),
  /** @param {{ seconds: number, rate: number }} options */
  pace: (options) => (driver instanceof Latency ? driver.pace(options) : undefined),
  rest: () => driver?.rest(),
  usage: () => process.cpuUsage(),
});
