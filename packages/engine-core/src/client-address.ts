import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import { OptionsError } from "./errors.js";

/**
 * Which proxies may say where a request comes from:
 * - `false`: none of them, the address is that of the connection;
 * - a number: that many, counted from the server outwards;
 * - addresses, networks (`"10.0.0.0/8"`) or the names `"loopback"`, `"linklocal"` and
 *   `"uniquelocal"`, in a list or separated by commas;
 * - a function, which is asked address by address, from the server outwards.
 */
export type TrustProxy =
  false | number | string | readonly string[] | ((address: string, hop: number) => boolean);

/** Whether the proxy with this address, the `hop`th from the server outwards, is believed. */
export type Trust = (address: string, hop: number) => boolean;

/** What a request is made of, as far as its origin is concerned. */
type AddressedRequest = Pick<IncomingMessage, "headers"> & {
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined;
};

const NETWORKS: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  linklocal: ["169.254.0.0/16", "fe80::/10"],
  uniquelocal: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};

const ACCEPTED =
  'false, a number of proxies, a function, or addresses, networks, "loopback", "linklocal" and "uniquelocal"';

/**
 * Makes the function that the option `trustProxy` stands for.
 *
 * @returns `undefined` when nobody is trusted
 * @throws {OptionsError} ERR_OPTION_VALUE
 */
export function compileTrust(value: unknown): Trust | undefined {
  if (value === undefined || value === false || value === 0) return undefined;
  // One cast: a function of the application has the type that the option says.
  if (typeof value === "function") return value as Trust;
  if (typeof value === "number" && Number.isInteger(value) && value > 0) {
    return (_address, hop) => hop < value;
  }
  const names = typeof value === "string" ? value.split(",") : value;
  if (!Array.isArray(names)) throw new OptionsError("trustProxy", value, ACCEPTED);
  const list = new BlockList();
  for (const name of names) addNetwork(list, name);
  return (address) => {
    const bare = withoutZone(address);
    return isIP(bare) !== 0 && list.check(bare, family(bare));
  };
}

/**
 * The address that a request comes from. `X-Forwarded-For` is read from right to left, for as long
 * as the one who wrote an entry is trusted; what is no address ends the search.
 *
 * @returns an empty string when it is not known
 */
export function clientAddress(req: AddressedRequest, trust: Trust | undefined): string {
  const peer = req.socket?.remoteAddress ?? "";
  if (trust === undefined) return peer;
  let address = plainAddress(peer);
  const forwarded = forwardedFor(req);
  for (let hop = 0; hop < forwarded.length && trust(address, hop); hop += 1) {
    const next = plainAddress(withoutPort(forwarded.at(-1 - hop)?.trim() ?? ""));
    if (isIP(next) === 0) break;
    address = next;
  }
  return address;
}

/**
 * What stands for an address when connections are counted: IPv4 as it is, of IPv6 the network of 64
 * bits, for that is what a single client is given.
 */
export function addressKey(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [left = "", right] = withoutZone(plain).split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const zeros = Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: zeros }, () => "0"), ...tail].slice(0, 4);
  return groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}

function forwardedFor({ headers }: AddressedRequest): string[] {
  const value: string | string[] | undefined = headers["x-forwarded-for"];
  if (value === undefined) return [];
  return (typeof value === "string" ? value : value.join(",")).split(",");
}

/** Without the form that IPv4 addresses have on a socket for IPv6. */
function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

/** Link-local addresses come with the name of an interface: `fe80::1%eth0`. */
function withoutZone(address: string): string {
  return address.replace(/%.*$/, "");
}

/** Some proxies append the port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
function withoutPort(entry: string): string {
  const [, bracketed, bare] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(entry) ?? [];
  return bracketed ?? bare ?? entry;
}

function family(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}

function addNetwork(list: BlockList, name: unknown): void {
  if (typeof name !== "string") throw new OptionsError("trustProxy", name, ACCEPTED);
  const trimmed = name.trim();
  const networks = Object.hasOwn(NETWORKS, trimmed) ? (NETWORKS[trimmed] ?? []) : [trimmed];
  for (const network of networks) {
    const [address = "", prefix, ...rest] = network.split("/");
    const length = prefixLength(address, prefix);
    if (isIP(address) === 0 || rest.length > 0 || length === undefined) {
      throw new OptionsError("trustProxy", name, ACCEPTED);
    }
    list.addSubnet(address, length, family(address));
  }
}

function prefixLength(address: string, prefix: string | undefined): number | undefined {
  const bits = isIP(address) === 6 ? 128 : 32;
  if (prefix === undefined) return bits;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? Number(prefix) : undefined;
}
