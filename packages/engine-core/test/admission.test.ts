import type { IncomingMessage } from "node:http";
import { codecV4 } from "@jackfield/parser";
import { expect, test } from "vitest";
import { admit, type AdmissionContext } from "../src/admission.js";
import type { AllowRequest } from "../src/options.js";

interface Asked {
  readonly allowRequest?: AllowRequest;
  readonly generateId?: () => string | PromiseLike<string>;
  readonly url?: string;
}

/** Resolves with the id that is admitted, or with the code and name or answer of the refusal. */
function outcome({ allowRequest, generateId = () => "new", url = "/?EIO=4" }: Asked) {
  const errors: unknown[] = [];
  const context: AdmissionContext = {
    options: { allowRequest },
    codecs: { 4: codecV4 },
    generateId,
    isTaken: (id) => id === "taken",
    onHandlerError: (error) => errors.push(error),
  };
  // One cast: of the request, only the query is read here.
  const req = { url } as IncomingMessage;
  return new Promise<unknown>((resolve) => {
    admit(
      req,
      context,
      ({ code, context: { name }, answer }) => resolve([code, name ?? answer, ...errors]),
      (id, codec) => resolve([id, codec.protocol]),
    );
  });
}

test("without a question to anybody, the admission is synchronous", () => {
  let admitted: string | undefined;
  const context: AdmissionContext = {
    options: { allowRequest: undefined },
    codecs: { 4: codecV4 },
    generateId: () => "new",
    isTaken: () => false,
    onHandlerError: () => {},
  };
  admit(
    { url: "/?EIO=4" } as IncomingMessage,
    context,
    () => expect.unreachable(),
    (id) => (admitted = id),
  );
  expect(admitted).toBe("new");
});

test("what has no EIO, or another than 4, is protocol 3 (26)", async () => {
  expect(await outcome({ url: "/?EIO=5" })).toEqual([5, undefined]);
  expect(await outcome({ url: "/" })).toEqual([5, undefined]);
  expect(await outcome({})).toEqual(["new", 4]);
});

test("allowRequest is asked before the version is looked at (2)", async () => {
  const allowRequest: AllowRequest = (_req, callback) => callback("no", false);
  expect(await outcome({ allowRequest, url: "/" })).toEqual([4, "no"]);
});

test.each([
  ["text", "not today", "not today"],
  ["an error", new Error("not today"), "not today"],
  ["a number", 4, undefined],
  ["nothing", undefined, undefined],
])("the client is told what allowRequest gives as %s (7)", async (_name, error, answer) => {
  const allowRequest: AllowRequest = (_req, callback) => callback(error, false);
  expect(await outcome({ allowRequest })).toEqual([4, answer]);
});

test("the first answer of allowRequest counts", async () => {
  const allowRequest: AllowRequest = (_req, callback) => {
    callback("no", false);
    callback(null, true);
    return true;
  };
  expect(await outcome({ allowRequest })).toEqual([4, "no"]);
});

test.each([null, 0, "", {}])("allowRequest may return %j, and call back (6)", async (returned) => {
  // The type of the option says `void`, which is what programs return that return anything.
  const allowRequest: AllowRequest = (_req, callback) => {
    setImmediate(callback, undefined, true);
    return returned;
  };
  expect(await outcome({ allowRequest })).toEqual(["new", 4]);
});

test("a promise of allowRequest that is rejected refuses without its reason", async () => {
  const failure = new Error("secret");
  const allowRequest: AllowRequest = () => Promise.reject(failure);
  expect(await outcome({ allowRequest })).toEqual([4, undefined, failure]);
});

test("an id that is taken, empty or late and wrong refuses (25)", async () => {
  for (const generateId of [
    () => "taken",
    () => "",
    () => Promise.resolve("taken"),
    () => Promise.reject(new Error("none")),
    () => {
      throw new Error("none");
    },
  ]) {
    expect(await outcome({ generateId })).toEqual([3, "ID_GENERATION_ERROR"]);
  }
});
