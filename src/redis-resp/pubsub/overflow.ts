import type { Environment } from "../../runtime/environment.ts";
import type { Subscription } from "./subscription.ts";

export interface OverflowHandler {
  /** So many messages of a subscription were dropped since it was told last. */
  onDropped(subscription: Subscription, count: number): void;
  /** Nothing is dropped any more; messages of these were, the first of them at `since`. */
  onOver(subscriptions: readonly Subscription[], since: number): void;
}

/** What a full inbox cost, told once a turn at most. */
export class Overflow {
  readonly #environment: Environment;
  readonly #handler: OverflowHandler;
  readonly #counts = new Map<Subscription, number>();
  readonly #affected = new Set<Subscription>();
  #since = 0;
  #isOver = false;
  #isDue = false;

  constructor(environment: Environment, handler: OverflowHandler) {
    this.#environment = environment;
    this.#handler = handler;
  }

  dropped(subscription: Subscription): void {
    if (this.#affected.size === 0) this.#since = this.#environment.now();
    this.#affected.add(subscription);
    this.#counts.set(subscription, (this.#counts.get(subscription) ?? 0) + 1);
    this.#isOver = false;
    this.#tellSoon();
  }

  /** There is room again. */
  over(): void {
    if (this.#affected.size === 0) return;
    this.#isOver = true;
    this.#tellSoon();
  }

  clear(): void {
    this.#counts.clear();
    this.#affected.clear();
  }

  #tellSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#environment.nextTurn(() => {
      this.#isDue = false;
      this.#tell();
    });
  }

  #tell(): void {
    const counts = [...this.#counts];
    this.#counts.clear();
    for (const [subscription, count] of counts) this.#handler.onDropped(subscription, count);
    if (!this.#isOver || this.#affected.size === 0) return;
    const affected = [...this.#affected];
    this.#affected.clear();
    this.#isOver = false;
    this.#handler.onOver(affected, this.#since);
  }
}
