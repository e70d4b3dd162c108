import { readFile } from "node:fs/promises";
import { X509Certificate, createHash } from "node:crypto";
import type { ReadableStream, WritableStream } from "node:stream/web";

/** A bidirectional stream, as the W3C has it. */
export interface QuicStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** A session, as the W3C has it. */
export interface QuicSession {
  readonly ready: Promise<unknown>;
  readonly closed: Promise<unknown>;
  readonly incomingBidirectionalStreams: ReadableStream<QuicStream>;
  createBidirectionalStream(): Promise<QuicStream>;
  close(): void;
}

/** Options of the client, by which it takes a certificate that nobody signed. */
export interface QuicClientOptions {
  readonly serverCertificateHashes: readonly {
    readonly algorithm: "sha-256";
    readonly value: Uint8Array;
  }[];
}

/** A client that asks for a session. */
export interface QuicRequest {
  readonly url: Promise<string>;
  ok(): Promise<QuicSession>;
}

/** An HTTP/3 server. */
export interface QuicServer {
  /** Resolves with `null` once the server is closed. */
  accept(): Promise<QuicRequest | null>;
  close(): void;
}

/** What is used of the binding. */
interface Binding {
  readonly default: new (url: string, options: QuicClientOptions) => QuicSession;
  readonly Server: {
    bind(address: string, certificate: Buffer, key: Buffer): QuicServer;
  };
}

// Node.js 20 does not have it, and the binding counts on it.
(Promise as unknown as { withResolvers: unknown }).withResolvers ??= (): object => {
  const result: Record<string, unknown> = {};
  result["promise"] = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  return result;
};

// The bundle of the binding and the certificate lie beside the bundle of this file.
const besides = (name: string): URL => new URL(name, import.meta.url);
const binding = (await import(besides("quic.mjs").href)) as Binding;
const certificate = await readFile(besides("cert.pem"));
const key = await readFile(besides("key.pem"));

/** What the clients know the server by. */
export const certificateHash: Buffer = createHash("sha256")
  .update(new X509Certificate(certificate).raw)
  .digest();

export const clientOptions: QuicClientOptions = {
  serverCertificateHashes: [{ algorithm: "sha-256", value: certificateHash }],
};

/** Starts an HTTP/3 server on a UDP port of the loopback interface. */
export function startQuicServer(port: number): QuicServer {
  return binding.Server.bind(`127.0.0.1:${port}`, certificate, key);
}

/** Opens a session; `ready` and `closed` may be left alone when they are rejected. */
export function openQuicSession(port: number): QuicSession {
  const session = new binding.default(`https://127.0.0.1:${port}/engine.io/`, clientOptions);
  session.ready.catch(() => {});
  session.closed.catch(() => {});
  return session;
}

// The Engine.IO client looks for it there.
(globalThis as { WebTransport?: unknown }).WebTransport = binding.default;
