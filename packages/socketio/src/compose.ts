import { IdSource, Server as EngineServer, systemClock, TimerWheel } from "@jackfield/engine-core";
import type { HttpServerLike } from "./api.js";
import { ClientFiles } from "./client-files.js";
import type { ServerOptions } from "./options.js";
import { Server, type ServerDeps } from "./server.js";

/** The server with everything it is made of by default. The one place that names the engine. */
export class ComposedServer extends Server {
  constructor(
    target?: HttpServerLike | number | string | ServerOptions,
    options?: ServerOptions,
    deps?: Partial<ServerDeps>,
  ) {
    super(target, options, { ...defaultDeps(), ...deps });
  }
}

function defaultDeps(): ServerDeps {
  const wheel = new TimerWheel(systemClock);
  const ids = new IdSource();
  return {
    clock: systemClock,
    wheel,
    // One wheel serves the engine and the clients.
    createEngine: (options) => new EngineServer(options, { scheduler: wheel }),
    generateId: () => ids.next(),
    createClientFiles: (options) => new ClientFiles(options),
  };
}
