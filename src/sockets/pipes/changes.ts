import type { SubscriptionForm } from "../../zmtp/index.ts";
import { PrefixTrie } from "../patterns/prefix-trie.ts";

/** What a peer is to be told of a topic: a CANCEL, a SUBSCRIBE, or the one and then the other. */
export interface Change {
  readonly topic: Uint8Array;
  /** Whether the topic may be in force at the peer. */
  readonly mayBeKnown: boolean;
  cancel: boolean;
  subscribe: boolean;
  form: SubscriptionForm;
}

/**
 * What has become of our subscriptions while a peer takes nothing. What a SUBSCRIBE began and a CANCEL ended meanwhile, it need not
 * know; so there are never more topics here than we have now, and had when it last took something.
 */
export class Changes {
  readonly #topics = new PrefixTrie<Change>();
  /** In the order in which they came. */
  readonly #all = new Set<Change>();
  #next: IterableIterator<Change> | null = null;

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** @param isNew whether the topic was not in force before. */
  subscribe(topic: Uint8Array, form: SubscriptionForm, isNew: boolean): void {
    const change = this.#topics.get(topic) ?? this.#add(topic, !isNew);
    change.subscribe = true;
    change.form = form;
  }

  cancel(topic: Uint8Array, form: SubscriptionForm): void {
    const change = this.#topics.get(topic) ?? this.#add(topic, true);
    change.subscribe = false;
    change.cancel = change.mayBeKnown;
    change.form = form;
    if (!change.cancel) this.#remove(change);
  }

  shift(): Change | undefined {
    // One iterator for all, for each new one has to pass by what was removed before.
    this.#next ??= this.#all.values();
    const { value, done } = this.#next.next();
    if (done) this.#next = null;
    else this.#remove(value);
    return value;
  }

  clear(): void {
    for (const change of this.#all) this.#remove(change);
    this.#next = null;
  }

  #add(topic: Uint8Array, mayBeKnown: boolean): Change {
    // A copy, for the caller's bytes are the caller's again.
    const change: Change = {
      topic: new Uint8Array(topic),
      mayBeKnown,
      cancel: false,
      subscribe: false,
      form: "negotiated",
    };
    this.#topics.set(change.topic, change);
    this.#all.add(change);
    return change;
  }

  #remove(change: Change): void {
    this.#all.delete(change);
    this.#topics.delete(change.topic);
  }
}
