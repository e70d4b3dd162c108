import { onCleanup } from "../support/cleanup.js";

const SEPARATOR = "\u001e";

/** A client over HTTP that asks for packets only when told to, so the server has to keep them. */
export class PollingClient {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
    onCleanup(() => this.#post("1"));
  }

  /** Connects to the namespace `/`. The connection is closed after the test. */
  static async connect(port: number): Promise<PollingClient> {
    const url = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`;
    const open = await (await fetch(url)).text();
    const { sid } = JSON.parse(open.slice(1)) as { sid: string };
    const client = new PollingClient(`${url}&sid=${sid}`);
    await client.#post('40{"name":"polling","rooms":[]}');
    const [answer] = await client.poll();
    if (answer?.startsWith("40") !== true) throw new Error(`not connected but: ${answer}`);
    return client;
  }

  /** Asks for packets and resolves with what the server has. */
  async poll(): Promise<string[]> {
    const response = await fetch(this.#url);
    return (await response.text()).split(SEPARATOR);
  }

  async #post(body: string): Promise<void> {
    const response = await fetch(this.#url, { method: "POST", body });
    if (!response.ok) throw new Error(`the server refused: ${await response.text()}`);
  }
}
