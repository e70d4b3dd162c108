import { codecV3, codecV4 } from "@jackfield/parser";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openFrame, openPacketData } from "../src/open-packet.js";
import { encodeFrame } from "../src/transports/websocket-frame.js";

const OPTIONS = { pingInterval: 25_000, pingTimeout: 20_000, maxHttpBufferSize: 1_000_000 };
const SID = "abcdefghij_-12345678";

test("the data is JSON with its keys in this order (18)", () => {
  expect(openPacketData(SID, ["websocket", "webtransport"], OPTIONS)).toBe(
    `{"sid":"${SID}","upgrades":["websocket","webtransport"],` +
      '"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
  );
});

test("it is what JSON.stringify makes of the same", () => {
  const delay = fc.oneof(fc.double({ noNaN: true }), fc.nat());
  const upgrades = fc.subarray(["websocket", "webtransport"]);
  fc.assert(
    fc.property(fc.string(), upgrades, delay, delay, (sid, list, interval, timeout) => {
      const options = { pingInterval: interval, pingTimeout: timeout, maxHttpBufferSize: Infinity };
      expect(openPacketData(sid, list, options)).toBe(
        JSON.stringify({
          sid,
          upgrades: list,
          pingInterval: interval,
          pingTimeout: timeout,
          maxPayload: Infinity,
        }),
      );
    }),
  );
});

test.each([
  ["4", codecV4],
  ["3", codecV3],
])("the frame is the one that a session would send, in protocol %s", (_protocol, codec) => {
  const data = openPacketData(SID, [], OPTIONS);
  const packet = { type: "open", data, options: undefined, frame: undefined } as const;
  const frame = openFrame(SID, OPTIONS, codec) ?? "";
  expect(Buffer.from(frame, "latin1")).toEqual(encodeFrame(packet, codec, true));
});

test.each([
  ["is not Latin-1", "ü\u{1f600}"],
  ["would have to be escaped", 'a"b'],
  ["is long", "a".repeat(50)],
])("there is no frame for an id that %s", (_what, sid) => {
  expect(openFrame(sid, OPTIONS, codecV4)).toBeUndefined();
});

test("there is none with an initial packet, which is to leave in the same write (20)", () => {
  expect(openFrame(SID, { ...OPTIONS, initialPacket: "hi" }, codecV4)).toBeUndefined();
});
