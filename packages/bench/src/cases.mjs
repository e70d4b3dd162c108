import {
  acknowledgement,
  binaryEvent,
  bytes,
  engineMessage,
  event,
  order,
  text,
} from "./messages.mjs";

/** @import { Message } from "./messages.mjs" */

/**
 * One row of the table: what the server runs, what the load sends and what it must get back.
 * Plain data, because it travels to the server's and the load's process.
 *
 * @typedef {object} Case
 * @property {string} name what `--cases` selects
 * @property {string} title what the table says
 * @property {"events" | "messages" | "deliveries" | "operations" | "connections" | "round trips" | "bytes" | "µs"} unit
 *   what is counted; of "bytes" (memory) and "µs" (latency) less is better
 * @property {"socket.io" | "engine.io"} protocol what the servers speak; "engine.io" is the engine
 *   alone, without namespaces and events
 * @property {keyof typeof import("./servers/applications.mjs").applications} application what the
 *   server runs; on the engine alone always "echo"
 * @property {"exchange" | "broadcast" | "connects" | "polling" | "latency" | "idle" | "memberships"} driver
 *   what the load does
 * @property {number} sockets how many connections the load opens
 * @property {number} [active] how many of them send; default: all
 * @property {number} inFlight how many requests wait for an answer, per sending socket
 * @property {Message[]} request the messages of one request
 * @property {Message[]} answer what one request brings back (to every socket, in a broadcast)
 * @property {number} weight what one request counts: events in it, deliveries it causes, ...
 * @property {Parameters} parameters for the application
 * @property {Floor[]} floors what else is measured beside the two servers
 * @property {Target[]} targets what the project promises; all of them have to be met
 */

/** @typedef {"bare-ws" | "bare-tcp"} Floor */

/**
 * A bound for ours divided by the median of another server; for `of: "bytes"`, for ours itself.
 *
 * @typedef {{ of: "official" | Floor | "bytes", atLeast?: number, atMost?: number }} Target
 */

/**
 * What an application needs to know; each reads its own part.
 *
 * @typedef {object} Parameters
 * @property {string} text the argument of broadcast messages
 * @property {number} repeat how many messages, or memberships per socket, one request causes
 * @property {number} rooms over how many rooms the sockets are spread
 */

const SHORT = text(64);
const ECHO = { application: "echo", driver: "exchange", sockets: 100, inFlight: 10 };
const SPREAD = { driver: "broadcast", sockets: 1000, inFlight: 1, active: 1 };
const START = [event("start")];
const MESSAGE = event("message", SHORT);
const ENGINE_MESSAGE = engineMessage(SHORT);
const ENGINE = { protocol: "engine.io", application: "echo" };
/** A promise as a ratio to the official server. */
const official = (/** @type {number} */ atLeast) => ({ of: "official", atLeast });
const ATTACHMENT = binaryEvent("echo", bytes(1024));

/** Events per request of the case "inbound"; only the last one is acknowledged. */
const INBOUND = 20;

