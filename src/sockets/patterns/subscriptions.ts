import { PrefixTrie } from "./prefix-trie.ts";

interface Subscription {
  readonly topic: Uint8Array;
  count: number;
}

/** The topics that a subscriber wants, counted: a topic subscribed to twice must be cancelled twice. */
export class Subscriptions {
  readonly #topics = new PrefixTrie<Subscription>();
  readonly #all = new Set<Subscription>();

  /** @returns whether the topic is new. */
  add(topic: Uint8Array): boolean {
    const known = this.#topics.get(topic);
    if (known !== undefined) {
      known.count += 1;
      return false;
    }
    const subscription = { topic: new Uint8Array(topic), count: 1 };
    this.#topics.set(subscription.topic, subscription);
    this.#all.add(subscription);
    return true;
  }

  /** @returns whether this was the last of that topic. One that is not known is none. */
  remove(topic: Uint8Array): boolean {
    const known = this.#topics.get(topic);
    if (known === undefined) return false;
    known.count -= 1;
    if (known.count > 0) return false;
    this.#topics.delete(topic);
    this.#all.delete(known);
    return true;
  }

  /** Whether a message with this first part is wanted. */
  matches(firstPart: Uint8Array): boolean {
    return this.#topics.hasPrefixOf(firstPart);
  }

  /** Each topic once, in the order in which they were added. */
  *[Symbol.iterator](): IterableIterator<Uint8Array> {
    for (const { topic } of this.#all) yield topic;
  }
}
