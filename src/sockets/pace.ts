import type { Environment } from "./environment.ts";

/** So many calls in a row complete at once; as zeromq.js has it. */
const RUN_LENGTH = 512;

/**
 * The promises for calls that complete at once. Awaiting one that is resolved already never leaves the promise jobs, so a
 * loop of them would starve timers and I/O: every so often a turn of the event loop is put in.
 */
export class Pace {
  readonly #environment: Environment;
  readonly #resolved: Promise<void> = Promise.resolve();
  #inARow = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** True when the call that completes now should wait for the next turn. */
  isDue(): boolean {
    this.#inARow += 1;
    if (this.#inARow < RUN_LENGTH) return false;
    this.#inARow = 0;
    return true;
  }

  done(): Promise<void> {
    return this.isDue() ? this.turn() : this.#resolved;
  }

  turn(): Promise<void> {
    return new Promise((resolve) => this.#environment.nextTurn(resolve));
  }
}
