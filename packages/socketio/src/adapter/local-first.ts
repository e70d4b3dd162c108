import { PacketType } from "@jackfield/parser";
import type { BrokerWatch } from "./broker-watch.js";
import { ClusterDeliveries } from "./cluster-deliveries.js";
import type { ClusterHost } from "./cluster-host.js";
import {
  type ClusterMessageBody,
  encodeOptions,
  MessageType,
  type Offset,
} from "./cluster-messages.js";
import type { Adapter, AdapterPacket, BroadcastOptions } from "./contract.js";

/** An adapter that extends the class `ClusterAdapter` of the package `socket.io-adapter`. */
interface PublishingAdapter extends Adapter {
  /** Hands a message to the other servers. */
  publishAndReturnOffset(message: ClusterMessageBody): Promise<Offset>;
}

const COMMANDS = ["broadcast", "addSockets", "delSockets", "disconnectSockets"] as const;

type Commands = Pick<Adapter, (typeof COMMANDS)[number]>;

/**
 * Makes the commands of an adapter that extends `ClusterAdapter` take effect on this server at once
 * (FIX 126). `ClusterAdapter` waits until the broker has taken the message for the others, which
 * may be never. Adapters that do it in their own way are left alone.
 */
export function deliverFirst(adapter: Adapter, host: ClusterHost, watch: BrokerWatch): void {
  const local = localCommands(adapter);
  if (local === undefined) return;
  const publishing = adapter as PublishingAdapter;
  watchPublishing(publishing, watch);
  const publish = (message: ClusterMessageBody): Promise<Offset> => {
    try {
      return publishing.publishAndReturnOffset(message).catch(() => "");
    } catch (error) {
      host.handlerFailed(error, "adapter");
      return Promise.resolve("");
    }
  };
  override(adapter, { local, publish, deliveries: new ClusterDeliveries(host) });
}

/** The commands of the class that `ClusterAdapter` extends, which knows this server alone. */
function localCommands(adapter: Adapter): Commands | undefined {
  let owner = Object.getPrototypeOf(adapter) as Commands | null;
  while (owner !== null && !Object.hasOwn(owner, "publishAndReturnOffset")) {
    owner = Object.getPrototypeOf(owner) as Commands | null;
  }
  const found = owner;
  if (found === null || COMMANDS.some((name) => adapter[name] !== found[name])) return undefined;
  return Object.getPrototypeOf(found) as Commands;
}

/** Everything that is published passes here, requests and heartbeats included. */
function watchPublishing(adapter: PublishingAdapter, watch: BrokerWatch): void {
  const publish = adapter.publishAndReturnOffset.bind(adapter);
  adapter.publishAndReturnOffset = (message) => {
    const published = publish(message);
    watch.watch(published);
    return published;
  };
}

interface Means {
  readonly local: Commands;
  readonly deliveries: ClusterDeliveries;
  /** Never rejects. */
  readonly publish: (message: ClusterMessageBody) => Promise<Offset>;
}

function override(adapter: Adapter, { local, deliveries, publish }: Means): void {
  const everywhere = (
    message: ClusterMessageBody,
    { flags }: BroadcastOptions,
    here: () => void,
  ): void => {
    if (flags?.local !== true) void publish(message);
    deliveries.run(here);
  };
  adapter.broadcast = (packet, options) => {
    const here = local.broadcast.bind(adapter);
    // A packet of its own: delivering writes on the other one.
    const message: ClusterMessageBody = {
      type: MessageType.BROADCAST,
      data: { packet: { ...packet }, opts: encodeOptions(options) },
    };
    if (!needsOffset(adapter, packet, options)) {
      everywhere(message, options, () => here(packet, options));
      return;
    }
    void deliveries.runWithOffset(publish(message), (offset) => {
      // An adapter without a log has nothing to offer, and an argument more would be seen.
      const data = offset ? [...packet.data, offset] : packet.data;
      here({ ...packet, data }, options);
    });
  };
  adapter.addSockets = (options, rooms) => {
    const data = { opts: encodeOptions(options), rooms };
    const here = local.addSockets.bind(adapter);
    everywhere({ type: MessageType.SOCKETS_JOIN, data }, options, () => here(options, rooms));
  };
  adapter.delSockets = (options, rooms) => {
    const data = { opts: encodeOptions(options), rooms };
    const here = local.delSockets.bind(adapter);
    everywhere({ type: MessageType.SOCKETS_LEAVE, data }, options, () => here(options, rooms));
  };
  adapter.disconnectSockets = (options, close) => {
    const data = { opts: encodeOptions(options), close };
    const here = local.disconnectSockets.bind(adapter);
    everywhere({ type: MessageType.DISCONNECT_SOCKETS, data }, options, () => here(options, close));
  };
}

/** Whether the broker keeps the packet for clients that come back, who name its offset. */
function needsOffset(
  adapter: Adapter,
  { type, id }: AdapterPacket,
  { flags }: BroadcastOptions,
): boolean {
  if (!adapter.nsp.server.opts.connectionStateRecovery) return false;
  const isForAll = flags?.local !== true && flags?.volatile !== true;
  return isForAll && type === PacketType.EVENT && id === undefined;
}
