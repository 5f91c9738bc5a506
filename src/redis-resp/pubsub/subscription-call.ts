import type { MessageListener, Subscription } from "./subscription.ts";

/** A promise that is to be settled. */
export interface Deferred {
  resolve(): void;
  reject(error: unknown): void;
}

/** One call of `subscribe` or `unsubscribe`, until the server has answered for each of its channels. */
export class SubscriptionCall {
  /** Without an answer yet. */
  readonly missing: Set<Subscription> = new Set();
  /** What a `subscribe` adds; null for `unsubscribe`. */
  readonly listener: MessageListener | null;
  /** Where its listener is there because of it, and perhaps of other calls: see {@link Claims}. */
  readonly claimed: Set<Subscription> = new Set();
  readonly #deferred: Deferred;

  constructor(deferred: Deferred, listener: MessageListener | null) {
    this.#deferred = deferred;
    this.listener = listener;
  }

  resolve(): void {
    this.#deferred.resolve();
  }

  reject(error: unknown): void {
    this.#deferred.reject(error);
  }
}

/** Who waits for which subscription's answer. */
export class WaitingCalls {
  readonly #calls = new Map<Subscription, SubscriptionCall[]>();

  get isEmpty(): boolean {
    return this.#calls.size === 0;
  }

  wait(call: SubscriptionCall, subscription: Subscription): void {
    call.missing.add(subscription);
    const calls = this.#calls.get(subscription);
    if (calls === undefined) this.#calls.set(subscription, [call]);
    else calls.push(call);
  }

  /** The answer has come, as it was wished for. */
  answered(subscription: Subscription): void {
    for (const call of this.take(subscription)) {
      call.missing.delete(subscription);
      if (call.missing.size === 0) call.resolve();
    }
  }

  /** @returns the calls that waited for this subscription, which now wait for the others only. */
  take(subscription: Subscription): SubscriptionCall[] {
    const calls = this.#calls.get(subscription) ?? [];
    this.#calls.delete(subscription);
    return calls;
  }

  /** The call waits no longer. */
  forget(call: SubscriptionCall): void {
    for (const subscription of call.missing) {
      const rest = this.#calls.get(subscription)?.filter((one) => one !== call) ?? [];
      if (rest.length > 0) this.#calls.set(subscription, rest);
      else this.#calls.delete(subscription);
    }
    call.missing.clear();
  }

  /** All that wait, each once. */
  all(): Set<SubscriptionCall> {
    return new Set([...this.#calls.values()].flat());
  }

  clear(): void {
    this.#calls.clear();
  }
}
