import type { Environment } from "../../runtime/environment.ts";
import type { Pipe } from "../pipes/pipe.ts";
import { effort } from "../topic.ts";
import { Holdings } from "./holdings.ts";

/** What each topic counts, besides its bytes: about what it takes in memory when one peer holds it. */
const TOPIC_OVERHEAD = 96;
/** Topics of peers that have gone that are forgotten in one turn of the event loop, by their `effort`. */
const FORGOTTEN_AT_ONCE = 1000;

/** Hears of a topic that a peer held which has gone, and whether it was the last with it. */
export type Tell = (topic: Uint8Array, isLast: boolean) => void;

/** What we keep of one peer. */
export interface Subscriber {
  readonly pipe: Pipe;
  /** In the holdings. */
  readonly number: number;
  /** The sum over its topics of what they count. */
  size: number;
  /** Number of the last question whose answer it belonged to: two of its topics may match. */
  lastMatch: number;
  /** It has gone, and some of its topics are not yet forgotten. */
  isGone: boolean;
  tell: Tell | undefined;
}

/**
 * Who has subscribed to what. A peer's subscriptions are a set: one CANCEL undoes any number of SUBSCRIBEs, as in libzmq.
 * Each topic's bytes are kept once, however many peers hold it.
 *
 * A peer that goes counts no more at once. That it held a topic is forgotten soon after, or when the topic is next subscribed to
 * or cancelled, so that whoever is told of its end hears it before what follows.
 */
export class Subscribers {
  readonly #environment: Environment;
  readonly #holdings = new Holdings();
  readonly #byPipe = new Map<Pipe, Subscriber>();
  /** By their numbers. */
  readonly #all: (Subscriber | undefined)[] = [];
  /** In the order in which they went. */
  readonly #gone = new Set<Subscriber>();
  /** May be forgotten in this turn. */
  #left = FORGOTTEN_AT_ONCE;
  #matches = 0;
  readonly #topics: number[] = [];
  readonly #forgetMore = (): void => {
    this.#left = FORGOTTEN_AT_ONCE;
    if (this.#gone.size > 0) this.#forget();
  };

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Puts the peers that hold a prefix of `topic` into `found`, once each, over what stands there. @returns how many they are. */
  protected match(topic: Uint8Array, found: Subscriber[]): number {
    const topics = this.#topics;
    let count = 0;
    this.#matches += 1;
    const topicCount = this.#holdings.collect(topic, topics);
    for (let i = 0; i < topicCount; i += 1) {
      let holding = this.#holdings.firstOf(topics[i] as number);
      for (; holding !== 0; holding = this.#holdings.nextOf(holding)) {
        const subscriber = this.#all[this.#holdings.holder(holding)] as Subscriber;
        if (subscriber.lastMatch === this.#matches || subscriber.isGone) continue;
        subscriber.lastMatch = this.#matches;
        found[count] = subscriber;
        count += 1;
      }
    }
    return count;
  }

  /** The peers that hold a prefix of `topic`. */
  matching(topic: Uint8Array): Set<Pipe> {
    const found: Subscriber[] = [];
    this.match(topic, found);
    return new Set(found.map(({ pipe }) => pipe));
  }

  /** How many peers hold a prefix of `topic`. */
  count(topic: Uint8Array): number {
    return this.match(topic, []);
  }

  /** What a peer's subscriptions would count with this one, at most. Exact when that is more than `enough`. */
  sizeWith(pipe: Pipe, topic: Uint8Array, enough: number): number {
    const subscriber = this.#byPipe.get(pipe);
    const size = (subscriber?.size ?? 0) + sizeOf(topic);
    if (size <= enough || subscriber === undefined) return size;
    return this.#holdings.find(topic, subscriber.number) === 0 ? size : subscriber.size;
  }

  /** The topic is copied. @returns whether the peer is the `first` with it, `another`, or has it already (`known`). */
  subscribe(pipe: Pipe, topic: Uint8Array): "first" | "another" | "known" {
    if (this.#gone.size > 0) this.#forgetTopic(topic);
    const subscriber = this.#byPipe.get(pipe) ?? this.#add(pipe);
    const result = this.#holdings.add(topic, subscriber.number);
    if (result !== "known") subscriber.size += sizeOf(topic);
    return result;
  }

  /** @returns whether the peer was the `last` with this topic, `others` still have it, or nobody had it (`unknown`). */
  cancel(pipe: Pipe, topic: Uint8Array): "last" | "others" | "unknown" {
    if (this.#gone.size > 0) this.#forgetTopic(topic);
    if (this.#holdings.findTopic(topic) === 0) return "unknown";
    const subscriber = this.#byPipe.get(pipe);
    const holding = subscriber === undefined ? 0 : this.#holdings.find(topic, subscriber.number);
    if (subscriber === undefined || holding === 0) return "others";
    subscriber.size -= sizeOf(topic);
    return this.#holdings.remove(holding, topic) ? "last" : "others";
  }

  /** Forgets all subscriptions of a peer. @param tell hears of each. */
  remove(pipe: Pipe, tell?: Tell): void {
    const subscriber = this.#byPipe.get(pipe);
    if (subscriber === undefined) return;
    this.#byPipe.delete(pipe);
    subscriber.isGone = true;
    subscriber.tell = tell;
    this.#gone.add(subscriber);
    this.#forget();
  }

  #add(pipe: Pipe): Subscriber {
    const number = this.#holdings.addHolder();
    const subscriber: Subscriber = {
      pipe,
      number,
      size: 0,
      lastMatch: 0,
      isGone: false,
      tell: undefined,
    };
    this.#byPipe.set(pipe, subscriber);
    this.#all[number] = subscriber;
    return subscriber;
  }

  /** Forgets what peers held that have gone, as far as there is time in this turn. */
  #forget(): void {
    for (const subscriber of this.#gone) {
      while (this.#left > 0) {
        const holding = this.#holdings.firstHeldBy(subscriber.number);
        if (holding === 0) break;
        const topic = this.#holdings.topic(holding);
        if (this.#left === FORGOTTEN_AT_ONCE) this.#environment.nextTurn(this.#forgetMore);
        this.#left -= effort(topic);
        this.#forgetHolding(subscriber, holding, topic);
      }
      if (this.#left <= 0) break;
      this.#gone.delete(subscriber);
      this.#all[subscriber.number] = undefined;
      this.#holdings.removeHolder(subscriber.number);
    }
  }

  /** Forgets that peers held this topic that have gone. */
  #forgetTopic(topic: Uint8Array): void {
    const id = this.#holdings.findTopic(topic);
    let holding = id === 0 ? 0 : this.#holdings.firstOf(id);
    while (holding !== 0) {
      const next = this.#holdings.nextOf(holding);
      const subscriber = this.#all[this.#holdings.holder(holding)] as Subscriber;
      if (subscriber.isGone) this.#forgetHolding(subscriber, holding, topic);
      holding = next;
    }
  }

  #forgetHolding(subscriber: Subscriber, holding: number, topic: Uint8Array): void {
    const isLast = this.#holdings.remove(holding, topic);
    subscriber.tell?.(topic, isLast);
  }
}

function sizeOf(topic: Uint8Array): number {
  return topic.length + TOPIC_OVERHEAD;
}
