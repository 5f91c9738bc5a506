import { type ChannelKind, keyOfBytes } from "./channel.ts";
import { Subscription } from "./subscription.ts";

/** The subscriptions of one kind. */
export class Family {
  readonly kind: ChannelKind;
  readonly wanted: Map<string, Subscription> = new Map();
  /** Wanted, to be asked for. */
  readonly fresh: Set<Subscription> = new Set();
  readonly ending: Map<string, Subscription> = new Map();
  /** What was matched last: messages of one channel often come in a row. */
  #lastName: Uint8Array | null = null;
  #lastMatch: Subscription | undefined;

  constructor(kind: ChannelKind) {
    this.kind = kind;
  }

  get isInUse(): boolean {
    return this.wanted.size > 0 || this.ending.size > 0;
  }

  begin(key: string): Subscription {
    const subscription = new Subscription(this.kind, key);
    this.wanted.set(key, subscription);
    this.fresh.add(subscription);
    return subscription;
  }

  renew(subscription: Subscription): void {
    subscription.stage = "new";
    this.fresh.add(subscription);
  }

  match(name: Uint8Array): Subscription | undefined {
    if (this.#lastName !== null && isSame(this.#lastName, name)) return this.#lastMatch;
    this.#lastMatch = this.wanted.get(keyOfBytes(name));
    this.#lastName = this.#lastMatch === undefined ? null : name;
    return this.#lastMatch;
  }

  drop(subscription: Subscription): void {
    this.#lastName = null;
    this.wanted.delete(subscription.key);
    this.fresh.delete(subscription);
    if (subscription.stage === "asked" || subscription.stage === "confirmed")
      this.ending.set(subscription.key, subscription);
  }

  clear(): void {
    this.#lastName = null;
    this.wanted.clear();
    this.fresh.clear();
    this.ending.clear();
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = one.length - 1; i >= 0; i -= 1) if (one[i] !== other[i]) return false;
  return true;
}
