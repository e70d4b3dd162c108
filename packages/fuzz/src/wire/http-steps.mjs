import { mutateText } from "../mutate.mjs";
import { PROTOTYPE_KEYS, word } from "../vocabulary.mjs";
import { UPGRADE_HEADERS } from "./format.mjs";
import { isText, messages } from "./frame-steps.mjs";
import { SEPARATOR } from "./script.mjs";

/** @import { Random } from "../random.mjs" */
/** @import { Script } from "./script.mjs" */
/** @import { HttpStep, Payload } from "./steps.js" */

/** @param {Script} script */
export function openPolling(script, /** @type {number} */ c, more = "") {
  const { random, protocol, path } = script;
  const b64 = random.oneIn(6) ? "&b64=1" : "";
  script.add(
    {
      do: "http",
      c,
      method: "GET",
      target: `${path}?EIO=${protocol}&transport=polling${b64}${more}`,
      headers: headers(random),
    },
    { do: "await", c },
  );
}

/**
 * @param {Script} script
 * @param {number} c
 * @param {string} [sid]
 */
export function openWebSocket(script, c, sid) {
  const { random } = script;
  const step = upgradeRequest(script, c, sid);
  if (random.oneIn(3)) step.headers.push(["Sec-WebSocket-Extensions", extensions(random)]);
  script.add(step);
}

/**
 * @param {Script} script
 * @param {number} c
 * @param {string} [sid]
 * @returns {HttpStep}
 */
export function upgradeRequest({ random, protocol, path }, c, sid) {
  const session = sid === undefined ? "" : `&sid=${sid}`;
  const b64 = random.oneIn(8) ? "&b64=1" : "";
  return {
    do: "http",
    c,
    method: "GET",
    target: `${path}?EIO=${protocol}&transport=websocket${b64}${session}`,
    headers: [
      ...headers(random),
      ...UPGRADE_HEADERS.map(
        ([name = "", value = ""]) => /** @type {[string, string]} */ ([name, value]),
      ),
    ],
  };
}

/** @param {Random} random */
export function extensions(random) {
  return random.pick([
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; client_max_window_bits=8; server_max_window_bits=8",
    "permessage-deflate; client_max_window_bits=99",
    "permessage-deflate; __proto__=1",
    "permessage-deflate, permessage-deflate; server_max_window_bits=9",
    'permessage-deflate; constructor="a',
    "x-webkit-deflate-frame",
    "a; ".repeat(200),
    "",
  ]);
}

/** What a POST may hold. @param {Script} script */
export function enginePackets(script) {
  const { random } = script;
  const packets = [];
  for (let count = random.between(1, 4); count > 0; count -= 1) {
    for (const message of messages(random)) {
      const mark = script.protocol === 3 ? "b4" : "b";
      packets.push(isText(message) ? `4${message}` : mark + message.toString("base64"));
    }
  }
  if (random.oneIn(6)) packets.push(random.pick(["1", "2", "3", "5", "6", "0", "", "9", "b!"]));
  return packets;
}

/** @param {Script} script @param {string[]} packets */
export function payloadOf(script, packets) {
  const { random } = script;
  const payload =
    script.protocol === 3
      ? packets.map((packet) => `${packet.length}:${packet}`).join("")
      : packets.join(SEPARATOR);
  return random.oneIn(6) ? mutateText(payload, random) : payload;
}

/** @param {Script} script @param {number} c */
export function pollOrPost(script, c) {
  if (script.random.oneIn(2)) script.add(poll(script, c));
  else script.add(post(script, c, enginePackets(script)));
  if (script.random.oneIn(2)) script.add({ do: "await", c });
}

/** @param {Script} script @param {number} c @returns {HttpStep} */
export function poll({ random, protocol, path }, c) {
  return {
    do: "http",
    c,
    method: "GET",
    target: `${path}?EIO=${protocol}&transport=polling&sid={sid0}`,
    headers: headers(random),
  };
}

/** @param {Script} script @param {number} c @param {string[]} packets @returns {HttpStep} */
export function post(script, c, packets) {
  const { random, protocol, path } = script;
  const isBinary = protocol === 3 && random.oneIn(5);
  const type = random.oneIn(10)
    ? headerValue(random)
    : isBinary
      ? "application/octet-stream"
      : "text/plain;charset=UTF-8";
  /** @type {Payload} */
  const body = isBinary
    ? { base64: binaryPayload(random, packets).toString("base64") }
    : payloadOf(script, packets).toWellFormed();
  /** @type {HttpStep} */
  const step = {
    do: "http",
    c,
    method: "POST",
    target: `${path}?EIO=${protocol}&transport=polling&sid={sid0}`,
    headers: [...headers(random), ["Content-Type", type]],
    body,
  };
  if (random.oneIn(8)) {
    step.chunks = { size: random.between(1, 50) };
    if (random.oneIn(4))
      step.chunks.sizeText = random.pick([
        "0",
        "ffffffff",
        "-1",
        "1;x=y",
        "g",
        "",
        "10000000000000000",
      ]);
    if (random.oneIn(4)) step.chunks.isUnfinished = true;
    if (random.oneIn(4)) step.length = random.below(30);
  } else if (random.oneIn(12)) {
    step.length = random.pick([
      0,
      1,
      19_999,
      20_001,
      1e9,
      "-1",
      "1e3",
      "0x10",
      "10, 10",
      "99999999999999999999",
    ]);
  }
  if (random.oneIn(10)) step.split = random.between(1, 60);
  return step;
}

