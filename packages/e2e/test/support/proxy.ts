import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { onCleanup } from "./cleanup.js";

/** A TCP proxy that stands for a network that can fail. */
export interface Proxy {
  readonly port: number;
  /** Stops carrying bytes in either direction; the connections stay open, new ones too. */
  stall(): void;
  /** Destroys every connection, and new ones until `mend`. */
  cut(): void;
  /** Carries new connections again. */
  mend(): void;
}

/** Starts a proxy to a local port. It is closed after the test. */
export async function startProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    // A cut connection is what the tests are about.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  };
  let state: "working" | "stalled" | "cut" = "working";
  const server = createServer((near) => {
    keep(near);
    if (state === "cut") {
      near.destroy();
    }
    if (state !== "working") {
      return;
    }
    const far = connect(target, "127.0.0.1");
    keep(far);
    near.pipe(far);
    far.pipe(near);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  });
  const cut = (): void => {
    state = "cut";
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
  onCleanup(() => {
    cut();
    server.close();
  });
  return {
    port,
    cut,
    mend() {
      state = "working";
    },
    stall() {
      state = "stalled";
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
  };
}
