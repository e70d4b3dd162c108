import { expect, test } from "vitest";
import { RESERVED_EVENTS } from "../../src/socket/reserved-events.js";

test("the reserved events are those that clients know", () => {
  expect([...RESERVED_EVENTS].toSorted()).toEqual([
    "connect",
    "connect_error",
    "disconnect",
    "disconnecting",
    "newListener",
    "removeListener",
  ]);
});
