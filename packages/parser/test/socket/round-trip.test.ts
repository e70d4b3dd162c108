import fc from "fast-check";
import { expect, test } from "vitest";
import { Decoder } from "../../src/socket/decoder.js";
import { Encoder } from "../../src/socket/encoder.js";
import { packet } from "./arbitraries.js";

test("every packet is decoded to what was encoded", () => {
  const encoder = new Encoder();
  fc.assert(
    fc.property(packet, (original) => {
      const decoder = new Decoder({ maxAttachments: Infinity });
      const pieces = encoder.encode(original);
      const last = pieces.pop() ?? "";
      for (const piece of pieces) expect(decoder.push(piece)).toBeUndefined();
      expect(decoder.push(last)).toEqual(original);
    }),
    { numRuns: 1000 },
  );
});
