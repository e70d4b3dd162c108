// What users send, made safe to keep: each function returns the cleaned value, or undefined when
// there is none. The browser checks the same rules for convenience; these here count.

export const MAX_TEXT = 1000;

const LETTER = String.raw`[\p{L}\p{N}]`;
const INNER = String.raw`[\p{L}\p{M}\p{N} ._-]`;
const NAME = new RegExp(`^${LETTER}${INNER}{0,18}[\\p{L}\\p{M}\\p{N}]$`, "u");
const KEY = /^[0-9a-f]{32}$/;

/** A nickname or a room's name: 2 to 20 letters and digits, with single spaces or `._-` between. */
export function cleanName(value) {
  if (typeof value !== "string" || value.length > 100) return undefined;
  const name = value.normalize("NFKC").replace(/\s+/g, " ").trim();
  return NAME.test(name) ? name : undefined;
}

/** The form in which two names are compared: "ada" and "ADA" are one person. */
export function fold(name) {
  return name.toLowerCase();
}

/** The text of a message: 1 to {@link MAX_TEXT} characters, without control characters. */
export function cleanText(value) {
  if (typeof value !== "string" || value.length > MAX_TEXT) return undefined;
  const text = value
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
  return text === "" ? undefined : text;
}

/** A browser's random key, or a message's random id: 16 bytes in hexadecimal. */
export function cleanKey(value) {
  return typeof value === "string" && KEY.test(value) ? value : undefined;
}

/** The payload of an event as an object, whatever the peer has sent. */
export function fields(payload) {
  return typeof payload === "object" && payload !== null ? payload : {};
}
