import { acknowledgement, event, text } from "./messages.mjs";
import { define } from "./cases.mjs";

/** @import { Case } from "./cases.mjs" */

/**
 * How a cost changes as something grows.
 *
 * @typedef {object} Curve
 * @property {string} name of the picture's file, and of the place in the document
 * @property {string} title of the picture
 * @property {string} xLabel what grows
 * @property {string} yLabel what is measured
 * @property {Point[]} points from left to right
 */

/** @typedef {{ x: number, bench: Case }} Point */

const SHORT = text(64);

/** Every curve, in the order of the pictures. @type {Curve[]} */
export const CURVES = [
  {
    name: "deliveries",
    title: "One message to every socket",
    xLabel: "sockets",
    yLabel: "deliveries per second of CPU",
    points: [100, 1000, 10_000].map((sockets) => ({ x: sockets, bench: delivery(sockets) })),
  },
  {
    name: "memberships",
    title: "Joining and leaving rooms",
    xLabel: "rooms on the server",
    yLabel: "joins and leaves per second of CPU",
    points: [1, 1000, 100_000].map((rooms) => ({ x: rooms, bench: churn(rooms) })),
  },
  {
    name: "connections",
    title: "Memory of an idle connection",
    xLabel: "connections",
    yLabel: "resident bytes per connection",
    points: [1000, 8000, 15_000].map((sockets) => ({ x: sockets, bench: idle(sockets) })),
  },
];

/** @param {number} sockets */
function delivery(sockets) {
  return define({
    name: `deliveries-${sockets}`,
    title: `1 message to each of ${sockets} sockets`,
    application: "broadcast",
    driver: "broadcast",
    sockets,
    active: 1,
    floors: ["bare-tcp"],
  });
}

/** @param {number} rooms */
function churn(rooms) {
  const sockets = 1000;
  const repeat = 10;
  return define({
    name: `memberships-${rooms}`,
    title: `joins and leaves, ${rooms} rooms`,
    unit: "operations",
    application: "churn",
    driver: "exchange",
    sockets,
    active: 1,
    request: [event("churn", undefined, 7)],
    answer: [acknowledgement(7)],
    weight: 2 * repeat * sockets,
    parameters: { text: SHORT, repeat, rooms },
  });
}

/** @param {number} sockets */
function idle(sockets) {
  return define({
    name: `connections-${sockets}`,
    title: `memory per connection, ${sockets}`,
    unit: "bytes",
    application: "echo",
    driver: "idle",
    sockets,
    floors: ["bare-tcp"],
  });
}
