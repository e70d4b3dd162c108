import base64id from "base64id";

/** Makes the id of a session: 20 characters of `A-Za-z0-9_-`, 15 bytes, not to be guessed. */
export function generateId(): string {
  return base64id.generateId();
}
