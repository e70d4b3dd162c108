import type { BrokerWatch } from "./broker-watch.js";

type Method = (...args: unknown[]) => unknown;

/**
 * The client of a broker as an adapter sees it: the same object, but promises that the adapter
 * drops, such as those of `publish`, are watched. When the broker dies they are rejected, and a
 * rejection that nobody handles ends the process. The application's own view of its client is
 * untouched.
 */
export function watchedClient<Client extends object>(client: Client, watch: BrokerWatch): Client {
  const methods = new Map<Method, Method>();
  const wrap = (method: Method): Method => {
    const known = methods.get(method);
    if (known !== undefined) return known;
    const wrapped: Method = (...args) => {
      // The client has private members, which its proxy has not.
      const result = Reflect.apply(method, client, args);
      if (result instanceof Promise) watch.watch(result);
      return result === client ? proxy : result;
    };
    methods.set(method, wrapped);
    return wrapped;
  };
  const proxy: Client = new Proxy(client, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      // Adapters tell the kinds of clients by the name of the constructor.
      if (typeof value !== "function" || key === "constructor") return value;
      return wrap(value as Method);
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  return proxy;
}
