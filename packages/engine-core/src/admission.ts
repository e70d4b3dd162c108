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

/** A handshake on its way through the admission. */
interface Candidate {
  readonly req: IncomingMessage;
  readonly context: AdmissionContext;
  readonly refuse: Refuse;
  readonly admitted: Admitted;
}

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
  const candidate = { req, context, refuse, admitted };
  const { allowRequest } = context.options;
  // Mostly nobody has to be asked, and nothing waited for: no functions are made for that.
  if (allowRequest === undefined) makeId(candidate);
  else askApplication(candidate, allowRequest);
}

function askApplication(candidate: Candidate, allowRequest: AllowRequest): void {
  const { req, context, refuse } = candidate;
  let answered = false;
  const answer = (error: unknown, success?: boolean): void => {
    if (answered) return;
    answered = true;
    if (success === true) makeId(candidate);
    else refuse(forbidden(error));
  };
  const result: unknown = allowRequest(req, answer);
  if (typeof result === "boolean") answer(undefined, result);
  else if (isThenable(result)) awaitAnswer(result, context, answer);
}

/** Functions that call back may return anything, what `setTimeout` returns for instance. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}

function awaitAnswer(
  result: PromiseLike<unknown>,
  context: AdmissionContext,
  answer: (error: unknown, success?: boolean) => void,
): void {
  const failed = (error: unknown): void => {
    context.onHandlerError(error);
    answer(undefined, false);
  };
  // A promise of `undefined` is that of an async function which calls back.
  const succeeded = (success: unknown): void => {
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

function makeId(candidate: Candidate): void {
  const { req, context, refuse } = candidate;
  const protocol = protocolOf(req);
  const codec = context.codecs[protocol];
  if (codec === undefined) {
    refuse(refusal(HANDSHAKE_ERRORS.UNSUPPORTED_PROTOCOL_VERSION, { protocol }));
    return;
  }
  let id;
  try {
    id = context.generateId(req);
  } catch (error) {
    refuse(badId(error));
    return;
  }
  if (typeof id === "string") checkId(candidate, id, codec);
  else awaitId(candidate, id, codec);
}

function awaitId(candidate: Candidate, id: PromiseLike<string>, codec: PacketCodec): void {
  Promise.resolve(id).then(
    (made) => checkId(candidate, made, codec),
    (error: unknown) => candidate.refuse(badId(error)),
  );
}

function checkId({ context, refuse, admitted }: Candidate, id: unknown, codec: PacketCodec): void {
  if (typeof id !== "string" || id === "") refuse(badId(new TypeError("an id must be a string")));
  else if (context.isTaken(id)) refuse(badId(new Error("the id is in use")));
  else admitted(id, codec);
}

function badId(error: unknown): Refusal {
  return badRequest("ID_GENERATION_ERROR", { error });
}
