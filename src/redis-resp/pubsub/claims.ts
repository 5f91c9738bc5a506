import type { MessageListener, Subscription } from "./subscription.ts";
import type { SubscriptionCall } from "./subscription-call.ts";

/**
 * Listeners that were added by calls which may still fail. One that several calls have asked for stays for
 * good when the first of them succeeds, and is to be taken back when the last of them fails.
 */
export class Claims {
  readonly #calls = new Map<Subscription, SubscriptionCall[]>();

  /**
   * @param isNew the listener was not there before. If it was, and nobody claims it, it stays whatever
   * becomes of the call.
   */
  add(subscription: Subscription, call: SubscriptionCall, isNew: boolean): void {
    const calls = this.#calls.get(subscription) ?? [];
    if (!isNew && !calls.some(({ listener }) => listener === call.listener)) return;
    calls.push(call);
    this.#calls.set(subscription, calls);
    call.claimed.add(subscription);
  }

  /** The call has succeeded: its listener stays. */
  keep(call: SubscriptionCall): void {
    for (const subscription of call.claimed) this.forget(subscription, call.listener);
  }

  /** The call has failed. @returns where nobody else claims its listener. */
  drop(call: SubscriptionCall): Subscription[] {
    const dropped = [...call.claimed];
    call.claimed.clear();
    return dropped.filter((subscription) => {
      const others = this.#calls.get(subscription)?.filter((other) => other !== call) ?? [];
      this.#set(subscription, others);
      return !others.some(({ listener }) => listener === call.listener);
    });
  }

  /** The listener is there for good, or gone. @param listener null: all. */
  forget(subscription: Subscription, listener: MessageListener | null): void {
    const calls = this.#calls.get(subscription) ?? [];
    const isMeant = (call: SubscriptionCall): boolean => listener === null || call.listener === listener;
    for (const call of calls) if (isMeant(call)) call.claimed.delete(subscription);
    this.#set(
      subscription,
      calls.filter((call) => !isMeant(call)),
    );
  }

  clear(): void {
    for (const calls of this.#calls.values()) for (const call of calls) call.claimed.clear();
    this.#calls.clear();
  }

  #set(subscription: Subscription, calls: SubscriptionCall[]): void {
    if (calls.length > 0) this.#calls.set(subscription, calls);
    else this.#calls.delete(subscription);
  }
}
