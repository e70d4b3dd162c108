import { connect, type Socket } from "node:net";

/** Header lines in the order and spelling in which they stand on the wire. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** One HTTP request, described down to its header spelling. */
export interface RawRequest {
  /** @default "GET" */
  readonly method?: string;
  /** The request target, query string included, sent as it is. */
  readonly path: string;
  /** Sent after `Host`, in this order and spelling. */
  readonly headers?: HeaderList | Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /**
   * The announced length in bytes. More than the body has leaves the request unfinished; write the rest with
   * {@link RawConnection.write}.
   * @default the length of the body; no header when there is no body
   */
  readonly contentLength?: number;
}

/** A {@link RawRequest} with the port it goes to. */
export interface RawRequestTo extends RawRequest {
  readonly port: number;
}

/** One HTTP response with every byte of it. */
export interface RawResponse {
  /** The first line, without the line break. */
  readonly statusLine: string;
  readonly status: number;
  readonly headers: HeaderList;
  /** The body as UTF-8 text, transfer coding removed. */
  readonly body: string;
  /** The body as bytes, transfer coding removed. */
  readonly bytes: Buffer;
  /** The response as it came over the wire. */
  readonly raw: Buffer;
  /** The values of the header lines of this name (any case), joined with ", "; undefined without such a line. */
  header(name: string): string | undefined;
}

interface Expectation {
  readonly bodiless: boolean;
  resolve(response: RawResponse): void;
  reject(error: Error): void;
}

interface Extent {
  readonly bytes: Buffer;
  readonly end: number;
}

const LINE_BREAK = "\r\n";
const HEAD_END = "\r\n\r\n";
const SEPARATOR = "\x1e";

function isHeaderList(headers: NonNullable<RawRequest["headers"]>): headers is HeaderList {
  return Array.isArray(headers);
}

/** Writes a request down as the bytes that go over the wire. */
export function formatRequest(request: RawRequest): Buffer {
  const { method = "GET", path, headers = [], body } = request;
  const content = Buffer.from(body ?? "");
  const contentLength = request.contentLength ?? (body === undefined ? undefined : content.length);
  const lines = [`${method} ${path} HTTP/1.1`, "Host: localhost"];
  for (const [name, value] of isHeaderList(headers) ? headers : Object.entries(headers)) {
    lines.push(`${name}: ${value}`);
  }
  if (contentLength !== undefined) {
    lines.push(`Content-Length: ${contentLength}`);
  }
  // latin1, so that a test can send any byte in a header.
  return Buffer.concat([Buffer.from(lines.join(LINE_BREAK) + HEAD_END, "latin1"), content]);
}

function chunkedBody(wire: Buffer, start: number): Extent | undefined {
  const chunks: Buffer[] = [];
  let position = start;
  for (;;) {
    const lineEnd = wire.indexOf(LINE_BREAK, position);
    if (lineEnd === -1) {
      return undefined;
    }
    const size = Number.parseInt(wire.toString("latin1", position, lineEnd), 16);
    const data = lineEnd + LINE_BREAK.length;
    position = data + size + LINE_BREAK.length;
    if (position > wire.length) {
      return undefined;
    }
    if (size === 0) {
      return { bytes: Buffer.concat(chunks), end: position };
    }
    chunks.push(wire.subarray(data, data + size));
  }
}

function bodyOf(
  wire: Buffer,
  start: number,
  header: RawResponse["header"],
  hasEnded: boolean,
): Extent | undefined {
  if (header("transfer-encoding") === "chunked") {
    return chunkedBody(wire, start);
  }
  const announced = header("content-length");
  if (announced === undefined) {
    return hasEnded ? { bytes: wire.subarray(start), end: wire.length } : undefined;
  }
  const end = start + Number(announced);
  return end <= wire.length ? { bytes: wire.subarray(start, end), end } : undefined;
}

