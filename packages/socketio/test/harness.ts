import type { EventEmitter } from "node:events";
import {
  FakeClock,
  InMemoryEngine,
  type ConnectOptions,
  type InMemoryEngineOptions,
  type InMemoryPeer,
} from "@jackfield/testkit";
import type { HandlerErrorContext, Server, Socket } from "../src/api.js";
import type { ServerOptions } from "../src/options.js";
import { Server as ServerClass, type ServerDeps } from "../src/server.js";

/** A server on an engine without a network, on a clock that stands still. */
export class Harness {
  readonly clock = new FakeClock();
  readonly engine: InMemoryEngine;
  readonly io: Server;
  /** What was reported as `handler_error`. */
  readonly errors: { readonly error: unknown; readonly context: HandlerErrorContext }[] = [];
  #ids = 0;

  constructor(
    options: ServerOptions = {},
    engineOptions: InMemoryEngineOptions = {},
    deps: Partial<ServerDeps> = {},
  ) {
    this.engine = new InMemoryEngine(engineOptions);
    const allDeps = { ...this.deps(), ...deps };
    this.io = new ServerClass(undefined, options, allDeps) as unknown as Server;
    this.io.bind(this.engine);
    this.io.on("handler_error", (error, context) => {
      this.errors.push({ error, context });
    });
  }

  deps(): ServerDeps {
    return {
      clock: this.clock,
      wheel: { after: (ms, target) => this.clock.setTimeout(() => target.expire(), ms) },
      createEngine: () => new InMemoryEngine(),
      generateId: () => `id${++this.#ids}`,
      createClientFiles: () => ({ has: () => false, handle: () => false }),
    };
  }

  /** A client that has not joined a namespace yet. */
  open(options?: ConnectOptions): InMemoryPeer {
    return this.engine.connect(options);
  }

  /** A client in a namespace. The answer to its CONNECT packet has been taken. */
  join(name = "/", options?: ConnectOptions): { peer: InMemoryPeer; socket: Socket } {
    const peer = this.open(options);
    return { peer, socket: this.joinWith(peer, name) };
  }

  /** Joins a namespace with a client that is there already. */
  joinWith(peer: InMemoryPeer, name = "/"): Socket {
    const known = new Set(this.io.of(name).sockets.keys());
    peer.send(name === "/" ? "0" : `0${name},`);
    peer.take();
    for (const [id, socket] of this.io.of(name).sockets) {
      if (!known.has(id)) return socket;
    }
    throw new Error("the socket was not connected");
  }
}

/** Lets every promise that is settled take effect. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Collects what an emitter emits. */
export function record(emitter: EventEmitter, ...events: string[]): unknown[][] {
  const seen: unknown[][] = [];
  for (const event of events) {
    emitter.on(event, (...args: unknown[]) => void seen.push([event, ...args]));
  }
  return seen;
}

/** Does nothing. */
export function noop(): void {}
