import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** The running example chat. */
export interface Chat {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

// A plain JavaScript file has no types to import; with a variable, none are looked for.
const serverUrl = new URL("../../../../examples/chat/server.js", import.meta.url).href;

/** Starts the example chat on a free port, or on `port`; the end of the test stops it. */
export async function startChat(port = 0): Promise<Chat> {
  const { createChat } = (await import(serverUrl)) as {
    createChat: (init: { port: number; host: string }) => Promise<Chat>;
  };
  const chat = await createChat({ port, host: "localhost" });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= chat.close());
  onTestFinished(close);
  return { port: chat.port, url: chat.url, close };
}

/** A TCP proxy whose connections a test can break. */
export interface Cable {
  readonly url: string;
  /** Breaks all connections, and every new one until {@link Cable.plug}. */
  pull(): void;
  plug(): void;
}

/** Puts a cable between a browser and the chat; the end of the test removes it. */
export async function startCable(chat: Chat): Promise<Cable> {
  const ends = new Set<Socket>();
  let isPulled = false;
  const join = (from: Socket, to: Socket): void => {
    ends.add(from);
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      ends.delete(from);
      to.destroy();
    });
  };
  const pull = (): void => {
    isPulled = true;
    for (const end of ends) end.destroy();
  };
  const proxy = createServer((near) => {
    if (isPulled) {
      near.destroy();
      return;
    }
    const far = connect(chat.port, "localhost");
    join(near, far);
    join(far, near);
  });
  proxy.listen(0, "localhost");
  await once(proxy, "listening");
  onTestFinished(() => {
    pull();
    proxy.close();
  });
  return {
    url: `http://localhost:${(proxy.address() as AddressInfo).port}`,
    pull,
    plug() {
      isPulled = false;
    },
  };
}
