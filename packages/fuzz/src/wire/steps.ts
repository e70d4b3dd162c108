/**
 * Text, or bytes as base64. In texts `{sid0}` stands for the first session id that the server has
 * given in this case, `{pid0}` and `{offset0}` for what it has given for a recovery.
 */
export type Payload = string | { base64: string };

/** What is done to the bytes of a step before they are sent. */
export interface Damage {
  kind: "cut" | "drop" | "double" | "flip" | "insert";
  /** Where, as a fraction of the length. */
  at: number;
  value: number;
}

/** How the bytes of a step are sent. */
interface Sent {
  damage?: Damage[];
  /** Bytes per write; the writes are a turn of the event loop apart. */
  split?: number;
}

/** How a body is cut into chunks. */
interface Chunks {
  size: number;
  /** What each chunk announces in place of its size. */
  sizeText?: string;
  isUnfinished?: boolean;
}

export interface HttpStep extends Sent {
  do: "http";
  /** The number of the connection, as in all steps. */
  c: number;
  method: string;
  target: string;
  version?: string;
  headers: [name: string, value: string][];
  body?: Payload;
  /** What is announced in place of the true length. */
  length?: number | string;
  chunks?: Chunks;
}

export interface FrameStep extends Sent {
  do: "frame";
  c: number;
  opcode: number;
  payload: Payload;
  fin?: boolean;
  rsv?: number;
  /** Four bytes, hexadecimal. Unmasked without. */
  mask?: string;
  /** What is announced in place of the true length. */
  length?: number;
  /** The bits of the length. */
  lengthForm?: 7 | 16 | 64;
}

interface BytesStep extends Sent {
  do: "bytes";
  c: number;
  base64: string;
}

/** Waits for bytes of the server, but not for long. */
interface AwaitStep {
  do: "await";
  c: number;
}

/** Lets the event loop turn once. */
interface TurnStep {
  do: "turn";
}

interface SocketStep {
  do: "end" | "destroy" | "reset" | "pause" | "resume";
  c: number;
}

export type SendingStep = HttpStep | FrameStep | BytesStep;
export type Step = SendingStep | AwaitStep | TurnStep | SocketStep;

/** What one attacker does, over up to four connections. */
export interface Case {
  /** The index of the server that is attacked. */
  server: number;
  steps: Step[];
}