/** @param {Random} random @param {string[]} packets */
function binaryPayload(random, packets) {
  return Buffer.concat(
    packets.map((packet) => {
      const isMarkedText = random.oneIn(2);
      const bytes = isMarkedText
        ? Buffer.from(packet)
        : Buffer.concat([Buffer.of(4), Buffer.from(packet)]);
      const digits = Array.from(
        String(random.oneIn(12) ? random.below(1e6) : bytes.length),
        Number,
      );
      return Buffer.concat([Buffer.of(isMarkedText ? 0 : 1, ...digits, 255), bytes]);
    }),
  );
}

/** @param {Script} script @param {number} c @returns {HttpStep} */
export function badRequest(script, c) {
  const { random } = script;
  const step = random.oneIn(2) ? poll(script, c) : post(script, c, enginePackets(script));
  switch (random.below(6)) {
    case 0:
      step.method = random.pick([
        "PUT",
        "DELETE",
        "OPTIONS",
        "HEAD",
        "PATCH",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "BREW",
        "",
      ]);
      break;
    case 1:
    case 2:
      step.target = badTarget(script);
      break;
    case 3:
      step.headers.push([random.oneIn(3) ? word(random) : headerName(random), headerValue(random)]);
      break;
    case 4:
      step.version = random.pick(["1.0", "0.9", "2.0", "1.1 ", "9"]);
      break;
    default:
      step.headers = Array.from({ length: random.pick([1, 100, 3000]) }, (_, index) => [
        `X-${index}`,
        "1",
      ]);
  }
  return step;
}

/** @param {Script} script */
export function badTarget(script) {
  const { random, path, protocol } = script;
  const pairs = [
    ["EIO", random.pick([String(protocol), "4", "3", "5", "", "__proto__", "4\u0000"])],
    ["transport", random.pick(["polling", "websocket", "webtransport", ...PROTOTYPE_KEYS, ""])],
    ["sid", random.pick(["{sid0}", "{sid0}", "x", "", ...PROTOTYPE_KEYS])],
    [random.pick(["j", "b64", "t", ...PROTOTYPE_KEYS]), word(random)],
  ].filter(() => !random.oneIn(4));
  if (random.oneIn(4))
    pairs.push(
      random.pick([
        ["EIO", "4"],
        ["transport", "polling"],
        ["sid", "x"],
      ]),
    );
  if (random.oneIn(20)) pairs.push(...Array.from({ length: 1200 }, () => ["sid", "y"]));
  const query = pairs
    .map(
      ([name = "", value = ""]) =>
        `${name}=${value.startsWith("{") ? value : encodeURIComponent(value.toWellFormed())}`,
    )
    .join("&");
  const base = random.weighted([
    [8, path],
    [1, `${path}socket.io.js`],
    [1, `${path}../`],
    [1, path.slice(0, -1)],
    [1, `${path}%00`],
    [1, `http://localhost${path}`],
    [1, "*"],
    [1, "/"],
  ]);
  return `${base}?${
    random.oneIn(6)
      ? mutateText(query, random)
          .replace(/[\r\n ]/g, "+")
          .replace(/[^\x21-\x7e]/g, "%")
      : query
  }`;
}

/** @param {Random} random @returns {[string, string][]} */
function headers(random) {
  /** @type {[string, string][]} */
  const list = [];
  // Without a host, Node.js answers by itself and ends the connection; what is behind goes on.
  if (!random.oneIn(25)) list.push(["Host", "localhost"]);
  if (random.oneIn(3))
    list.push([
      "Accept-Encoding",
      random.pick(["gzip", "br", "deflate", "gzip;q=0, br;q=9", "*", ",,,;;q=", "identity"]),
    ]);
  if (random.oneIn(5))
    list.push([
      "Origin",
      random.pick(["http://localhost", "null", "http://evil.example", "\u00ff", "a".repeat(3000)]),
    ]);
  if (random.oneIn(6))
    list.push([
      "Cookie",
      random.pick(["io={sid0}", "__proto__=1; constructor=2", "a=%00%", "=", ";".repeat(500)]),
    ]);
  if (random.oneIn(12)) list.push([headerName(random), headerValue(random)]);
  return list;
}

/** @param {Random} random */
function headerName(random) {
  return random.pick([
    "Connection",
    "Upgrade",
    "Expect",
    "Content-Encoding",
    "Transfer-Encoding",
    "X-Forwarded-For",
    "User-Agent",
    "Host",
    "Range",
    "__proto__",
    "constructor",
    "TE",
    "Access-Control-Request-Headers",
  ]);
}

/** @param {Random} random */
export function headerValue(random) {
  return random.pick([
    "",
    "close",
    "keep-alive",
    "100-continue",
    "gzip",
    "chunked, identity",
    "websocket",
    "h2c",
    "Trident/ ;MSIE",
    "1.2.3.4, ::1",
    "\u00e9\u00ff",
    "a\tb",
    "x".repeat(2000),
    "\u0000",
    "application/octet-stream",
    "text/plain\r\nX: y",
  ]);
}
