import { bytesOf, keyOf } from "./bytes.ts";
import { encodeBulks } from "./encoding.ts";

/** One of the three kinds of subscriptions, with the words it uses on the wire. */
export interface Kind {
  readonly message: "message" | "pmessage" | "smessage";
  readonly subscribed: "subscribe" | "psubscribe" | "ssubscribe";
  readonly unsubscribed: "unsubscribe" | "punsubscribe" | "sunsubscribe";
}

export const CHANNEL: Kind = { message: "message", subscribed: "subscribe", unsubscribed: "unsubscribe" };
export const PATTERN: Kind = { message: "pmessage", subscribed: "psubscribe", unsubscribed: "punsubscribe" };
export const SHARD: Kind = { message: "smessage", subscribed: "ssubscribe", unsubscribed: "sunsubscribe" };

/** Who gets messages. */
export interface Receiver {
  readonly protocol: 2 | 3;
  /** Takes one message, in its protocol. The chunks are shared with other receivers. */
  deliver(frame: readonly Uint8Array[]): void;
}

/** A channel or a pattern that somebody is subscribed to. */
export class Topic<R extends Receiver> {
  readonly key: string;
  readonly name: Uint8Array;
  readonly receivers: Set<R> = new Set();
  readonly #heads: { 2: Uint8Array; 3: Uint8Array };

  constructor(kind: Kind, key: string) {
    this.key = key;
    this.name = bytesOf(key);
    const items = kind === PATTERN ? 4 : 3;
    const rest = `${items}\r\n$${kind.message.length}\r\n${kind.message}\r\n$${key.length}\r\n${key}\r\n`;
    this.#heads = { 2: bytesOf(`*${rest}`), 3: bytesOf(`>${rest}`) };
  }

  /**
   * Sends a message to all, encoded once per protocol.
   * @param bulks what follows the topic's name: the payload; for a pattern, the channel and the payload.
   * @returns how many got it.
   */
  send(allocate: (size: number) => Uint8Array, bulks: readonly Uint8Array[]): number {
    let resp2: Uint8Array[] | null = null;
    let resp3: Uint8Array[] | null = null;
    let sent = 0;
    for (const receiver of this.receivers) {
      if (receiver.protocol === 3) {
        resp3 ??= encodeBulks(allocate, this.#heads[3], bulks);
        receiver.deliver(resp3);
      } else {
        resp2 ??= encodeBulks(allocate, this.#heads[2], bulks);
        receiver.deliver(resp2);
      }
      sent += 1;
    }
    return sent;
  }
}

/** All topics of one kind. A topic is there as long as anyone is subscribed to it. */
export class Topics<R extends Receiver> {
  readonly kind: Kind;
  readonly #topics = new Map<string, Topic<R>>();

  constructor(kind: Kind) {
    this.kind = kind;
  }

  get size(): number {
    return this.#topics.size;
  }

  get(name: Uint8Array): Topic<R> | undefined {
    return this.#topics.get(keyOf(name));
  }

  [Symbol.iterator](): Iterator<Topic<R>> {
    return this.#topics.values();
  }

  add(name: Uint8Array, receiver: R): Topic<R> {
    const key = keyOf(name);
    let topic = this.#topics.get(key);
    if (topic === undefined) {
      topic = new Topic(this.kind, key);
      this.#topics.set(key, topic);
    }
    topic.receivers.add(receiver);
    return topic;
  }

  remove(topic: Topic<R>, receiver: R): void {
    topic.receivers.delete(receiver);
    if (topic.receivers.size === 0) this.#topics.delete(topic.key);
  }
}
