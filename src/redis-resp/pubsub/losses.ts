import type { Subscription } from "./subscription.ts";

/**
 * Why messages may be missing:
 * - reconnect: the connection was replaced
 * - moved: the server ended the subscription by itself, as for a shard channel whose slot has moved
 * - failover: another node took over
 * - resubscribe: the server refused the channel when it was asked again, and has now confirmed it
 * - overflow: the inbox was full
 */
export type GapReason = "reconnect" | "moved" | "failover" | "resubscribe" | "overflow";

export interface Loss {
  readonly reason: GapReason;
  /** When the subscription was last known to stand. */
  readonly since: number;
}

/** A loss that is over, for those subscriptions. */
export interface Gap extends Loss {
  readonly subscriptions: readonly Subscription[];
}

/** Which subscriptions do not stand any more although they did, until each has been tried again. Pure: time is an argument. */
export class Losses {
  /** Not yet answered for. */
  readonly #missing = new Map<Subscription, Loss>();
  /** Refused. They are tried again on the next connection, and are part of that gap too. */
  readonly #refused = new Map<Subscription, Loss>();
  /** Answered for, to be told as soon as none is missing. */
  readonly #over = new Map<Subscription, Loss>();

  lost(subscription: Subscription, loss: Loss): void {
    if (!this.#missing.has(subscription))
      this.#missing.set(subscription, this.#over.get(subscription) ?? loss);
    this.#over.delete(subscription);
  }

  /** The server has confirmed it. */
  restored(subscription: Subscription): void {
    const loss = this.#missing.get(subscription);
    const refused = this.#refused.get(subscription);
    if (loss !== undefined) this.#over.set(subscription, loss);
    else if (refused !== undefined) this.#over.set(subscription, { ...refused, reason: "resubscribe" });
    this.#missing.delete(subscription);
    this.#refused.delete(subscription);
  }

  refused(subscription: Subscription): void {
    const loss = this.#missing.get(subscription);
    if (loss === undefined) return;
    this.#missing.delete(subscription);
    this.#refused.set(subscription, loss);
    this.#over.set(subscription, loss);
  }

  /** Nobody wants it any more. */
  forget(subscription: Subscription): void {
    this.#missing.delete(subscription);
    this.#refused.delete(subscription);
    this.#over.delete(subscription);
  }

  /** The connection is gone: those that it refused are missing again. */
  retry(): void {
    for (const [subscription, loss] of this.#refused) this.#missing.set(subscription, loss);
    this.#refused.clear();
  }

  /** The gaps that are over, one for each reason; none while a subscription is missing. */
  take(): Gap[] {
    if (this.#missing.size > 0) return [];
    const gaps = new Map<GapReason, { reason: GapReason; since: number; subscriptions: Subscription[] }>();
    for (const [subscription, { reason, since }] of this.#over) {
      const gap = gaps.get(reason);
      if (gap === undefined) gaps.set(reason, { reason, since, subscriptions: [subscription] });
      else {
        gap.since = Math.min(gap.since, since);
        gap.subscriptions.push(subscription);
      }
    }
    this.#over.clear();
    return [...gaps.values()];
  }
}
