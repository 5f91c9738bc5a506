import type { Environment } from "../../runtime/environment.ts";
import { type Flushable, flushEach } from "./flusher.ts";

/** ms that deliveries may follow one another within one turn of the event loop. */
const RUN = 2;

/**
 * Delivers what goes from socket to socket within the process: at the end of the turn in which it was given, so that no socket
 * is called from within another one's call. Sockets that answer each other would then never leave the turn, and starve timers
 * and I/O: every so often a turn of the event loop is put in.
 */
export class Courier {
  readonly #environment: Environment;
  #pending: Flushable[] = [];
  /** When the event loop last had its turn on our account. */
  #since = Number.NEGATIVE_INFINITY;
  readonly #run = (): void => this.#deliver();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The caller sees to it that an item is added only once until it is flushed. */
  add(item: Flushable): void {
    if (this.#pending.length === 0) this.#schedule();
    this.#pending.push(item);
  }

  #schedule(): void {
    if (this.#environment.now() - this.#since < RUN) {
      this.#environment.endOfTurn(this.#run);
      return;
    }
    this.#environment.nextTurn(() => {
      this.#since = this.#environment.now();
      this.#deliver();
    });
  }

  #deliver(): void {
    const pending = this.#pending;
    this.#pending = [];
    flushEach(pending, this.#environment);
  }
}
