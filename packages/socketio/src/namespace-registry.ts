import createDebug from "debug";
import type { AnyListener, HandlerErrorContext, NamespaceFunction } from "./api.js";
import { dispatch } from "./events/dispatch.js";
import { isThenable } from "./handler-error.js";
import { Namespace, type NamespaceDeps } from "./namespace.js";
import { ParentNamespace } from "./parent-namespace.js";

const debug = createDebug("socket.io:server");

/** What the registry needs to know. */
export interface NamespaceRegistryInit {
  readonly cleanupEmptyChildNamespaces: boolean;
}

/** The namespaces of one server: the fixed ones, and those that appear when a client asks. */
export class NamespaceRegistry {
  readonly namespaces: Map<string, Namespace> = new Map();
  /** The namespace `/`. */
  readonly main: Namespace;
  readonly #deps: NamespaceDeps;
  readonly #init: NamespaceRegistryInit;
  /** In the order in which they were made, which is the order in which they are asked (N16). */
  readonly #parents: Map<NamespaceFunction, ParentNamespace> = new Map();
  readonly #patterns: { readonly pattern: RegExp; readonly parent: ParentNamespace }[] = [];
  #parentCount = 0;

  constructor(deps: NamespaceDeps, init: NamespaceRegistryInit) {
    this.#deps = deps;
    this.#init = init;
    this.main = new Namespace("/", deps);
    this.namespaces.set("/", this.main);
  }

  /** The namespace of this name, or the parent of those that a pattern or a function admits. */
  of(name: string | RegExp | NamespaceFunction, listener?: AnyListener): Namespace {
    const namespace = typeof name === "string" ? this.#named(name) : this.#createParent(name);
    if (listener !== undefined) namespace.on("connect", listener);
    return namespace;
  }

  /**
   * Finds the namespace that a client asks for, or makes it if a pattern or a function admits it.
   * `undefined` when none does.
   */
  find(
    name: string,
    auth: Record<string, unknown>,
    onFound: (namespace: Namespace | undefined) => void,
  ): void {
    const namespace = this.namespaces.get(name);
    if (namespace !== undefined) onFound(namespace);
    else this.#ask([...this.#parents], { name, auth, onFound });
  }

  #named(name: string): Namespace {
    const path = name.startsWith("/") ? name : `/${name}`;
    const existing = this.namespaces.get(path);
    if (existing !== undefined) return existing;
    for (const { pattern, parent } of this.#patterns) {
      if (matches(pattern, path)) return this.#addChild(parent, path);
    }
    return this.#announce(new Namespace(path, this.#deps));
  }

  #createParent(name: RegExp | NamespaceFunction): ParentNamespace {
    const parent = new ParentNamespace(`/_${this.#parentCount++}`, this.#deps, {
      cleanupEmptyChildren: this.#init.cleanupEmptyChildNamespaces,
      onChildClosed: (child) => this.namespaces.delete(child.name),
    });
    if (typeof name === "function") {
      this.#parents.set(name, parent);
      return parent;
    }
    // A copy: with the flags `g` and `y` patterns remember where they stopped (FIX 83).
    const pattern = new RegExp(name.source, name.flags.replace("g", ""));
    this.#patterns.push({ pattern, parent });
    this.#parents.set((path, _auth, next) => next(null, matches(pattern, path)), parent);
    return parent;
  }

  /** Asks one parent after the other; the first that admits the name gets the child. */
  #ask(
    parents: readonly (readonly [NamespaceFunction, ParentNamespace])[],
    question: NamespaceQuestion,
  ): void {
    const [first, ...others] = parents;
    if (first === undefined) {
      question.onFound(undefined);
      return;
    }
    const [admits, parent] = first;
    const { name, auth, onFound } = question;
    let isAnswered = false;
    const next = (error: unknown, allow?: boolean): void => {
      if (isAnswered) return;
      isAnswered = true;
      if (error || !allow) this.#ask(others, question);
      // Somebody else may have asked for the same name meanwhile.
      else onFound(this.namespaces.get(name) ?? this.#tryAddChild(parent, name));
    };
    const fail = (error: unknown): void => {
      const context: HandlerErrorContext = { source: "namespace function", nsp: name };
      this.#deps.errors.report(error, context);
      next(error ?? true);
    };
    try {
      const result: unknown = admits(name, auth, next);
      if (isThenable(result)) result.then(undefined, fail);
    } catch (error) {
      fail(error);
    }
  }

  /** A child for a client, who is refused if the application's adapter cannot be made. */
  #tryAddChild(parent: ParentNamespace, name: string): Namespace | undefined {
    try {
      return this.#addChild(parent, name);
    } catch (error) {
      this.#deps.errors.report(error, { source: "adapter", nsp: name });
      return undefined;
    }
  }

  #addChild(parent: ParentNamespace, name: string): Namespace {
    return this.#announce(parent.createChild(name));
  }

  #announce(namespace: Namespace): Namespace {
    debug("namespace %s was created", namespace.name);
    this.namespaces.set(namespace.name, namespace);
    dispatch(this.main, "new_namespace", [namespace], "listener");
    return namespace;
  }
}

interface NamespaceQuestion {
  readonly name: string;
  readonly auth: Record<string, unknown>;
  readonly onFound: (namespace: Namespace | undefined) => void;
}

function matches(pattern: RegExp, path: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(path);
}
