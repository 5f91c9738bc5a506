import type { ChannelKind } from "./channel.ts";
import { NameTable } from "./name-table.ts";
import { Subscription } from "./subscription.ts";

/** The subscriptions of one kind. */
export class Family {
  readonly kind: ChannelKind;
  readonly #wanted = new Map<string, Subscription>();
  readonly #byName = new NameTable();
  /** Wanted, to be asked for. */
  readonly fresh: Set<Subscription> = new Set();
  readonly ending: Map<string, Subscription> = new Map();

  constructor(kind: ChannelKind) {
    this.kind = kind;
  }

  get wanted(): ReadonlyMap<string, Subscription> {
    return this.#wanted;
  }

  get isInUse(): boolean {
    return this.#wanted.size > 0 || this.ending.size > 0;
  }

  begin(key: string): Subscription {
    const subscription = new Subscription(this.kind, key);
    this.want(subscription);
    this.fresh.add(subscription);
    return subscription;
  }

  want(subscription: Subscription): void {
    this.#wanted.set(subscription.key, subscription);
    this.#byName.add(subscription);
  }

  renew(subscription: Subscription): void {
    subscription.stage = "new";
    this.fresh.add(subscription);
  }

  match(name: Uint8Array): Subscription | undefined {
    return this.#byName.find(name);
  }

  drop(subscription: Subscription): void {
    this.#wanted.delete(subscription.key);
    this.#byName.delete(subscription);
    this.fresh.delete(subscription);
    if (subscription.stage === "asked" || subscription.stage === "confirmed")
      this.ending.set(subscription.key, subscription);
  }

  clear(): void {
    for (const subscription of this.#wanted.values()) subscription.listeners = null;
    this.#wanted.clear();
    this.#byName.clear();
    this.fresh.clear();
    this.ending.clear();
  }
}
