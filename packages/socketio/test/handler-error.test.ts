import { EventEmitter, once } from "node:events";
import { expect, test } from "vitest";
import { HandlerErrors, isThenable, messageOf } from "../src/handler-error.js";
import { settled } from "./harness.js";

test("errors go to the listeners with their context", () => {
  const emitter = new EventEmitter();
  const seen: unknown[][] = [];
  emitter.on("handler_error", (...args: unknown[]) => void seen.push(args));
  const error = new Error("oops");
  const context = { source: "listener", event: "a" } as const;
  new HandlerErrors(() => emitter).report(error, context);
  expect(seen).toEqual([[error, context]]);
});

test("an error without a listener becomes a warning of the process", async () => {
  const warning = once(process, "warning");
  new HandlerErrors(() => new EventEmitter()).report(new Error("oops"), {
    source: "listener",
    event: "chat",
  });
  const [warned] = (await warning) as [Error & { code: string }];
  expect(warned).toMatchObject({
    name: "SocketHandlerError",
    code: "ERR_SOCKET_HANDLER",
    message: 'Unhandled error (listener of "chat"): oops',
  });
});

test("a listener that fails itself becomes a warning of the process", async () => {
  const emitter = new EventEmitter();
  emitter.on("handler_error", () => {
    throw new Error("worse");
  });
  emitter.on("handler_error", () => Promise.reject(new Error("worse")));
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", onWarning);
  new HandlerErrors(() => emitter).report(new Error("oops"), { source: "adapter" });
  await settled();
  process.off("warning", onWarning);
  expect(warnings).toEqual([
    "Unhandled error (adapter): worse",
    "Unhandled error (adapter): worse",
  ]);
});

test("an error before there is an emitter is no crash", async () => {
  const warning = once(process, "warning");
  new HandlerErrors(() => undefined).report("text", { source: "adapter" });
  expect(((await warning) as [Error])[0].message).toContain("text");
});

test("a value that cannot be made text has a message, too", () => {
  expect(messageOf(Object.create(null))).toBe("unknown error");
  expect(messageOf("text")).toBe("text");
});

test("anything with a then method is a promise", () => {
  expect(isThenable(Promise.resolve())).toBe(true);
  // oxlint-disable-next-line unicorn/no-thenable -- that is the question
  const [foreign, none] = [{ then() {} }, { then: 1 }];
  expect(isThenable(foreign)).toBe(true);
  expect(isThenable(none)).toBe(false);
  expect(isThenable(null)).toBe(false);
});
