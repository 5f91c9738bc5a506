import type { ChannelKind } from "./channel.ts";
import type { Feed } from "./feed.ts";
import type { MessageListener } from "./subscription.ts";
import type { Deferred, SubscriptionCall } from "./subscription-call.ts";

/** One `subscribe` or `unsubscribe` of channels that may come from several servers: done when all are, failed when one is. */
export class JointCall implements Deferred {
  readonly #deferred: Deferred;
  readonly #parts: { readonly feed: Feed; readonly call: SubscriptionCall }[] = [];
  /** The parts that are not done, and the one that counts until all are begun. */
  #missing = 1;
  #isSettled = false;

  constructor(deferred: Deferred) {
    this.#deferred = deferred;
  }

  subscribe(feed: Feed, kind: ChannelKind, keys: ReadonlySet<string>, listener: MessageListener): void {
    this.#missing += 1;
    const call = feed.subscriptions.subscribe(kind, keys, listener, this);
    this.#parts.push({ feed, call });
    feed.changed();
  }

  unsubscribe(
    feed: Feed,
    kind: ChannelKind,
    keys: ReadonlySet<string> | null,
    listener: MessageListener | null,
  ): void {
    this.#missing += 1;
    feed.subscriptions.unsubscribe(kind, keys, listener, this);
    feed.changed();
  }

  /** One part is done; called once more when all parts are begun. */
  resolve(): void {
    this.#missing -= 1;
    if (this.#missing > 0 || this.#isSettled) return;
    this.#isSettled = true;
    for (const { feed, call } of this.#parts) feed.subscriptions.keep(call);
    this.#deferred.resolve();
  }

  /** What other parts have subscribed to is taken back. */
  reject(error: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#deferred.reject(error);
    for (const { feed, call } of this.#parts) {
      feed.subscriptions.fail(call, error);
      feed.changed();
    }
  }
}
