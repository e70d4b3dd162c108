/** An acknowledgement did not come in time. */
export class AckTimeoutError extends Error {
  override readonly name = "AckTimeoutError";
  readonly code = "ERR_ACK_TIMEOUT";
  /** What came in time. Only for broadcasts and server-side events. */
  declare responses?: unknown[];

  constructor() {
    super("operation has timed out");
  }
}

/** The socket is disconnected, so the acknowledgement it owes will never come. */
export class SocketDisconnectedError extends Error {
  override readonly name = "SocketDisconnectedError";
  readonly code = "ERR_SOCKET_DISCONNECTED";

  constructor() {
    super("socket has been disconnected");
  }
}

/** The event name has a meaning of its own, so it cannot be emitted. */
export class ReservedEventError extends Error {
  override readonly name = "ReservedEventError";
  readonly code = "ERR_RESERVED_EVENT";

  constructor(event: string | symbol) {
    super(`"${String(event)}" is a reserved event name`);
  }
}

/** The options that limit what one client can have. */
export type LimitName =
  | "maxNamespacesPerConnection"
  | "maxDynamicNamespacesPerConnection"
  | "maxRoomsPerSocket"
  | "maxPendingAcksPerSocket"
  | "eventRate";

/** A client would have had more than an option allows. */
export class LimitError extends Error {
  override readonly name = "LimitError";
  readonly code = "ERR_LIMIT";
  /** The option. */
  readonly limit: LimitName;
  readonly max: number;

  constructor(limit: LimitName, max: number) {
    super(`the limit ${limit} is ${max}`);
    this.limit = limit;
    this.max = max;
  }
}

/** An option has a value that cannot be meant. */
export class OptionsError extends Error {
  override readonly name = "OptionsError";
  readonly code = "ERR_OPTION_VALUE";
  readonly option: string;
  readonly value: unknown;

  constructor(option: string, value: unknown, accepted: string) {
    super(`option "${option}" must be ${accepted}, not ${describe(value)}`);
    this.option = option;
    this.value = value;
  }
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
