import type { IncomingMessage } from "node:http";
import type { PacketCodec } from "./codec.js";
import { HANDSHAKE_ERRORS, refusal, type Refusal } from "./errors.js";
import { badRequest, protocolOf } from "./handshake.js";
import type { AllowRequest } from "./options.js";

/** What the admission of a new session depends on besides the request. */
export interface AdmissionContext {
  readonly options: { readonly allowRequest: AllowRequest | undefined };
  /** The implementation of each protocol revision that is served, by number. */
  readonly codecs: Readonly<Record<number, PacketCodec>>;
  generateId(req: IncomingMessage): string | PromiseLike<string>;
  /** Whether a session has this id. */
  isTaken(id: string): boolean;
  onHandlerError(error: unknown): void;
}

/** Is told why the client may not connect. */
export type Refuse = (why: Refusal) => void;

/** Is given what a new session is made with. */
export type Admitted = (id: string, codec: PacketCodec) => void;

/**
 * The part of a handshake that may take time, after the verdict on the request: `allowRequest`, the
 * protocol revision, the id (behaviours 2, 6, 25, 26). Synchronous when the application is.
 */
export function admit(
  req: IncomingMessage,
  context: AdmissionContext,
  refuse: Refuse,
  admitted: Admitted,
): void {
  askApplication(req, context, refuse, () => {
    const protocol = protocolOf(req);
    const codec = context.codecs[protocol];
    if (codec === undefined) {
      refuse(refusal(HANDSHAKE_ERRORS.UNSUPPORTED_PROTOCOL_VERSION, { protocol }));
    } else {
      makeId(req, context, refuse, (id) => admitted(id, codec));
    }
  });
}

function askApplication(
  req: IncomingMessage,
  context: AdmissionContext,
  refuse: Refuse,
  allowed: () => void,
): void {
  const { allowRequest } = context.options;
  if (allowRequest === undefined) {
    allowed();
    return;
  }
  let answered = false;
  const answer = (error: unknown, success?: boolean): void => {
    if (answered) return;
    answered = true;
    if (success === true) allowed();
    else refuse(forbidden(error));
  };
  const result = allowRequest(req, answer);
  if (typeof result === "boolean") answer(undefined, result);
  else if (result !== undefined) awaitAnswer(result, context, answer);
}

function awaitAnswer(
  result: PromiseLike<void | boolean>,
  context: AdmissionContext,
  answer: (error: unknown, success?: boolean) => void,
): void {
  const failed = (error: unknown): void => {
    context.onHandlerError(error);
    answer(undefined, false);
  };
  // A promise of `undefined` is that of an async function which calls back.
  const succeeded = (success: void | boolean): void => {
    if (typeof success === "boolean") answer(undefined, success);
  };
  result.then(succeeded, failed);
}

/** Only text is for the client; whatever else the application gives as the error is not. */
function forbidden(error: unknown): Refusal {
  const text = error instanceof Error ? error.message : error;
  const answer = typeof text === "string" && text !== "" ? text : undefined;
  return refusal(HANDSHAKE_ERRORS.FORBIDDEN, { message: error }, answer);
}

function makeId(
  req: IncomingMessage,
  context: AdmissionContext,
  refuse: Refuse,
  made: (id: string) => void,
): void {
  const refuseId = (error: unknown): void => refuse(badRequest("ID_GENERATION_ERROR", { error }));
  const check = (id: unknown): void => {
    if (typeof id !== "string" || id === "") refuseId(new TypeError("an id must be a string"));
    else if (context.isTaken(id)) refuseId(new Error("the id is in use"));
    else made(id);
  };
  let id;
  try {
    id = context.generateId(req);
  } catch (error) {
    refuseId(error);
    return;
  }
  if (typeof id === "string") check(id);
  else Promise.resolve(id).then(check, refuseId);
}
