import type { IncomingMessage } from "node:http";
import { codecV4 } from "@jackfield/parser";
import { FakeClock } from "@jackfield/testkit";
import { FlushQueue } from "../src/flush-queue.js";
import { resolveOptions, type ServerOptions } from "../src/options.js";
import { Session, type SessionContext } from "../src/session.js";
import { TimerWheel } from "../src/timer-wheel.js";
import type { Transport } from "../src/transports/transport.js";
import { FakeTransport } from "./fake-transport.js";

/** Runs what `process.nextTick` holds: the flush at the end of the tick. */
export function tick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** A session on a fake transport and a fake clock, not yet open. */
export function makeSession(options: ServerOptions = {}, transport = new FakeTransport()) {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const closed: Session[] = [];
  const context: SessionContext = {
    clock,
    scheduler: new TimerWheel(clock),
    flushQueue: new FlushQueue(),
    options: resolveOptions(options),
    counters: { slowConsumers: 0, droppedMessages: 0 },
    upgrades: () => ["websocket"],
    onFlush: () => {},
    onDrain: () => {},
    onClose: (session) => closed.push(session),
    onHandlerError: (error) => errors.push(error),
  };
  const session = sessionIn(context, transport);
  return { session, transport, clock, errors, closed, context };
}

/** A session of a server that has others. */
export function sessionIn(context: SessionContext, transport: Transport): Session {
  return new Session(context, {
    id: "sid",
    codec: codecV4,
    transport,
    // One cast: of the request, a session only reads the address.
    request: { socket: { remoteAddress: "127.0.0.1" } } as unknown as IncomingMessage,
  });
}

/** The same, open, with the open packet taken off `transport.sent`. */
export function openSession(options: ServerOptions = {}, transport = new FakeTransport()) {
  const made = makeSession(options, transport);
  made.session.open();
  transport.sent.length = 0;
  return made;
}
