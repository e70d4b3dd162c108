import { once } from "node:events";
import {
  type OpenData,
  OPCODE,
  parseOpen,
  type PendingRequest,
  RawConnection,
  rawRequest,
  type RawResponse,
  RawWebSocket,
} from "@jackfield/testkit";
import { expect } from "vitest";
import { makeEngine, PATH, type SessionUnderTest, type Subject } from "../engine-wire/subject.js";

/** The request target of a polling handshake in version 3. */
export const POLLING_V3 = `${PATH}?EIO=3&transport=polling`;

/** The request target of a WebSocket handshake in version 3. */
export const WEBSOCKET_V3 = `${PATH}?EIO=3&transport=websocket`;

/** Starts an engine that admits clients of version 3. */
export function makeEngineV3(options: object = {}): Promise<Subject> {
  return makeEngine({ allowEIO3: true, ...options });
}

/** Writes packets down as a payload of text: each after its length in UTF-16 code units. */
export function payloadV3(...packets: readonly string[]): string {
  return packets.map((packet) => `${packet.length}:${packet}`).join("");
}

/**
 * Writes packets down as a binary payload: 0 for text and 1 for bytes, the length in bytes as decimal
 * digits, ff, the packet.
 */
export function binaryPayloadV3(...packets: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat(
    packets.map((packet) => {
      const bytes = Buffer.from(packet);
      const digits = Array.from(String(bytes.length), Number);
      return Buffer.concat([
        Buffer.from([typeof packet === "string" ? 0 : 1, ...digits, 0xff]),
        bytes,
      ]);
    }),
  );
}

/** A polling client of version 3 driven by hand: it polls and posts only when told to. */
export class PollingV3 {
  readonly port: number;
  readonly handshake: RawResponse;
  readonly open: OpenData;
  readonly sid: string;
  /** The request target of the session. */
  readonly target: string;

  constructor(port: number, handshake: RawResponse, target: string) {
    this.port = port;
    this.handshake = handshake;
    const [length = ""] = handshake.body.split(":", 1);
    this.open = parseOpen(handshake.body.slice(length.length + 1).slice(0, Number(length)));
    this.sid = this.open.sid;
    this.target = `${target}&sid=${this.sid}`;
  }

  /** Sends a GET and waits for what the server has to say. */
  poll(): Promise<RawResponse> {
    return rawRequest({ port: this.port, path: this.target });
  }

  /** Sends a GET over a connection of its own and returns at once. */
  startPoll(): PendingRequest {
    const connection = new RawConnection(this.port);
    return { connection, response: connection.request({ path: this.target }) };
  }

  /** Sends a payload with POST, with the content type that the clients use for it. */
  post(payload: Buffer | string, contentType?: string): Promise<RawResponse> {
    const byKind =
      typeof payload === "string" ? "text/plain;charset=UTF-8" : "application/octet-stream";
    return rawRequest({
      port: this.port,
      method: "POST",
      path: this.target,
      headers: { "Content-Type": contentType ?? byKind },
      body: payload,
    });
  }
}

/** A polling client of version 3 and the server's end of its session. */
export interface PollingPairV3 {
  readonly client: PollingV3;
  readonly session: SessionUnderTest;
}

/** Opens a polling session; `query` is added to the request target. */
export async function openPollingV3({ engine, port }: Subject, query = ""): Promise<PollingPairV3> {
  const connected = once(engine, "connection");
  const target = POLLING_V3 + query;
  const handshake = await rawRequest({ port, path: target });
  expect(handshake.status).toBe(200);
  const client = new PollingV3(port, handshake, target);
  const [session] = (await connected) as [SessionUnderTest];
  return { client, session };
}

/** A WebSocket client of version 3 and the server's end of its session. */
export interface WebSocketPairV3 {
  readonly client: RawWebSocket;
  readonly session: SessionUnderTest;
  readonly open: OpenData;
}

/** Opens a session directly over WebSocket and takes its open packet. */
export async function openWebSocketV3(
  { engine, port }: Subject,
  query = "",
): Promise<WebSocketPairV3> {
  const connected = once(engine, "connection");
  const client = await RawWebSocket.connect({ port, path: WEBSOCKET_V3 + query });
  const [session] = (await connected) as [SessionUnderTest];
  return { client, session, open: parseOpen(await client.nextText()) };
}

/** Opens a WebSocket for a session and takes it through the probe. */
export async function probeV3({ port }: Subject, sid: string): Promise<RawWebSocket> {
  const candidate = await RawWebSocket.connect({ port, path: `${WEBSOCKET_V3}&sid=${sid}` });
  candidate.send("2probe");
  expect(await candidate.nextText()).toBe("3probe");
  return candidate;
}

/** Opens a polling session and takes it to WebSocket. */
export async function openUpgradedV3(subject: Subject): Promise<WebSocketPairV3> {
  const { client, session } = await openPollingV3(subject);
  const candidate = await probeV3(subject, client.sid);
  const upgraded = once(session, "upgrade");
  candidate.send("5");
  await upgraded;
  return { client: candidate, session, open: client.open };
}

/** Shows that a polling session works in both directions and that nothing else was waiting for the client. */
export async function expectAliveV3({ client, session }: PollingPairV3): Promise<void> {
  const arrived = once(session, "message");
  expect((await client.post("4:4ask")).body).toBe("ok");
  expect(await arrived).toEqual(["ask"]);
  session.send("answer");
  expect((await client.poll()).body).toBe("7:4answer");
}

/** Resolves with the bytes of the next frame, which has to be a complete binary message. */
export async function nextBytes(client: RawWebSocket): Promise<Buffer> {
  const { opcode, fin, payload } = await client.nextFrame();
  expect({ opcode, fin }).toEqual({ opcode: OPCODE.binary, fin: true });
  return payload;
}
