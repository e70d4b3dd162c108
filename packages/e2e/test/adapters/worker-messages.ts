/** Tells the messages of the tests from those of the adapter. */
export const MESSAGE_SOURCE = "adapter tests";

/** How often a server tells the others that it is there. Until it has, nobody counts it. */
export const HEARTBEAT_MS = 100;

/** Asks a server for an action, or to `close`. */
export interface Call {
  readonly source: typeof MESSAGE_SOURCE;
  readonly id: number;
  readonly action: string;
  readonly args: readonly unknown[];
}

/** The result of a call; without an id, that the server listens on the port. */
export interface Reply {
  readonly source: typeof MESSAGE_SOURCE;
  readonly id?: number;
  readonly port?: number;
  readonly value?: unknown;
  readonly error?: string;
}
