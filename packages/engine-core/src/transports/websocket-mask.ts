// The payloads of clients are masked (RFC 6455, section 5.3): byte i is XORed with byte i mod 4 of
// the key. Four bytes a turn are best for the short payloads of events, whole words for long ones: 64
// bytes take 60 ns instead of 220 byte by byte, 4 kB 0.9 µs instead of 6.5, measured on Node 20.

/** From here on, a view of words is worth making. */
const WORDS_FROM = 128;

// The key as it lies in memory, turned to where the words begin: right for either byte order.
const keyBytes = new Uint8Array(4);
const keyWord = new Int32Array(keyBytes.buffer);

/**
 * Unmasks the bytes from `start` to `end`, in place.
 *
 * @param key the four bytes of the masking key as one number, the first one in front
 * @returns 0 if all of these bytes are ASCII, another number otherwise
 */
export function unmask(data: Buffer, start: number, end: number, key: number): number {
  if (end - start < WORDS_FROM) return unmaskBytes(data, start, end, key);
  const words = start + (-(data.byteOffset + start) & 7);
  const rest = words + ((end - words) & ~7);
  return (
    unmaskBytes(data, start, words, key) |
    unmaskWords(data, words, rest, turn(key, words - start)) |
    unmaskBytes(data, rest, end, turn(key, rest - start))
  );
}

function unmaskBytes(data: Buffer, start: number, end: number, key: number): number {
  const first = key >>> 24;
  const second = (key >>> 16) & 0xff;
  const third = (key >>> 8) & 0xff;
  const fourth = key & 0xff;
  let seen = 0;
  let index = start;
  for (const last = end - 3; index < last; index += 4) {
    seen |= data[index] = (data[index] ?? 0) ^ first;
    seen |= data[index + 1] = (data[index + 1] ?? 0) ^ second;
    seen |= data[index + 2] = (data[index + 2] ?? 0) ^ third;
    seen |= data[index + 3] = (data[index + 3] ?? 0) ^ fourth;
  }
  if (index < end) seen |= data[index] = (data[index] ?? 0) ^ first;
  if (index + 1 < end) seen |= data[index + 1] = (data[index + 1] ?? 0) ^ second;
  if (index + 2 < end) seen |= data[index + 2] = (data[index + 2] ?? 0) ^ third;
  return seen & 0x80;
}

/** `start` is that of a word, and the words are even in number. */
function unmaskWords(data: Buffer, start: number, end: number, key: number): number {
  keyBytes[0] = key >>> 24;
  keyBytes[1] = key >>> 16;
  keyBytes[2] = key >>> 8;
  keyBytes[3] = key;
  const mask = keyWord[0] ?? 0;
  const words = new Int32Array(data.buffer, data.byteOffset + start, (end - start) >> 2);
  let seen = 0;
  for (let index = 0; index < words.length; index += 2) {
    seen |= words[index] = (words[index] ?? 0) ^ mask;
    seen |= words[index + 1] = (words[index + 1] ?? 0) ^ mask;
  }
  return seen & 0x80808080;
}

/** The key for what begins `offset` bytes behind the start of the payload. */
function turn(key: number, offset: number): number {
  const bits = (offset & 3) * 8;
  return bits === 0 ? key : (key << bits) | (key >>> (32 - bits));
}
