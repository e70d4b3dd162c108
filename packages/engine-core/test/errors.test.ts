import { expect, test } from "vitest";
import {
  HANDSHAKE_ERROR_MESSAGES,
  HANDSHAKE_ERRORS,
  OptionsError,
  refusal,
  TransportError,
} from "../src/errors.js";

test("codes and texts of refusals are those that clients know (E9)", () => {
  expect(
    Object.entries(HANDSHAKE_ERRORS).map(([name, code]) => [name, code, refusal(code, {}).message]),
  ).toEqual([
    ["UNKNOWN_TRANSPORT", 0, "Transport unknown"],
    ["UNKNOWN_SID", 1, "Session ID unknown"],
    ["BAD_HANDSHAKE_METHOD", 2, "Bad handshake method"],
    ["BAD_REQUEST", 3, "Bad request"],
    ["FORBIDDEN", 4, "Forbidden"],
    ["UNSUPPORTED_PROTOCOL_VERSION", 5, "Unsupported protocol version"],
  ]);
  expect(Object.keys(HANDSHAKE_ERROR_MESSAGES)).toHaveLength(6);
});

test("a transport error keeps its cause, and has the type that tools look for (R11)", () => {
  const cause = new RangeError("Max payload size exceeded");
  const error = new TransportError("ERR_TRANSPORT_CONNECTION", cause.message, cause);
  expect(error).toMatchObject({ type: "TransportError", cause, description: cause });
});

test.each([
  ["text", '"text"'],
  [[1], "array"],
  [{}, "object"],
  [Number.NaN, "NaN"],
  [undefined, "undefined"],
])("an options error describes %j", (value, described) => {
  expect(new OptionsError("path", value, "a string").message).toBe(
    `option "path": ${described} is not accepted, it takes a string`,
  );
});
