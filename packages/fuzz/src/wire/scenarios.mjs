import { mutateText } from "../mutate.mjs";
import { word } from "../vocabulary.mjs";
import { badFrame, closeWebSocket, frame, joinByFrame, sendFrames } from "./frame-steps.mjs";
import {
  badRequest,
  badTarget,
  enginePackets,
  extensions,
  headerValue,
  openPolling,
  openWebSocket,
  payloadOf,
  poll,
  pollOrPost,
  post,
  upgradeRequest,
} from "./http-steps.mjs";
import { FULL } from "./script.mjs";

/** @import { Script } from "./script.mjs" */
/** @import { HttpStep } from "./steps.js" */

/** @param {Script} script */
function webSocketSession(script) {
  openWebSocket(script, 0);
  script.add({ do: "await", c: 0 });
  if (script.protocol === 4 && !script.random.oneIn(5)) joinByFrame(script, 0);
  sendFrames(script, 0, script.random.between(1, 12));
  closeWebSocket(script, 0);
}

/** @param {Script} script */
function pollingSession(script) {
  openPolling(script, 0);
  if (!script.random.oneIn(5)) script.add(post(script, 0, ["40"]), { do: "await", c: 0 });
  for (let times = script.random.between(1, 6); times > 0; times -= 1) {
    pollOrPost(script, script.random.below(2));
  }
}

/** @param {Script} script */
function upgradedSession(script) {
  const { random } = script;
  openPolling(script, 0);
  if (!random.oneIn(4)) script.add(post(script, 0, ["40"]), { do: "await", c: 0 });
  if (random.oneIn(2)) script.add(poll(script, 1));
  openWebSocket(script, 2, "{sid0}");
  if (!random.oneIn(4)) script.add({ do: "await", c: 2 });
  const probes = random.weighted([
    [6, ["2probe", "5"]],
    [1, ["5"]],
    [1, ["2probe", "2probe", "5", "5"]],
    [1, ["3probe", "5"]],
    [1, ["2probe", "6", "5"]],
    [1, ["2prob", "5"]],
    [1, ["2probe", "4x"]],
    [1, ["2probe", "1", "5"]],
    [1, ["0", "5"]],
  ]);
  for (const probe of probes) {
    script.add(frame(script, 2, probe));
    if (random.oneIn(2)) script.add({ do: "await", c: 2 });
    if (random.oneIn(3)) pollOrPost(script, random.below(2));
    if (random.oneIn(10)) openWebSocket(script, 3, "{sid0}");
  }
  sendFrames(script, 2, random.between(1, 6));
  if (random.oneIn(2)) pollOrPost(script, random.below(2));
  closeWebSocket(script, 2);
}

/** @param {Script} script */
function jsonpSession(script) {
  const { random } = script;
  openPolling(
    script,
    0,
    `&j=${encodeURIComponent(random.oneIn(2) ? "0" : word(random).toWellFormed())}`,
  );
  for (let times = random.between(1, 5); times > 0; times -= 1) {
    if (random.oneIn(3)) {
      script.add(poll(script, random.below(2)));
    } else {
      const field = random.oneIn(6) ? word(random) : "d";
      const payload = payloadOf(script, enginePackets(script)).replace(/(\\)?\n/g, "\\n");
      const body = `${field.toWellFormed()}=${encodeURIComponent(payload.toWellFormed())}`;
      const step = post(script, random.below(2), []);
      script.add(
        { ...step, body: random.oneIn(3) ? mutateText(body, random) : body },
        { do: "await", c: step.c },
      );
    }
  }
}

/** @param {Script} script */
function recovery(script) {
  const { random } = script;
  script.server = FULL;
  script.protocol = 4;
  openWebSocket(script, 0);
  script.add({ do: "await", c: 0 }, frame(script, 0, "40"), { do: "await", c: 0 });
  for (const room of ["a", "__proto__"])
    script.add(frame(script, 0, `42["join",${JSON.stringify(room)}]`));
  script.add(frame(script, 0, '42["echo","x"]'), { do: "await", c: 0 });
  if (!random.oneIn(4)) script.add({ do: random.oneIn(2) ? "destroy" : "reset", c: 0 });
  if (random.oneIn(3)) {
    openWebSocket(script, 3);
    script.add(
      { do: "await", c: 3 },
      frame(script, 3, "40"),
      frame(script, 3, '42["shout","a",1]'),
    );
  }
  for (let times = random.between(1, 3); times > 0; times -= 1) {
    const forged = random.pick([
      '{"pid":"{pid0}","offset":"{offset0}"}',
      '{"pid":"{pid0}"}',
      '{"pid":"{pid0}","offset":""}',
      '{"pid":"{pid0}","offset":"zzzzzzz"}',
      '{"pid":"__proto__","offset":"{offset0}"}',
      '{"pid":{"toString":1},"offset":[]}',
      `{"pid":"{pid0}","offset":"${"x".repeat(5000)}"}`,
      JSON.stringify({ pid: word(random), offset: word(random) }),
    ]);
    openWebSocket(script, 1);
    script.add({ do: "await", c: 1 }, frame(script, 1, `40${forged}`), { do: "await", c: 1 });
    if (random.oneIn(2)) script.add({ do: "destroy", c: 1 });
  }
  sendFrames(script, 1, random.below(3));
}