/**
 * Reads the first response out of `wire`; undefined while it is not complete.
 *
 * `bodiless` says that no body follows whatever the headers say (an answer to HEAD), `hasEnded` that no more bytes
 * will come, which ends a body without a length.
 */
export function parseResponse(
  wire: Buffer,
  { bodiless = false, hasEnded = false }: { bodiless?: boolean; hasEnded?: boolean } = {},
): RawResponse | undefined {
  const headEnd = wire.indexOf(HEAD_END);
  if (headEnd === -1) {
    return undefined;
  }
  const [statusLine = "", ...lines] = wire.toString("latin1", 0, headEnd).split(LINE_BREAK);
  const status = Number(statusLine.split(" ")[1]);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const header = (name: string): string | undefined => {
    const values = headers.filter(([key]) => key.toLowerCase() === name.toLowerCase());
    return values.length === 0 ? undefined : values.map(([, value]) => value).join(", ");
  };
  const start = headEnd + HEAD_END.length;
  const isEmpty = bodiless || status < 200 || status === 204 || status === 304;
  const extent = isEmpty
    ? { bytes: Buffer.alloc(0), end: start }
    : bodyOf(wire, start, header, hasEnded);
  if (extent === undefined) {
    return undefined;
  }
  const { bytes, end } = extent;
  const raw = wire.subarray(0, end);
  return { statusLine, status, headers, body: bytes.toString("utf8"), bytes, raw, header };
}

/** One TCP connection over which a test speaks HTTP byte by byte. */
export class RawConnection {
  /** Resolves with all bytes ever received once the connection is gone, however it went. */
  readonly closed: Promise<Buffer>;
  readonly #socket: Socket;
  readonly #received: Buffer[] = [];
  readonly #expected: Expectation[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #isClosed = false;

