import type { Environment } from "./environment.ts";

/** ms that calls in a row may complete at once, before the event loop has a turn. */
const RUN = 2;
/** Messages between two looks at the clock, where each takes about a microsecond. */
const LOOK = 128;

/**
 * The promises for calls that complete at once. Awaiting one that is resolved already never leaves the promise jobs, so a
 * loop of them would starve timers and I/O: every so often a turn of the event loop is put in. zeromq.js counts 512 calls; at
 * our speed that would be a tenth of a millisecond, and most of the time would go into turns.
 */
export class Pace {
  readonly #environment: Environment;
  readonly #look: number;
  readonly #resolved: Promise<void> = Promise.resolve();
  #messages = 0;
  /** When the last turn was put in, or the caller was woken after that. After a pause it is long ago: one turn too many. */
  #since = Number.POSITIVE_INFINITY;
  /** ms of this run before `#since`. */
  #spent = 0;

  /** @param look messages between two looks at the clock, which take some 50 ns each; 1 where a message may take long. */
  constructor(environment: Environment, look: number = LOOK) {
    this.#environment = environment;
    this.#look = look;
  }

  /** True when the call that completes now should wait for the next turn. */
  isDue(): boolean {
    this.#messages += 1;
    if (this.#messages < this.#look) return false;
    this.#messages = 0;
    const now = this.#environment.now();
    if (this.#since === Number.POSITIVE_INFINITY) this.#since = now;
    return this.#spent + now - this.#since >= RUN;
  }

  /** So many messages went besides: by calls that cannot wait, or more than one by the same call. */
  count(messages: number): void {
    this.#messages += messages;
  }

  /** A call has to wait for what the event loop brings: this time is not the run's. */
  rest(): void {
    if (this.#since !== Number.POSITIVE_INFINITY) this.#spent += this.#environment.now() - this.#since;
    this.#since = Number.POSITIVE_INFINITY;
  }

  /** It has come. */
  wake(): void {
    if (this.#since === Number.POSITIVE_INFINITY) this.#since = this.#environment.now();
  }

  done(): Promise<void> {
    return this.isDue() ? this.turn() : this.#resolved;
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#environment.nextTurn(() => {
        this.#since = this.#environment.now();
        this.#spent = 0;
        resolve();
      });
    });
  }
}
