import { expect, test } from "vitest";
import {
  AckTimeoutError,
  OptionsError,
  ReservedEventError,
  SocketDisconnectedError,
} from "../src/errors.js";

test("errors have the messages that programs compare and codes of their own", () => {
  expect(new AckTimeoutError()).toMatchObject({
    message: "operation has timed out",
    code: "ERR_ACK_TIMEOUT",
  });
  expect(new SocketDisconnectedError()).toMatchObject({
    message: "socket has been disconnected",
    code: "ERR_SOCKET_DISCONNECTED",
  });
  expect(new ReservedEventError("connect")).toMatchObject({
    message: '"connect" is a reserved event name',
    code: "ERR_RESERVED_EVENT",
  });
});

test("a timeout has responses only where there are any", () => {
  expect("responses" in new AckTimeoutError()).toBe(false);
});

test("an options error says which option has which value and what is accepted", () => {
  const error = new OptionsError("path", 7, "a string");
  expect(error.message).toBe('option "path" must be a string, not 7');
  expect(error).toMatchObject({ option: "path", value: 7, code: "ERR_OPTION_VALUE" });
  expect(new OptionsError("a", "x", "b").message).toContain('not "x"');
  expect(new OptionsError("a", {}, "b").message).toContain("not an object");
  expect(new OptionsError("a", () => {}, "b").message).toContain("not a function");
});
