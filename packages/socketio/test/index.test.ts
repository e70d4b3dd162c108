import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import * as api from "../src/index.js";
import { Harness } from "./harness.js";

test("the package has these values", () => {
  expect(Object.keys(api).toSorted()).toEqual([
    "AckTimeoutError",
    "Adapter",
    "ClusterAdapter",
    "ClusterAdapterWithHeartbeat",
    "ClusterError",
    "LimitError",
    "MessageType",
    "Namespace",
    "OptionsError",
    "ReservedEventError",
    "Server",
    "SessionAwareAdapter",
    "Socket",
    "SocketDisconnectedError",
  ]);
});

test("objects are recognised by their classes", () => {
  const { io, join } = ((harness) => ({ io: harness.io, join: () => harness.join() }))(
    new Harness(),
  );
  const { socket } = join();
  expect(socket instanceof api.Socket).toBe(true);
  expect(io.of("/x") instanceof api.Namespace).toBe(true);
  const server = new api.Server();
  expect(server instanceof api.Server).toBe(true);
  expect(server).toBeInstanceOf(EventEmitter);
});
