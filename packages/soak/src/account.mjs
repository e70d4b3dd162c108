/**
 * What became of the events of one stream: those that one end sent to the other in one direction,
 * in the order in which they were sent.
 *
 * @typedef {object} Account
 * @property {number} sent by the one end
 * @property {number} received by the other, each event once
 * @property {number} cut sent, but on their way when the connection was cut, for good
 * @property {number} lost missing for no reason
 * @property {number} duplicated received once more
 * @property {number} reordered received after one that was sent later
 * @property {number} foreign received, but never sent here
 */

/** @returns {Account} */
export function emptyAccount() {
  return { sent: 0, received: 0, cut: 0, lost: 0, duplicated: 0, reordered: 0, foreign: 0 };
}

/**
 * Compares what was sent with what arrived, both as numbers of events.
 *
 * @param {readonly number[]} sent each number once
 * @param {readonly number[]} received
 * @param {boolean} isComplete whether both ends agreed on the end of the stream. If not, the
 *   connection was cut, and what comes after the last event that arrived was on its way
 * @returns {Account}
 */
export function compare(sent, received, isComplete) {
  const account = emptyAccount();
  account.sent = sent.length;
  const positions = new Map(sent.map((id, index) => [id, index]));
  const seen = new Set();
  let last = -1;
  for (const id of received) {
    const position = positions.get(id);
    if (position === undefined) {
      account.foreign += 1;
    } else if (seen.has(id)) {
      account.duplicated += 1;
    } else {
      seen.add(id);
      account.received += 1;
      if (position < last) account.reordered += 1;
      last = Math.max(last, position);
    }
  }
  const missing = sent.length - seen.size;
  account.cut = isComplete ? 0 : sent.length - 1 - last;
  account.lost = missing - account.cut;
  return account;
}

/**
 * Adds one account to another.
 *
 * @param {Account} total
 * @param {Account} account
 */
export function add(total, account) {
  for (const key of /** @type {(keyof Account)[]} */ (Object.keys(total))) {
    total[key] += account[key];
  }
}
