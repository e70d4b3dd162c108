import fc from "fast-check";
import * as official from "socket.io-parser";
import { expect, test } from "vitest";
import { Decoder } from "../../src/socket/decoder.js";
import { Encoder } from "../../src/socket/encoder.js";
import type { LegacyEncoder } from "../../src/socket/legacy-parser.js";
import { attachment, hostileText, packet } from "./arbitraries.js";

type Outcome = { packet: unknown } | { error: string } | "pending";

function officialOutcomes(pieces: readonly (string | Buffer)[]): Outcome[] {
  const decoder = new official.Decoder();
  let decoded: unknown;
  decoder.on("decoded", (result) => {
    decoded = result;
  });
  return outcomes(pieces, (piece) => {
    decoded = undefined;
    decoder.add(piece);
    return decoded;
  });
}

function ourOutcomes(pieces: readonly (string | Buffer)[]): Outcome[] {
  const decoder = new Decoder();
  return outcomes(pieces, (piece) => decoder.push(piece));
}

/** Both close the connection at the first error, so that what follows does not matter. */
function outcomes(
  pieces: readonly (string | Buffer)[],
  push: (piece: string | Buffer) => unknown,
): Outcome[] {
  const result: Outcome[] = [];
  for (const piece of pieces) {
    try {
      const decoded = push(piece);
      result.push(decoded === undefined ? "pending" : { packet: decoded });
    } catch (error) {
      result.push({ error: (error as Error).message });
      break;
    }
  }
  return result;
}

/** Where the two differ on purpose. */
const DIFFERENCES = [
  // No type, or white space as the digit zero.
  /^(?:\s|$)/,
  // An attachment count of zero, or written in another way than by digits.
  /^[56](?!\d+-)/,
  /^[56]0+-/,
  // White space as the digit zero of an id, or ids that a number cannot hold.
  /^(?:[0-4]|[56]\d+-)(?:\/[^,]*(?:,|$))?\d*\s/,
  /^(?:[0-4]|[56]\d+-)(?:\/[^,]*(?:,|$))?\d{16}/,
  // Placeholders with a fraction.
  /"num":\d*\.\d/,
];

test("the official decoder agrees on whatever arrives", () => {
  fc.assert(
    fc.property(hostileText, fc.array(attachment, { maxLength: 3 }), (text, attachments) => {
      fc.pre(!DIFFERENCES.some((difference) => difference.test(text)));
      const pieces = [text, ...attachments];
      expect(ourOutcomes(pieces)).toEqual(officialOutcomes(pieces));
    }),
    { numRuns: 1000 },
  );
});

test("the official encoder agrees on every packet", () => {
  const ours = new Encoder();
  const theirs: LegacyEncoder = new official.Encoder();
  fc.assert(
    fc.property(packet, (original) => {
      const pieces = ours.encode(original);
      // It loses `__proto__` members when there are attachments.
      fc.pre(pieces.length === 1 || !JSON.stringify(original).includes("__proto__"));
      expect(pieces).toEqual(theirs.encode(original));
    }),
    { numRuns: 1000 },
  );
});
