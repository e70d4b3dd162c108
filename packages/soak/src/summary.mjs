/**
 * What a soak has found.
 *
 * @typedef {object} Result
 * @property {import("./ledger.mjs").Ledger} ledger every event
 * @property {import("./client.mjs").Tally} tally what the clients did
 * @property {number[]} heaps of the server, after each cycle, in bytes
 * @property {string[]} left what the server still held after a load
 * @property {number} asked acknowledgements the server asked for
 * @property {number} answered those that it got
 * @property {number} corrupt payloads that the server did not get as they were sent
 * @property {number} late clients who came back when their time was over
 * @property {string[]} drops connections that ended by themselves
 * @property {string[]} complaints of the server: what must not have happened
 */

/** By how much the heap may have grown since the second cycle, in bytes. */
const HEAP_TOLERANCE = 6_000_000;

/** @param {Result} result */
export function figuresOf({ ledger, tally, heaps, left, asked, answered, corrupt, late }) {
  const due = tally.acknowledged + tally.unacknowledged;
  const sizes = heaps.map((bytes) => (bytes / 1e6).toFixed(2)).join(", ");
  const growth = (slope(heaps.slice(1)) / 1000).toFixed(1);
  return [
    `clients  ${tally.clients}, sockets ${ledger.streams}, upgrades ${tally.upgrades}, ` +
      `cut ${tally.cuts}, recovered ${tally.recovered}, too late ${late}, dropped ${tally.dropped}`,
    `WebTransport  connections ${tally.webTransports}, upgrades ${tally.webTransportUpgrades}`,
    line("server → client", ledger.downwards),
    line("client → server", ledger.upwards),
    `acknowledgements  of clients ${answered} of ${asked}, ` +
      `of the server ${tally.acknowledged} of ${due}`,
    `payloads  corrupt ${corrupt + tally.corrupt}`,
    `heap after gc  ${sizes} MB, slope after the first cycle ${growth} KB per cycle`,
    `left after the load  ${left.length === 0 ? "nothing" : left.join("; ")}`,
  ];
}

/**
 * @param {Result} result
 * @returns {string[]} everything that is not as it must be
 */
export function failuresOf(result) {
  const { ledger, tally, heaps, asked, answered, corrupt } = result;
  const grown = (heaps.at(-1) ?? 0) - (heaps[1] ?? 0);
  const leftovers = JSON.stringify(ledger.leftovers());
  const isIdle = ledger.downwards.received === 0 || ledger.upwards.received === 0;
  /** @type {[boolean, string][]} */
  const checks = [
    [ledger.onesided > 0, `accounts with one side: ${leftovers}`],
    [asked !== answered, "acknowledgements are missing"],
    [tally.unacknowledged > 0, "acknowledgements of the server are missing"],
    [corrupt + tally.corrupt > 0, "payloads are corrupt"],
    [grown > HEAP_TOLERANCE, `the heap has grown by ${grown} bytes`],
    [isIdle, "there was no load"],
    [tally.webTransports === 0, "nobody connected over WebTransport"],
    [tally.webTransportUpgrades === 0, "nobody upgraded to WebTransport"],
  ];
  const failed = checks.filter(([hasFailed]) => hasFailed).map(([, text]) => text);
  const { complaints, drops, left } = result;
  return [...ledger.findings, ...complaints, ...drops, ...left, ...failed];
}

/**
 * @param {string} name
 * @param {import("./account.mjs").Account} account
 */
function line(name, { sent, received, cut, lost, duplicated, reordered, foreign }) {
  return (
    `${name}  sent ${sent}, received ${received}, cut with the connection ${cut}, lost ${lost}, ` +
    `duplicated ${duplicated}, reordered ${reordered}, foreign ${foreign}`
  );
}

/**
 * The slope of a line through the values, by least squares.
 *
 * @param {number[]} values
 */
function slope(values) {
  const mean = (values.length - 1) / 2;
  const average = values.reduce((total, value) => total + value, 0) / values.length;
  let [above, below] = [0, 0];
  for (const [index, value] of values.entries()) {
    above += (index - mean) * (value - average);
    below += (index - mean) ** 2;
  }
  return below === 0 ? 0 : above / below;
}
