import fc from "fast-check";
import { expect, test } from "vitest";
import { unmask } from "../../src/transports/websocket-mask.js";

function keyOf(bytes: readonly number[]): number {
  return Buffer.from(bytes).readInt32BE(0);
}

const byte = fc.integer({ min: 0, max: 255 });

test("every byte is XORed with its byte of the key, and no other is touched", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 9 }),
      fc.tuple(byte, byte, byte, byte),
      (size, before, shift, key) => {
        // A view that begins anywhere in its memory: chunks do, as soon as they come from a pool.
        const whole = Buffer.from(
          Array.from({ length: shift + before + size + 5 }, (_, i) => (i * 31) & 0xff),
        );
        const data = whole.subarray(shift);
        const expected = Buffer.from(
          data.map((value, i) => {
            const isInside = i >= before && i < before + size;
            return isInside ? value ^ (key[(i - before) % 4] ?? 0) : value;
          }),
        );
        unmask(data, before, before + size, keyOf(key));
        expect(data.equals(expected)).toBe(true);
      },
    ),
    { seed: 6455, numRuns: 2000 },
  );
});

test.each([0, 1, 2, 3, 4, 63, 127, 128, 129, 130, 131, 135, 136, 200, 1001])(
  "of %i bytes it is told whether all are ASCII, whichever is not",
  (size) => {
    const key = keyOf([0x80, 0xff, 0x01, 0x7f]);
    const masked = Buffer.alloc(size + 3, 0x41);
    unmask(masked, 3, size + 3, key);
    const ascii = Buffer.from(masked);
    expect(unmask(ascii, 3, size + 3, key)).toBe(0);
    for (let index = 3; index < size + 3; index += 1) {
      const other = Buffer.from(masked);
      other[index] = (other[index] ?? 0) ^ 0x80;
      expect(unmask(other, 3, size + 3, key)).not.toBe(0);
    }
  },
);