/** @param {Script} script */
function badFrames(script) {
  const { random } = script;
  openWebSocket(script, 0);
  if (!random.oneIn(4)) script.add({ do: "await", c: 0 });
  for (let times = random.between(1, 5); times > 0; times -= 1) {
    script.add(badFrame(script, 0));
    if (random.oneIn(3)) sendFrames(script, 0, 1);
    if (random.oneIn(4)) script.add({ do: "await", c: 0 });
  }
}

/** @param {Script} script */
function badHttp(script) {
  const { random } = script;
  if (random.oneIn(2)) openPolling(script, 0);
  for (let times = random.between(1, 4); times > 0; times -= 1) {
    script.add(badRequest(script, random.below(2)));
    if (random.oneIn(2)) script.add({ do: "await", c: 0 });
  }
}

/** @param {Script} script */
function badUpgrades(script) {
  const { random } = script;
  if (random.oneIn(2)) openPolling(script, 3);
  for (let times = random.between(1, 3); times > 0; times -= 1) {
    const step = upgradeRequest(script, random.below(2), random.oneIn(2) ? "{sid0}" : undefined);
    spoilUpgrade(script, step);
    if (random.oneIn(3)) step.headers.push(["Sec-WebSocket-Extensions", extensions(random)]);
    if (random.oneIn(4)) step.headers.push(["Sec-WebSocket-Protocol", headerValue(random)]);
    script.add(step);
    sendFrames(script, step.c, random.below(3));
  }
}

/** @param {Script} script @param {HttpStep} step */
function spoilUpgrade(script, step) {
  const { random } = script;
  const at = random.below(step.headers.length);
  const [name = "", value = ""] = step.headers[at] ?? [];
  switch (random.below(5)) {
    case 0:
      step.headers.splice(at, 1);
      break;
    case 1:
      step.headers[at] = [name, headerValue(random)];
      break;
    case 2:
      step.headers.push([name, value]);
      break;
    case 3:
      step.target = badTarget(script);
      break;
    default:
      step.method = random.pick(["POST", "PUT", "HEAD", "CONNECT", "get", "PRI"]);
  }
}

/** Several requests of one session at the same time. @param {Script} script */
function overlaps(script) {
  const { random } = script;
  openPolling(script, 0);
  if (random.oneIn(2)) script.add(post(script, 0, ["40"]), { do: "await", c: 0 });
  for (let times = random.between(2, 6); times > 0; times -= 1) {
    const c = random.below(4);
    const step = random.oneIn(2) ? poll(script, c) : post(script, c, enginePackets(script));
    if (step.body !== undefined && random.oneIn(3)) step.length = 5000;
    script.add(step);
    if (random.oneIn(3)) script.add({ do: random.pick(["destroy", "reset", "end"]), c });
    if (random.oneIn(4)) script.add({ do: "turn" });
  }
}

/** A client that knows the protocol and wants too much of one thing. @param {Script} script */
export function beyondLimits(script) {
  const { random } = script;
  const c = 4;
  script.protocol = 4;
  openWebSocket(script, c);
  script.add({ do: "await", c }, frame(script, c, "40"), { do: "await", c });
  const message = random.pick([
    () => `42["echo",${random.below(10)}]`,
    () => `42["join","room ${random.below(20)}"]`,
    () => '42["ask for ever"]',
    () => `40/dyn-${random.below(50)},`,
    () =>
      `40${random.pick(["/admin", "/guarded", "/dyn-1", "/dyn-2", "/dyn-3"])},{"token":"let me in"}`,
  ]);
  for (let times = random.between(4, 24); times > 0; times -= 1) {
    script.add(frame(script, c, message()));
    if (random.oneIn(6)) script.add({ do: "await", c });
  }
  if (random.oneIn(3)) sendFrames(script, c, random.between(1, 3));
  if (random.oneIn(2)) script.add({ do: "await", c });
}

/** What attackers do, with how often they do it. */
export const SCENARIOS = /** @type {const} */ ([
  [6, webSocketSession],
  [6, pollingSession],
  [5, upgradedSession],
  [3, jsonpSession],
  [3, recovery],
  [4, badFrames],
  [3, badHttp],
  [2, badUpgrades],
  [2, overlaps],
]);
