import type { Environment, Timer } from "../sockets/index.ts";
import type { PublisherApi } from "./api.ts";

/** ms between two looks. */
const INTERVAL = 1000;

/**
 * Watches the count of a publisher that drops, for each subscriber whose queue is full, what does not fit: with `overflow`
 * "drop" nobody else says so. Where it disconnects such subscribers instead, they know by themselves.
 */
export class DropWatch {
  readonly #publisher: PublisherApi;
  readonly #environment: Environment;
  readonly #onDropped: (count: number) => void;
  #timer: Timer | null = null;
  #seen = 0;

  constructor(publisher: PublisherApi, environment: Environment, onDropped: (count: number) => void) {
    this.#publisher = publisher;
    this.#environment = environment;
    this.#onDropped = onDropped;
  }

  start(): void {
    this.#timer = this.#environment.setTimer(INTERVAL, () => {
      this.#look();
      this.start();
    });
  }

  /** After a last look. */
  stop(): void {
    if (this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
    this.#look();
  }

  #look(): void {
    const { dropped } = this.#publisher.stats();
    if (dropped > this.#seen) this.#onDropped(dropped - this.#seen);
    this.#seen = dropped;
  }
}
