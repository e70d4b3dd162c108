import type { Server as HttpServer } from "node:http";
import type { Socket as TcpSocket } from "node:net";

/** What a server wrote to its connections since `reset()`. */
export interface Writes {
  /** How many calls of `write` there were, of all connections together. */
  readonly count: number;
  /** Every chunk, in order: the very objects that were written. */
  readonly chunks: readonly unknown[];
  reset(): void;
}

/** Counts the writes to the connections that open from now on. */
export function countWrites(httpServer: HttpServer): Writes {
  const chunks: unknown[] = [];
  httpServer.on("connection", (stream: TcpSocket) => {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = (...args: unknown[]): boolean => {
      chunks.push(args[0]);
      return write(...args);
    };
  });
  return {
    get count() {
      return chunks.length;
    },
    chunks,
    reset() {
      chunks.length = 0;
    },
  };
}
