import type { Subscriptions } from "./subscriptions.ts";

/**
 * All subscriptions, for a peer that has just connected, each once, as fast as it takes them. What is subscribed to or given up
 * meanwhile needs to be told to it only where this has been already.
 */
export class Replay {
  readonly #subscriptions: Subscriptions;
  #at = 0;

  constructor(subscriptions: Subscriptions) {
    this.#subscriptions = subscriptions;
  }

  /** The next topic; null when there is none left: from then on everything has to be told. */
  next(): Uint8Array | null {
    if (this.#at === Number.POSITIVE_INFINITY) return null;
    const id = this.#subscriptions.after(this.#at);
    this.#at = id === 0 ? Number.POSITIVE_INFINITY : id;
    return id === 0 ? null : this.#subscriptions.bytes(id);
  }

  /** Whether the place of this topic is still to come. */
  isAhead(id: number): boolean {
    return id > this.#at;
  }
}
