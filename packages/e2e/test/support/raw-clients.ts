import { WebSocket } from "ws";
import { onCleanup } from "./cleanup.js";

/** A frame as it came: text, or the bytes of a binary frame. */
export type Frame = string | Buffer;

/** How a WebSocket ended. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket that speaks Engine.IO by hand: frames are sent and read as they are on the wire. */
export class RawClient {
  /** What the server announced in the open packet. */
  readonly handshake: Record<string, unknown>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<Closing>;
  readonly #ws: WebSocket;
  readonly #frames: Frame[];
  readonly #waiting: { resolve(frame: Frame): void; reject(error: Error): void }[] = [];
  #over = false;

  /** Opens a connection and reads the open packet. It is cut after the test. */
  static async open(port: number, query = ""): Promise<RawClient> {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket${query}`);
    onCleanup(() => ws.terminate());
    const frames: Frame[] = [];
    const opened = await new Promise<Frame>((resolve, reject) => {
      ws.once("error", reject);
      ws.once("message", (data: Buffer, isBinary) => {
        ws.off("error", reject);
        resolve(isBinary ? data : data.toString());
        ws.on("message", (more: Buffer, binary) => frames.push(binary ? more : more.toString()));
      });
    });
    return new RawClient(ws, opened, frames);
  }

  private constructor(ws: WebSocket, opened: Frame, frames: Frame[]) {
    this.#ws = ws;
    this.#frames = frames;
    this.handshake = JSON.parse(opened.toString().slice(1)) as Record<string, unknown>;
    ws.on("error", () => ws.terminate());
    ws.on("message", () => this.#deliver());
    this.closed = new Promise((resolve) => {
      ws.once("close", (code, reason) => {
        this.#over = true;
        this.#deliver();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** Sends one frame. */
  send(frame: Frame): void {
    this.#ws.send(frame);
  }

  /** The next frame; rejects when the connection closes before there is one. */
  next(): Promise<Frame> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#deliver();
    });
  }

  /** Joins a namespace (default `/`) and resolves with the id of the socket. */
  async join(nsp = "/"): Promise<string> {
    const prefix = nsp === "/" ? "40" : `40${nsp},`;
    this.send(prefix);
    const answer = await this.next();
    if (typeof answer !== "string" || !answer.startsWith(`${prefix}{`)) {
      throw new Error(`expected a CONNECT packet, got ${String(answer)}`);
    }
    const { sid } = JSON.parse(answer.slice(prefix.length)) as { sid: string };
    return sid;
  }

  /**
   * Asks the server (see `answerRoundTrips`) and resolves with the frames that came before its
   * answer: whatever the server sent before, and nothing that it did not send.
   */
  async roundTrip(nsp = "/"): Promise<Frame[]> {
    const prefix = nsp === "/" ? "" : `${nsp},`;
    this.send(`42${prefix}777["round trip"]`);
    const before: Frame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame === `43${prefix}777[]`) {
        return before;
      }
      before.push(frame);
    }
  }

  /** Resets the TCP connection without a close frame. */
  cut(): void {
    this.#ws.terminate();
  }

  /** Sends a close frame. */
  close(code?: number): void {
    this.#ws.close(code);
  }

  /** Stops reading from the connection. */
  pause(): void {
    this.#ws.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#ws.resume();
  }

  #deliver(): void {
    while (this.#waiting.length > 0) {
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        this.#waiting.shift()?.resolve(frame);
      } else if (this.#over) {
        this.#waiting.shift()?.reject(new Error("the connection was closed"));
      } else {
        return;
      }
    }
  }
}

/** HTTP long-polling by hand: every request is made by the test. */
export class RawPolling {
  readonly #url: string;

  /** Opens a session. */
  static async open(port: number): Promise<RawPolling> {
    const url = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`;
    const body = await (await fetch(url)).text();
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    return new RawPolling(`${url}&sid=${sid}`);
  }

  private constructor(url: string) {
    this.#url = url;
  }

  /** One poll; resolves with the packets of the answer. */
  async poll(): Promise<string[]> {
    const response = await fetch(this.#url);
    return (await response.text()).split("\u001e");
  }

  /** Sends packets; resolves with the status of the answer. */
  async post(...packets: string[]): Promise<number> {
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "text/plain;charset=UTF-8" },
      body: packets.join("\u001e"),
    });
    await response.arrayBuffer();
    return response.status;
  }
}
