import type { IncomingMessage } from "node:http";

/** How reading the body of a request ended. */
export type BodyResult =
  | { readonly type: "body"; readonly data: Buffer }
  | { readonly type: "too large" }
  | { readonly type: "aborted" };

/**
 * Reads the body of a request, of at most `limit` bytes (behaviour 35).
 *
 * `done` is called exactly once. What follows a body that is too large is discarded as it comes.
 */
export function readBody(
  req: IncomingMessage,
  limit: number,
  done: (result: BodyResult) => void,
): void {
  if (Number(req.headers["content-length"]) > limit) {
    req.resume();
    done({ type: "too large" });
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  let ended = false;
  const end = (result: BodyResult): void => {
    if (ended) return;
    ended = true;
    chunks.length = 0;
    done(result);
  };
  req.on("data", (chunk: Buffer) => {
    if (ended) return;
    length += chunk.length;
    if (length > limit) end({ type: "too large" });
    else chunks.push(chunk);
  });
  req.on("end", () => {
    const [first] = chunks;
    const data = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length);
    end({ type: "body", data });
  });
  req.on("close", () => end({ type: "aborted" }));
  req.on("error", () => end({ type: "aborted" }));
}
