import { PacketType } from "./packet.js";
import { RESERVED_EVENTS } from "./reserved-events.js";

/**
 * Tells whether data that a peer sent has the shape that its packet type demands (behaviours 75
 * and 92). Data that is absent is for the caller to judge.
 */
export function isValidPayload(type: PacketType, data: unknown): boolean {
  switch (type) {
    case PacketType.EVENT:
    case PacketType.BINARY_EVENT:
      return Array.isArray(data) && isEventName(data[0]);
    case PacketType.ACK:
    case PacketType.BINARY_ACK:
      return Array.isArray(data);
    case PacketType.CONNECT:
      return isJsonObject(data);
    case PacketType.CONNECT_ERROR:
      return typeof data === "string" || isJsonObject(data);
    default:
      // A DISCONNECT carries nothing.
      return false;
  }
}

/** Numbers are names, too; so is `error`, although Node's emitters treat it apart (behaviour 91). */
function isEventName(name: unknown): boolean {
  return typeof name === "string" ? !RESERVED_EVENTS.has(name) : typeof name === "number";
}

function isJsonObject(data: unknown): boolean {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}
