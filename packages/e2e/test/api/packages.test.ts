// Section 1.1: what other packages find under the names that they know.
import { createRequire } from "node:module";
import * as own from "@jackfield/socketio";
import * as adapterPackage from "socket.io-adapter";
import { expect, test } from "vitest";

/** The methods of a class of npm `socket.io-adapter` that are not its private steps. */
const METHODS = {
  Adapter: [
    "init",
    "close",
    "serverCount",
    "addAll",
    "del",
    "delAll",
    "broadcast",
    "broadcastWithAck",
    "sockets",
    "socketRooms",
    "fetchSockets",
    "addSockets",
    "delSockets",
    "disconnectSockets",
    "serverSideEmit",
    "persistSession",
    "restoreSession",
  ],
  SessionAwareAdapter: ["persistSession", "restoreSession", "broadcast"],
  ClusterAdapter: [
    "onMessage",
    "onResponse",
    "publish",
    "publishAndReturnOffset",
    "publishResponse",
    "addOffsetIfNecessary",
  ],
  ClusterAdapterWithHeartbeat: [
    "init",
    "close",
    "serverCount",
    "onMessage",
    "onResponse",
    "publish",
  ],
} as const;

type Name = keyof typeof METHODS;
const NAMES = Object.keys(METHODS) as Name[];

test.each(NAMES)("%s has the methods that adapters call and override (X10, A12)", (name) => {
  for (const classes of [adapterPackage, own] as Record<Name, { prototype: object }>[]) {
    const { prototype } = classes[name];
    const missing = METHODS[name].filter(
      (method) => typeof Reflect.get(prototype, method) !== "function",
    );
    expect(missing).toEqual([]);
  }
});

test("every class of npm socket.io-adapter is there, and extends those it extends there (X10)", () => {
  for (const classes of [adapterPackage, own] as Record<Name, { prototype: object }>[]) {
    const parents = NAMES.map((name) =>
      NAMES.filter((other) => classes[other].prototype.isPrototypeOf(classes[name].prototype)),
    );
    expect(parents).toEqual([[], ["Adapter"], ["Adapter"], ["Adapter", "ClusterAdapter"]]);
  }
  const missing = Object.keys(adapterPackage).filter(
    (name) => !(name in own) && name !== "default" && name !== "module.exports",
  );
  expect(missing).toEqual([]);
});

test("the types of messages have their numbers (A14, X10)", () => {
  const numbers = Object.entries(adapterPackage.MessageType).filter(
    ([, value]) => typeof value === "number",
  );
  expect(numbers).toHaveLength(13);
  expect(Object.entries(own.MessageType)).toEqual(numbers);
});

test("package.json can be read through the exports (X1)", () => {
  const require = createRequire(import.meta.url);
  expect(require("@jackfield/socketio/package.json")).toMatchObject({
    name: "@jackfield/socketio",
    main: "./index.cjs",
    types: "./index.d.cts",
  });
});
