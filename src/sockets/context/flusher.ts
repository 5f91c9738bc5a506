import type { Environment } from "../../runtime/environment.ts";
import { throwUncaught } from "../../runtime/uncaught.ts";

export interface Flushable {
  flush(): void;
}

/**
 * Writes out, once at the end of the turn, what was sent during it: a loop of `await send()` becomes a few large writes,
 * and a lone `send()` still leaves at once.
 */
export class Flusher {
  readonly #environment: Environment;
  #pending: Flushable[] = [];
  readonly #run = (): void => this.#flushAll();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The caller sees to it that an item is added only once until it is flushed. */
  add(item: Flushable): void {
    if (this.#pending.length === 0) this.#environment.endOfTurn(this.#run);
    this.#pending.push(item);
  }

  #flushAll(): void {
    const pending = this.#pending;
    this.#pending = [];
    flushEach(pending, this.#environment);
  }
}

/** One that throws does not keep the others from their turn. */
export function flushEach(items: readonly Flushable[], environment: Environment): void {
  for (const item of items) {
    try {
      item.flush();
    } catch (error) {
      throwUncaught(environment, error);
    }
  }
}
