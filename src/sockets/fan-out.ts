import type { OutgoingMessage } from "../zmtp/index.ts";
import type { Environment } from "./environment.ts";
import type { Pipe } from "./pipe.ts";
import { PrefixTrie } from "./prefix-trie.ts";

/** The subscribers of one topic. */
interface Group {
  readonly topic: Uint8Array;
  readonly subscribers: Subscriber[];
}

/** What we keep of one peer. */
interface Subscriber {
  readonly pipe: Pipe;
  readonly groups: Set<Group>;
  /** Number of the last message meant for this peer: two of its topics may match, but it gets one copy. */
  lastMessage: number;
}

/**
 * Sends each message to the peers that have subscribed to a prefix of its first part (RFC 29, "The PUB Socket Type"). A peer's
 * subscriptions are a set: one CANCEL undoes any number of SUBSCRIBEs, as in libzmq.
 */
export class FanOut {
  readonly #environment: Environment;
  readonly #onFull: (pipe: Pipe) => void;
  readonly #topics = new PrefixTrie<Group>();
  readonly #subscribers = new Map<Pipe, Subscriber>();
  #messages = 0;

  /** @param onFull a peer has no room for a message that is meant for it. */
  constructor(environment: Environment, onFull: (pipe: Pipe) => void) {
    this.#environment = environment;
    this.#onFull = onFull;
  }

  send(message: OutgoingMessage): void {
    this.#messages += 1;
    let isFirst = true;
    for (const group of this.#match(message.parts[0] as Uint8Array)) {
      for (const subscriber of group.subscribers) {
        if (subscriber.lastMessage === this.#messages) continue;
        subscriber.lastMessage = this.#messages;
        // Encoded once for all, unless there is only one.
        if (!isFirst) message.wire(this.#environment.allocate);
        isFirst = false;
        if (!subscriber.pipe.offer(message)) this.#onFull(subscriber.pipe);
      }
    }
  }

  /** How many peers would get a message with this first part. */
  count(topic: Uint8Array): number {
    const subscribers = new Set<Subscriber>();
    for (const group of this.#match(topic)) for (const one of group.subscribers) subscribers.add(one);
    return subscribers.size;
  }

  subscribe(pipe: Pipe, topic: Uint8Array): void {
    let subscriber = this.#subscribers.get(pipe);
    if (subscriber === undefined) {
      subscriber = { pipe, groups: new Set(), lastMessage: 0 };
      this.#subscribers.set(pipe, subscriber);
    }
    let group = this.#topics.get(topic);
    if (group === undefined) {
      group = { topic: new Uint8Array(topic), subscribers: [] };
      this.#topics.set(topic, group);
    }
    if (subscriber.groups.has(group)) return;
    subscriber.groups.add(group);
    group.subscribers.push(subscriber);
  }

  cancel(pipe: Pipe, topic: Uint8Array): void {
    const subscriber = this.#subscribers.get(pipe);
    const group = this.#topics.get(topic);
    if (subscriber !== undefined && group !== undefined && subscriber.groups.delete(group))
      this.#leave(subscriber, group);
  }

  /** Forgets all subscriptions of a peer. */
  remove(pipe: Pipe): void {
    const subscriber = this.#subscribers.get(pipe);
    if (subscriber === undefined) return;
    this.#subscribers.delete(pipe);
    for (const group of subscriber.groups) this.#leave(subscriber, group);
  }

  #leave(subscriber: Subscriber, group: Group): void {
    const at = group.subscribers.indexOf(subscriber);
    group.subscribers[at] = group.subscribers[group.subscribers.length - 1] as Subscriber;
    group.subscribers.pop();
    if (group.subscribers.length === 0) this.#topics.delete(group.topic);
  }

  #match(topic: Uint8Array): readonly Group[] {
    const found: Group[] = [];
    this.#topics.collect(topic, found);
    return found;
  }
}
