import {
  type ClusterMessage,
  type ClusterResponse,
  type EncodedOptions,
  type Envelope,
  MessageType,
  type ServerId,
} from "./cluster-messages.js";
import type { AdapterPacket } from "./contract.js";

// Whoever reaches the broker can send anything. What is malformed is as good as not sent: the
// functions here return `undefined` for it.

/** An envelope that is in order. Some programs that only send leave out their id. */
export interface Incoming extends Omit<Envelope, "uid"> {
  readonly uid: ServerId | undefined;
  readonly type: MessageType;
}

const TYPES: ReadonlySet<unknown> = new Set(Object.values(MessageType));

/** The envelope of a message from another server about this namespace. */
export function readEnvelope(
  value: unknown,
  self: { readonly uid: ServerId; readonly nsp: string },
): Incoming | undefined {
  if (!isRecord(value)) return undefined;
  const { nsp, type } = value;
  const uid = value["uid"] ?? undefined;
  if (nsp !== self.nsp || uid === self.uid || !TYPES.has(type)) return undefined;
  if (uid !== undefined && typeof uid !== "string") return undefined;
  return { uid, nsp: self.nsp, type: type as MessageType };
}

/** A message to all servers, or to the one that has asked; its envelope was read before. */
export function readMessage(value: unknown): ClusterMessage | ClusterResponse | undefined {
  const { uid, nsp, type, data } = value as Record<string, unknown>;
  const envelope = { uid, nsp } as Envelope;
  const fields = isRecord(data) ? data : {};
  const body = READERS[type as MessageType](type as MessageType, fields, typeof uid === "string");
  return body === undefined ? undefined : ({ ...envelope, ...body } as ClusterMessage);
}

type Body = Record<string, unknown>;

type BodyReader = (type: MessageType, data: Body, isAnswerable: boolean) => object | undefined;

const READERS: Readonly<Record<MessageType, BodyReader>> = {
  [MessageType.INITIAL_HEARTBEAT]: readSign,
  [MessageType.HEARTBEAT]: readSign,
  [MessageType.BROADCAST]: readEvent,
  [MessageType.SOCKETS_JOIN]: readCommand,
  [MessageType.SOCKETS_LEAVE]: readCommand,
  [MessageType.DISCONNECT_SOCKETS]: readCommand,
  [MessageType.FETCH_SOCKETS]: readCommand,
  [MessageType.FETCH_SOCKETS_RESPONSE]: readAnswer,
  [MessageType.SERVER_SIDE_EMIT]: readEvent,
  [MessageType.SERVER_SIDE_EMIT_RESPONSE]: readAnswer,
  [MessageType.BROADCAST_CLIENT_COUNT]: readAnswer,
  [MessageType.BROADCAST_ACK]: readAnswer,
  [MessageType.ADAPTER_CLOSE]: readSign,
};

function readSign(type: MessageType): object {
  return { type };
}

function readEvent(type: MessageType, data: Body, isAnswerable: boolean): object | undefined {
  // Formats that do not know `undefined` make `null` of it.
  const requestId = data["requestId"] ?? undefined;
  if (requestId !== undefined && !(isAnswerable && typeof requestId === "string")) return undefined;
  const request = requestId === undefined ? {} : { requestId };
  if (type === MessageType.SERVER_SIDE_EMIT) {
    const { packet } = data;
    return Array.isArray(packet) ? { type, data: { packet, ...request } } : undefined;
  }
  const opts = readOptions(data["opts"]);
  const packet = readPacket(data["packet"]);
  if (opts === undefined || packet === undefined) return undefined;
  return { type, data: { opts, packet, ...request } };
}

function readCommand(type: MessageType, data: Body, isAnswerable: boolean): object | undefined {
  const opts = readOptions(data["opts"]);
  if (opts === undefined) return undefined;
  const { rooms, requestId, close } = data;
  if (type === MessageType.DISCONNECT_SOCKETS) return { type, data: { opts, close: !!close } };
  if (type === MessageType.FETCH_SOCKETS) {
    return isAnswerable && typeof requestId === "string"
      ? { type, data: { opts, requestId } }
      : undefined;
  }
  return Array.isArray(rooms) ? { type, data: { opts, rooms } } : undefined;
}

function readAnswer(type: MessageType, data: Body): object | undefined {
  const { requestId, packet, sockets, clientCount } = data;
  if (typeof requestId !== "string") return undefined;
  if (type === MessageType.FETCH_SOCKETS_RESPONSE) {
    if (!Array.isArray(sockets)) return undefined;
    return { type, data: { requestId, sockets: sockets.filter(isSocketDetails) } };
  }
  if (type === MessageType.BROADCAST_CLIENT_COUNT) {
    const isCount = Number.isSafeInteger(clientCount) && (clientCount as number) >= 0;
    return isCount ? { type, data: { requestId, clientCount } } : undefined;
  }
  return { type, data: { requestId, packet } };
}

/** Who is meant. Nobody is told everybody: `rooms` has to be there. */
function readOptions(value: unknown): EncodedOptions | undefined {
  if (!isRecord(value)) return undefined;
  const { rooms, except, flags } = value;
  if (!Array.isArray(rooms) || !Array.isArray(except ?? [])) return undefined;
  return { rooms, except: (except ?? []) as string[], flags: isRecord(flags) ? flags : {} };
}

/** A packet of its own: receivers write on it, and brokers in memory hand one to all of them. */
function readPacket(value: unknown): AdapterPacket | undefined {
  if (!isRecord(value)) return undefined;
  const { type, data } = value;
  return typeof type === "number" && Array.isArray(data)
    ? { type, data: [...(data as unknown[])] }
    : undefined;
}

function isSocketDetails(value: unknown): boolean {
  return isRecord(value) && typeof value["id"] === "string" && Array.isArray(value["rooms"]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
