/** What is done with a message that would take a session over `maxBufferedBytes`. */
export type SlowConsumerVerdict =
  /** The session is closed at once, and what waits for it is dropped. */
  | "disconnect"
  /** The message is dropped, the session goes on. */
  | "drop"
  /** The message is taken all the same, up to twice the bound. */
  | "keep";

/** What a policy sees of a session that does not keep up. */
export interface SlowConsumer {
  readonly id: string;
  readonly remoteAddress: string;
  readonly protocol: 3 | 4;
  readonly transport: { readonly name: string };
  readonly bufferedBytes: number;
}

/** What waits for a session when a policy is asked. */
export interface Backlog {
  /**
   * What counts against the bound, without the message in question: bytes on their way to the client,
   * and 64 more for each packet that waits.
   */
  readonly bufferedBytes: number;
  /** Size of the message in question; text counts one byte per UTF-16 code unit. */
  readonly messageBytes: number;
  /** The bound: the option of this name. */
  readonly maxBufferedBytes: number;
}

/** Decides in the place of a fixed policy. It must not send to the session. */
export type SlowConsumerFunction = (session: SlowConsumer, backlog: Backlog) => SlowConsumerVerdict;

/** What becomes of a session whose client does not keep up. */
export type SlowConsumerPolicy = "disconnect" | "drop-volatile" | SlowConsumerFunction;

/** Bytes that may wait for one session, unless the option says otherwise. */
export const DEFAULT_MAX_BUFFERED_BYTES: number = 16 * 1024 * 1024;

/**
 * What a waiting packet costs besides its data, in bytes: the object and its place in the buffer.
 * Without it, empty messages could wait without a bound.
 */
export const PACKET_COST = 64;

/**
 * Bytes up to which a client counts as one that keeps up: a sixteenth of the bound, and not more
 * than a sixteenth of the default one.
 */
export function lowWatermark(maxBufferedBytes: number): number {
  return Math.min(maxBufferedBytes, DEFAULT_MAX_BUFFERED_BYTES) / 16;
}

/** What the judgement of an overflow depends on, and what counts it. */
export interface OverflowContext<Session> {
  readonly options: {
    readonly maxBufferedBytes: number;
    readonly slowConsumer: SlowConsumerPolicy;
  };
  readonly counters: { droppedMessages: number };
  /** The policy threw, or gave no verdict. */
  onHandlerError(error: unknown, session: Session): void;
}

/**
 * Decides on a message that would take a session over `maxBufferedBytes`. No function can let a
 * session grow beyond twice the bound: there it is not asked any more.
 */
export function judgeOverflow<Session extends SlowConsumer>(
  session: Session,
  { bufferedBytes, messageBytes }: Omit<Backlog, "maxBufferedBytes">,
  context: OverflowContext<Session>,
): SlowConsumerVerdict {
  const { maxBufferedBytes, slowConsumer } = context.options;
  // Larger than the bound by itself, it still reaches a client that has read what was before.
  if (messageBytes > maxBufferedBytes && bufferedBytes <= lowWatermark(maxBufferedBytes)) {
    return "keep";
  }
  const isAsked = bufferedBytes + messageBytes <= 2 * maxBufferedBytes;
  if (typeof slowConsumer !== "function" || !isAsked) return "disconnect";
  const verdict = ask(
    () => slowConsumer(session, { bufferedBytes, messageBytes, maxBufferedBytes }),
    (error) => context.onHandlerError(error, session),
  );
  if (verdict === "drop") context.counters.droppedMessages += 1;
  return verdict;
}

function ask(policy: () => unknown, onError: (error: unknown) => void): SlowConsumerVerdict {
  try {
    const verdict = policy();
    if (verdict === "drop" || verdict === "keep" || verdict === "disconnect") return verdict;
    // An async function is not waited for, but its rejection must not end the process.
    if (verdict instanceof Promise) verdict.catch(onError);
    onError(new TypeError('slowConsumer must return "disconnect", "drop" or "keep"'));
  } catch (error) {
    onError(error);
  }
  return "disconnect";
}
