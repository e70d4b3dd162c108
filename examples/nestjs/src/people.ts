import { Injectable } from "@nestjs/common";

/** Who is in the chat: an ordinary service, injected where it is needed. */
@Injectable()
export class People {
  readonly #names = new Map<string, string>();

  enter(id: string, name: string): void {
    this.#names.set(id, name);
  }

  leave(id: string): void {
    this.#names.delete(id);
  }

  nameOf(id: string): string | undefined {
    return this.#names.get(id);
  }

  list(): string[] {
    return [...this.#names.values()].sort();
  }
}
