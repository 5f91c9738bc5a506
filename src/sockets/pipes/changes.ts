import type { SubscriptionForm } from "../../zmtp/index.ts";
import { Chain } from "../patterns/chain.ts";
import { PrefixTrie } from "../patterns/prefix-trie.ts";

/** What a peer is to be told of a topic: a CANCEL, a SUBSCRIBE, or the one and then the other. */
export interface Change {
  readonly topic: Uint8Array;
  readonly cancel: boolean;
  readonly subscribe: boolean;
  readonly form: SubscriptionForm;
}

// The fields of a topic: some of the bits below, and its neighbours in the order in which they came.
const STATE = 0;
const NEXT = 1;
const PREVIOUS = 2;

/** The topic may be in force at the peer. */
const MAY_BE_KNOWN = 1;
const CANCEL = 2;
const SUBSCRIBE = 4;
const AS_MESSAGE = 8;
/** There is a change: a topic that has just been added has none of these. */
const IS_THERE = 16;

/**
 * What has become of our subscriptions while a peer takes nothing. What a SUBSCRIBE began and a CANCEL ended meanwhile, it need not
 * know; so there are never more topics here than we have now, and had when it last took something.
 */
export class Changes {
  readonly #trie = new PrefixTrie(3);
  readonly #order = new Chain(this.#trie.topics, NEXT, PREVIOUS);

  get isEmpty(): boolean {
    return this.#order.first === 0;
  }

  /** @param isNew whether the topic was not in force before. */
  subscribe(topic: Uint8Array, form: SubscriptionForm, isNew: boolean): void {
    const id = this.#find(topic, !isNew);
    this.#set(id, (this.#state(id) & ~AS_MESSAGE) | SUBSCRIBE | formBit(form));
  }

  cancel(topic: Uint8Array, form: SubscriptionForm): void {
    const id = this.#find(topic, true);
    if ((this.#state(id) & MAY_BE_KNOWN) === 0) this.#remove(id, topic);
    else this.#set(id, MAY_BE_KNOWN | IS_THERE | CANCEL | formBit(form));
  }

  shift(): Change | undefined {
    const id = this.#order.first;
    if (id === 0) return undefined;
    const topic = this.#trie.bytes(id);
    const state = this.#state(id);
    this.#remove(id, topic);
    return {
      topic,
      cancel: (state & CANCEL) !== 0,
      subscribe: (state & SUBSCRIBE) !== 0,
      form: (state & AS_MESSAGE) !== 0 ? "message" : "negotiated",
    };
  }

  /** The topic's place, which is made when there is none. */
  #find(topic: Uint8Array, mayBeKnown: boolean): number {
    const id = this.#trie.add(topic);
    if (this.#state(id) !== 0) return id;
    this.#order.add(id);
    this.#set(id, IS_THERE | (mayBeKnown ? MAY_BE_KNOWN : 0));
    return id;
  }

  #state(id: number): number {
    return this.#trie.topics.get(id, STATE);
  }

  #set(id: number, state: number): void {
    this.#trie.topics.set(id, STATE, state);
  }

  #remove(id: number, topic: Uint8Array): void {
    this.#order.remove(id);
    this.#trie.remove(topic);
  }
}

function formBit(form: SubscriptionForm): number {
  return form === "message" ? AS_MESSAGE : 0;
}