  /** Starts connecting to a port of this machine; what is written before that succeeds is kept. */
  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#settle(false);
    });
    // A reset is one of the ways to be closed; `closed` reports it.
    this.#socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      this.#socket.on("close", () => {
        this.#isClosed = true;
        this.#settle(true);
        resolve(this.received);
      });
    });
  }

  /** All bytes received so far. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Whether both directions of the connection are gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends bytes as they are. */
  write(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  /**
   * Sends a request and resolves with its response. Rejects when the connection goes before the response is complete;
   * that rejection may be ignored.
   */
  request(request: RawRequest): Promise<RawResponse> {
    const response = this.nextResponse({ bodiless: request.method === "HEAD" });
    this.write(formatRequest(request));
    return response;
  }

  /** Resolves with the next response that nobody waits for yet; see {@link RawConnection.request}. */
  nextResponse({ bodiless = false }: { bodiless?: boolean } = {}): Promise<RawResponse> {
    const response = new Promise<RawResponse>((resolve, reject) => {
      this.#expected.push({ bodiless, resolve, reject });
    });
    // A test that aborts its own request does not have to look at what becomes of the response.
    response.catch(() => {});
    this.#settle(this.#isClosed);
    return response;
  }

  /** Says that nothing more will be sent. */
  end(): void {
    this.#socket.end();
  }

  /** Closes the connection at once, without waiting for anything. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** The same with a reset, which the peer sees as an error. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  #settle(hasEnded: boolean): void {
    for (let next = this.#expected[0]; next !== undefined; next = this.#expected[0]) {
      const response = parseResponse(this.#unread, { bodiless: next.bodiless, hasEnded });
      if (response !== undefined) {
        this.#unread = this.#unread.subarray(response.raw.length);
        next.resolve(response);
      } else if (hasEnded) {
        const text = JSON.stringify(this.#unread.toString("latin1"));
        next.reject(new Error(`connection closed before a complete response, unread: ${text}`));
      } else {
        return;
      }
      this.#expected.shift();
    }
  }
}

/** Sends one request over a connection of its own and closes that connection after the response. */
export async function rawRequest(request: RawRequestTo): Promise<RawResponse> {
  const connection = new RawConnection(request.port);
  try {
    return await connection.request(request);
  } finally {
    connection.destroy();
  }
}

/** What the server says in an Engine.IO open packet (Engine.IO v4, "Handshake"). */
export interface OpenData {
  readonly sid: string;
  readonly upgrades: readonly string[];
  /** In ms. */
  readonly pingInterval: number;
  /** In ms. */
  readonly pingTimeout: number;
  /** In bytes. */
  readonly maxPayload: number;
}

/** How a polling session reaches its server. */
export interface PollingOptions {
  /** @default "/engine.io/" */
  readonly path?: string;
  /** What follows the `?`, without the sid. @default "EIO=4&transport=polling" */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that has been sent and whose answer is still to come. */
export interface PendingRequest {
  readonly connection: RawConnection;
  /** Rejects when the connection goes before the response is complete; may be ignored. */
  readonly response: Promise<RawResponse>;
}

/** Splits an Engine.IO v4 payload into its encoded packets (Engine.IO v4, "Packet encoding"). */
export function splitPayload(payload: string): string[] {
  return payload.split(SEPARATOR);
}

/** Joins encoded packets to an Engine.IO v4 payload (Engine.IO v4, "Packet encoding"). */
export function joinPayload(...packets: readonly string[]): string {
  return packets.join(SEPARATOR);
}

/** Reads the data of an encoded Engine.IO open packet. */
export function parseOpen(packet: string): OpenData {
  if (!packet.startsWith("0{")) {
    throw new Error(`not an open packet: ${packet}`);
  }
  const data: OpenData = JSON.parse(packet.slice(1));
  return data;
}

/** A polling session driven by hand: it polls and posts only when told to. */
export class RawPolling {
  readonly port: number;
  readonly sid: string;
  readonly open: OpenData;
  /** The response to the handshake. */
  readonly handshake: RawResponse;
  /** The request target of the session: path, query and sid. */
  readonly target: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** See {@link pollingHandshake}, which makes these. */
  constructor(port: number, handshake: RawResponse, target: string, options: PollingOptions = {}) {
    this.port = port;
    this.handshake = handshake;
    this.open = parseOpen(splitPayload(handshake.body)[0] ?? "");
    this.sid = this.open.sid;
    this.target = `${target}&sid=${this.sid}`;
    this.#headers = options.headers ?? {};
  }

  /** Sends a GET and waits for what the server has to say. */
  poll(): Promise<RawResponse> {
    return rawRequest({ port: this.port, path: this.target, headers: this.#headers });
  }

  /** Sends a GET over a connection of its own and returns at once. */
  startPoll(): PendingRequest {
    return this.start({});
  }

  /** Sends a payload with POST and waits for the answer; `headers` defaults to a text content type. */
  post(
    payload: Buffer | string,
    headers: Readonly<Record<string, string>> = { "Content-Type": "text/plain;charset=UTF-8" },
  ): Promise<RawResponse> {
    return rawRequest({
      port: this.port,
      method: "POST",
      path: this.target,
      headers: { ...this.#headers, ...headers },
      body: payload,
    });
  }

  /** Sends any request for this session over a connection of its own and returns at once. */
  start(request: Omit<RawRequest, "path">): PendingRequest {
    const connection = new RawConnection(this.port);
    const response = connection.request({
      ...request,
      path: this.target,
      headers: request.headers ?? this.#headers,
    });
    return { connection, response };
  }
}

/** Opens a polling session. Throws when the server refuses the handshake. */
export async function pollingHandshake(
  port: number,
  options: PollingOptions = {},
): Promise<RawPolling> {
  const { path = "/engine.io/", query = "EIO=4&transport=polling", headers = {} } = options;
  const target = `${path}?${query}`;
  const handshake = await rawRequest({ port, path: target, headers });
  if (handshake.status !== 200) {
    throw new Error(`handshake refused: ${handshake.statusLine} ${handshake.body}`);
  }
  return new RawPolling(port, handshake, target, options);
}