/** Every case, in the order of the table. @type {Case[]} */
export const CASES = [
  define({
    ...ECHO,
    name: "echo10",
    title: "64 B event echoed, 10 in flight",
    request: [event("echo", SHORT)],
    answer: [event("echo", SHORT)],
    floors: ["bare-ws", "bare-tcp"],
    targets: [official(1.8), { of: "bare-tcp", atLeast: 0.9 }],
  }),
  define({
    ...ECHO,
    name: "echo1",
    title: "64 B event echoed, 1 in flight",
    inFlight: 1,
    request: [event("echo", SHORT)],
    answer: [event("echo", SHORT)],
    floors: ["bare-ws", "bare-tcp"],
    targets: [official(1.4)],
  }),
  define({
    ...ECHO,
    name: "ack10",
    title: "64 B event acknowledged, 10 in flight",
    application: "acknowledge",
    request: [event("ask", SHORT, 7)],
    answer: [acknowledgement(7, SHORT)],
    targets: [official(1.8)],
  }),
  define({
    ...ECHO,
    name: "json",
    title: "JSON object (600 B) echoed",
    request: [event("echo", order())],
    answer: [event("echo", order())],
    floors: ["bare-ws", "bare-tcp"],
    targets: [official(1.9)],
  }),
  define({
    ...ECHO,
    name: "text4k",
    title: "4 kB text echoed",
    request: [event("echo", text(4096))],
    answer: [event("echo", text(4096))],
    floors: ["bare-ws", "bare-tcp"],
    targets: [official(1.4)],
  }),
  define({
    ...ECHO,
    name: "binary1k",
    title: "1 kB binary event echoed",
    request: ATTACHMENT,
    answer: ATTACHMENT,
    targets: [official(2)],
  }),
  define({
    ...ECHO,
    name: "inbound",
    title: "64 B event, client to server only",
    application: "receive",
    inFlight: 1,
    request: [
      ...Array.from({ length: INBOUND - 1 }, () => event("note", SHORT)),
      event("note", SHORT, 7),
    ],
    answer: [acknowledgement(7)],
    weight: INBOUND,
    targets: [official(1.5)],
  }),
  define({
    ...SPREAD,
    name: "broadcast",
    title: "1 message to each of 1000 sockets",
    application: "broadcast",
    floors: ["bare-ws", "bare-tcp"],
    targets: [official(1.8), { of: "bare-tcp", atLeast: 1 }],
  }),
  define({
    ...SPREAD,
    name: "broadcast8000",
    title: "1 message to each of 8000 sockets",
    application: "broadcast",
    sockets: 8000,
    floors: ["bare-ws", "bare-tcp"],
    targets: [official(1.8), { of: "bare-tcp", atLeast: 1 }],
  }),
  define({
    ...SPREAD,
    name: "burst",
    title: "burst of 10 messages to 1000 sockets",
    application: "broadcast",
    answer: Array.from({ length: 10 }, () => MESSAGE),
    parameters: { text: SHORT, repeat: 10, rooms: 0 },
    floors: ["bare-ws", "bare-tcp"],
    targets: [official(9)],
  }),
  define({
    ...SPREAD,
    name: "rooms",
    title: "1 message to each of 100 rooms of 10",
    application: "rooms",
    parameters: { text: SHORT, repeat: 1, rooms: 100 },
    floors: ["bare-ws", "bare-tcp"],
    targets: [official(1.7)],
  }),
  define({
    ...ECHO,
    name: "joins",
    title: "joins and leaves (1000 sockets)",
    unit: "operations",
    application: "memberships",
    sockets: 1000,
    active: 1,
    inFlight: 1,
    request: [event("join and leave", undefined, 7)],
    answer: [acknowledgement(7)],
    weight: 20_000,
    parameters: { text: SHORT, repeat: 10, rooms: 1000 },
    targets: [official(2)],
  }),
  define({
    name: "connects",
    title: "websocket + namespace opened",
    unit: "connections",
    application: "echo",
    driver: "connects",
    sockets: 1000,
    floors: ["bare-ws"],
    targets: [official(2.5)],
  }),
  define({
    name: "polling",
    title: "polling, POST + GET",
    unit: "round trips",
    application: "echo",
    driver: "polling",
    sockets: 50,
    request: [event("echo", SHORT)],
    answer: [event("echo", SHORT)],
    targets: [official(1.4)],
  }),
  define({
    ...ECHO,
    ...ENGINE,
    name: "engine-echo10",
    title: "engine: 64 B text, 10 in flight",
    unit: "messages",
    request: [ENGINE_MESSAGE],
    answer: [ENGINE_MESSAGE],
    floors: ["bare-ws", "bare-tcp"],
    targets: [official(1.7)],
  }),
  define({
    ...ECHO,
    ...ENGINE,
    name: "engine-echo1",
    title: "engine: 64 B text, 1 in flight",
    unit: "messages",
    inFlight: 1,
    request: [ENGINE_MESSAGE],
    answer: [ENGINE_MESSAGE],
    floors: ["bare-ws", "bare-tcp"],
    // Bare TCP itself is 1.5 to 1.8 times official with one in flight.
    targets: [official(1.4)],
  }),
  define({
    ...ENGINE,
    name: "engine-connects",
    title: "engine: websocket opened",
    unit: "connections",
    driver: "connects",
    sockets: 1000,
    floors: ["bare-ws"],
    targets: [official(2.2)],
  }),
  define({
    ...ENGINE,
    name: "engine-polling",
    title: "engine: polling, POST + GET",
    unit: "round trips",
    driver: "polling",
    sockets: 50,
    request: [ENGINE_MESSAGE],
    answer: [ENGINE_MESSAGE],
    targets: [official(1.3)],
  }),
  define({
    ...ECHO,
    name: "latency",
    title: "p99 of an ack at half of official's maximum",
    unit: "µs",
    application: "acknowledge",
    driver: "latency",
    request: [event("ask", SHORT, 7)],
    answer: [acknowledgement(7, SHORT)],
    floors: ["bare-ws", "bare-tcp"],
    targets: [{ of: "official", atMost: 0.7 }],
  }),
  define({
    name: "memory",
    title: "memory of an idle connection",
    unit: "bytes",
    application: "echo",
    driver: "idle",
    sockets: 8000,
    floors: ["bare-ws", "bare-tcp"],
    targets: [
      { of: "official", atMost: 0.52 },
      { of: "bytes", atMost: 7500 },
    ],
  }),
  define({
    name: "memory-rooms",
    title: "memory of a room membership",
    unit: "bytes",
    application: "memberships",
    driver: "memberships",
    sockets: 1000,
    request: [event("join", undefined, 7)],
    answer: [acknowledgement(7)],
    weight: 100_000,
    parameters: { text: SHORT, repeat: 100, rooms: 100 },
    targets: [{ of: "official", atMost: 0.6 }],
  }),
];

/**
 * Fills in what most cases share; a broadcast counts one delivery per socket and message.
 *
 * @param {any} given
 * @returns {Case}
 */
export function define(given) {
  const broadcast = given.driver === "broadcast";
  const answer = given.answer ?? (broadcast ? [MESSAGE] : []);
  return {
    unit: broadcast ? "deliveries" : "events",
    protocol: "socket.io",
    inFlight: 1,
    request: broadcast ? START : [],
    answer,
    weight: broadcast ? given.sockets * answer.length : 1,
    parameters: { text: SHORT, repeat: 1, rooms: 0 },
    floors: [],
    targets: [],
    ...given,
  };
}
