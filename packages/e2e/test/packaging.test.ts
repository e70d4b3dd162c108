// What users get: the built packages, loaded by Node.js itself in processes of their own.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { needBuild } from "./support/built.js";

const run = promisify(execFile);
const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// Here @jackfield/socketio and socket.io-client are installed; in the other one all three packages.
const E2E = folder("../");
const SOCKETIO = folder("../../socketio/");

/** Runs code in a new process; resolves, when the process has ended by itself, with what it printed as JSON. */
async function evaluate(type: "commonjs" | "module", cwd: string, code: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, [`--input-type=${type}`, "--eval", code], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: "" },
    timeout: 30_000,
  });
  return JSON.parse(stdout);
}

/** The same round trip for both kinds of modules; needs `io`, `httpServer` and `connect`. */
const ROUND_TRIP = `
  io.on("connection", (socket) => socket.on("add", (a, b, answer) => answer(a + b)));
  httpServer.listen(0, "localhost", () => {
    const client = connect("http://localhost:" + httpServer.address().port, { path: "/wire" });
    client.emit("add", 1, 2, (sum) => {
      client.disconnect();
      io.close(() => console.log(JSON.stringify({ ...facts, sum })));
    });
  });
`;

needBuild();

test("require() gives a function that makes a server (X1, X2)", { timeout: 60_000 }, async () => {
  const result = await evaluate(
    "commonjs",
    E2E,
    `
    const socketio = require("@jackfield/socketio");
    const { io: connect } = require("socket.io-client");
    const httpServer = require("node:http").createServer();
    const io = socketio(httpServer, { path: "/wire" });
    const facts = {
      isServer: io instanceof socketio.Server,
      isNamespace: io.sockets instanceof socketio.Namespace,
      socket: typeof socketio.Socket,
      file: require.resolve("@jackfield/socketio").split(/[\\\\/]/).slice(-2).join("/"),
    };
    ${ROUND_TRIP}`,
  );
  expect(result).toEqual({
    isServer: true,
    isNamespace: true,
    socket: "function",
    file: "socketio/index.cjs",
    sum: 3,
  });
});

test(
  "import gives the names Server, Namespace and Socket (X1, X3)",
  { timeout: 60_000 },
  async () => {
    const result = await evaluate(
      "module",
      E2E,
      `
    import { createServer } from "node:http";
    import { Namespace, Server, Socket } from "@jackfield/socketio";
    import { io as connect } from "socket.io-client";
    const httpServer = createServer();
    const io = new Server(httpServer, { path: "/wire" });
    const facts = {
      isNamespace: io.sockets instanceof Namespace,
      socket: typeof Socket,
      file: import.meta.resolve("@jackfield/socketio").split("/").slice(-3).join("/"),
    };
    ${ROUND_TRIP}`,
    );
    expect(result).toEqual({
      isNamespace: true,
      socket: "function",
      file: "dist/esm/index.js",
      sum: 3,
    });
  },
);

test.for(["@jackfield/parser", "@jackfield/engine-core", "@jackfield/socketio"])(
  "%s has the same names for require() as for import",
  { timeout: 60_000 },
  async (name) => {
    const code = `console.log(JSON.stringify(Object.keys(api).sort()))`;
    const required = await evaluate(
      "commonjs",
      SOCKETIO,
      `const api = require("${name}"); ${code}`,
    );
    const imported = await evaluate("module", SOCKETIO, `import * as api from "${name}"; ${code}`);
    expect(required).toEqual(imported);
    expect(required).not.toEqual([]);
  },
);
