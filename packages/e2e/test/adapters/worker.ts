import { createAdapter } from "@socket.io/cluster-adapter";
import { Server } from "socket.io";
import { Server as SubjectServer } from "@jackfield/socketio";
import { type Actions, startHost } from "./host.js";
import { HEARTBEAT_MS, type Call, MESSAGE_SOURCE, type Reply } from "./worker-messages.js";

// The process of one server of a node:cluster.

const { NODE_NAME = "", NODE_KIND } = process.env;
const Implementation =
  NODE_KIND === "official" ? Server : (SubjectServer as unknown as typeof Server);
const adapter = createAdapter({ heartbeatInterval: HEARTBEAT_MS });
const host = await startHost(Implementation, NODE_NAME, adapter);

process.on("message", (message: Partial<Call>) => {
  // The adapter gets its messages the same way.
  if (message.source === MESSAGE_SOURCE) void answer(message as Call);
});
send({ source: MESSAGE_SOURCE, port: host.port });

async function answer({ id, action, args }: Call): Promise<void> {
  try {
    const value =
      action === "close"
        ? await host.close()
        : await (host.actions[action as keyof Actions] as (...args: unknown[]) => unknown)(...args);
    send({ source: MESSAGE_SOURCE, id, value });
    if (action === "close") process.disconnect();
  } catch (error) {
    send({ source: MESSAGE_SOURCE, id, error: String(error) });
  }
}

function send(reply: Reply): void {
  process.send?.(reply);
}
