import type { Pipe } from "../pipes/pipe.ts";
import { PrefixTrie } from "./prefix-trie.ts";

/** What each topic counts, besides its bytes: about what it takes on the heap when one peer holds it. */
const TOPIC_OVERHEAD = 448;

/** The subscribers of one topic. */
export interface Group {
  readonly topic: Uint8Array;
  readonly subscribers: Subscriber[];
}

/** What we keep of one peer. */
export interface Subscriber {
  readonly pipe: Pipe;
  readonly groups: Set<Group>;
  /** The sum over its topics of what they count. */
  size: number;
  /** Number of the last message meant for this peer: two of its topics may match, but it gets one copy. */
  lastMessage: number;
}

/**
 * Who has subscribed to what. A peer's subscriptions are a set: one CANCEL undoes any number of SUBSCRIBEs, as in libzmq.
 * Each topic's bytes are kept once, however many peers hold it.
 */
export class Subscribers {
  readonly #topics = new PrefixTrie<Group>();
  readonly #subscribers = new Map<Pipe, Subscriber>();

  /** The subscribers of all topics that are a prefix of `topic`. One with two such topics is found twice. */
  protected match(topic: Uint8Array): readonly Group[] {
    const found: Group[] = [];
    this.#topics.collect(topic, found);
    return found;
  }

  /** The peers that hold a prefix of `topic`. */
  matching(topic: Uint8Array): Set<Pipe> {
    const pipes = new Set<Pipe>();
    for (const group of this.match(topic)) for (const { pipe } of group.subscribers) pipes.add(pipe);
    return pipes;
  }

  /** How many peers hold a prefix of `topic`. */
  count(topic: Uint8Array): number {
    return this.matching(topic).size;
  }

  /** What a peer's subscriptions would count with this one. */
  sizeWith(pipe: Pipe, topic: Uint8Array): number {
    const subscriber = this.#subscribers.get(pipe);
    if (subscriber === undefined) return sizeOf(topic);
    const group = this.#topics.get(topic);
    const isKnown = group !== undefined && subscriber.groups.has(group);
    return subscriber.size + (isKnown ? 0 : sizeOf(topic));
  }

  /** The topic is copied. @returns whether the peer is the `first` with it, `another`, or has it already (`known`). */
  subscribe(pipe: Pipe, topic: Uint8Array): "first" | "another" | "known" {
    let subscriber = this.#subscribers.get(pipe);
    if (subscriber === undefined) {
      subscriber = { pipe, groups: new Set(), size: 0, lastMessage: 0 };
      this.#subscribers.set(pipe, subscriber);
    }
    let group = this.#topics.get(topic);
    if (group !== undefined) {
      if (subscriber.groups.has(group)) return "known";
      group.subscribers.push(subscriber);
    } else {
      // Not by `push`, which takes room for 17: most topics have one subscriber.
      group = { topic: new Uint8Array(topic), subscribers: [subscriber] };
      this.#topics.set(group.topic, group);
    }
    subscriber.groups.add(group);
    subscriber.size += sizeOf(topic);
    return group.subscribers.length === 1 ? "first" : "another";
  }

  /** @returns whether the peer was the `last` with this topic, `others` still have it, or nobody had it (`unknown`). */
  cancel(pipe: Pipe, topic: Uint8Array): "last" | "others" | "unknown" {
    const group = this.#topics.get(topic);
    if (group === undefined) return "unknown";
    const subscriber = this.#subscribers.get(pipe);
    if (subscriber?.groups.delete(group)) this.#leave(subscriber, group);
    return group.subscribers.length === 0 ? "last" : "others";
  }

  /** Forgets all subscriptions of a peer. @param tell hears of each, and whether the peer was the last with it. */
  remove(pipe: Pipe, tell?: (topic: Uint8Array, isLast: boolean) => void): void {
    const subscriber = this.#subscribers.get(pipe);
    if (subscriber === undefined) return;
    this.#subscribers.delete(pipe);
    for (const group of subscriber.groups) {
      this.#leave(subscriber, group);
      tell?.(group.topic, group.subscribers.length === 0);
    }
  }

  #leave(subscriber: Subscriber, group: Group): void {
    subscriber.size -= sizeOf(group.topic);
    const at = group.subscribers.indexOf(subscriber);
    group.subscribers[at] = group.subscribers[group.subscribers.length - 1] as Subscriber;
    group.subscribers.pop();
    if (group.subscribers.length === 0) this.#topics.delete(group.topic);
  }
}

function sizeOf(topic: Uint8Array): number {
  return topic.length + TOPIC_OVERHEAD;
}
