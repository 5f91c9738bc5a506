import type { Environment } from "../../runtime/environment.ts";
import type { RespPush, RespValue } from "../protocol/values.ts";
import { type ChannelKind, keyOfBytes } from "./channel.ts";
import type { Inbox } from "./inbox.ts";
import type { MessageListener, Subscription } from "./subscription.ts";

/** Whose messages and confirmations a connection brings. */
export interface Recipients {
  match(kind: ChannelKind, name: Uint8Array): Subscription | undefined;
  confirmed(kind: ChannelKind, key: string): void;
  ended(kind: ChannelKind, key: string, now: number): void;
}

/** Brings what the server pushes to where it belongs. What a listener throws keeps no other from his messages. */
export class Delivery {
  /** Messages. */
  received = 0;
  readonly #environment: Environment;
  readonly #onThrown: (error: unknown, subscription: Subscription) => void;
  /** The listener of subscriptions without one, by kind. */
  readonly #toInbox: Readonly<Record<ChannelKind, MessageListener>>;

  constructor(
    environment: Environment,
    inbox: Inbox,
    onThrown: (error: unknown, subscription: Subscription) => void,
  ) {
    this.#environment = environment;
    this.#onThrown = onThrown;
    this.#toInbox = {
      channel: (payload, channel) => inbox.push({ kind: "channel", pattern: null, channel, payload }),
      pattern: (payload, channel, pattern) => inbox.push({ kind: "pattern", pattern, channel, payload }),
      shard: (payload, channel) => inbox.push({ kind: "shard", pattern: null, channel, payload }),
    };
  }

  toInbox(kind: ChannelKind): MessageListener {
    return this.#toInbox[kind];
  }

  push({ kind, items }: RespPush, recipients: Recipients): void {
    switch (kind) {
      case "message":
        this.#message(recipients, "channel", items);
        break;
      case "pmessage":
        this.#patternMessage(recipients, items);
        break;
      case "smessage":
        this.#message(recipients, "shard", items);
        break;
      case "subscribe":
        this.#confirmed(recipients, "channel", items);
        break;
      case "psubscribe":
        this.#confirmed(recipients, "pattern", items);
        break;
      case "ssubscribe":
        this.#confirmed(recipients, "shard", items);
        break;
      case "unsubscribe":
        this.#ended(recipients, "channel", items);
        break;
      case "punsubscribe":
        this.#ended(recipients, "pattern", items);
        break;
      case "sunsubscribe":
        this.#ended(recipients, "shard", items);
        break;
    }
  }

  #confirmed(recipients: Recipients, kind: ChannelKind, [name]: RespValue[]): void {
    if (name instanceof Uint8Array) recipients.confirmed(kind, keyOfBytes(name));
  }

  /** Without a name when there was nothing to end. */
  #ended(recipients: Recipients, kind: ChannelKind, [name]: RespValue[]): void {
    if (name instanceof Uint8Array) recipients.ended(kind, keyOfBytes(name), this.#environment.now());
  }

  #message(recipients: Recipients, kind: "channel" | "shard", [channel, payload]: RespValue[]): void {
    // An invalidated key of client-side caching comes as a message too, without bytes.
    if (!(channel instanceof Uint8Array) || !(payload instanceof Uint8Array)) return;
    const subscription = recipients.match(kind, channel);
    if (subscription !== undefined) this.#deliver(subscription, payload as Buffer, channel as Buffer, null);
  }

  #patternMessage(recipients: Recipients, [pattern, channel, payload]: RespValue[]): void {
    if (!(pattern instanceof Uint8Array && channel instanceof Uint8Array && payload instanceof Uint8Array))
      return;
    const subscription = recipients.match("pattern", pattern);
    if (subscription !== undefined)
      this.#deliver(subscription, payload as Buffer, channel as Buffer, pattern as Buffer);
  }

  #deliver(subscription: Subscription, payload: Buffer, channel: Buffer, pattern: Buffer | null): void {
    this.received += 1;
    const { listeners } = subscription;
    if (typeof listeners === "function") this.#call(subscription, listeners, payload, channel, pattern);
    else if (listeners !== null)
      // One of them may have taken off those behind it.
      for (const listener of listeners)
        if (subscription.listeners === listeners || subscription.has(listener))
          this.#call(subscription, listener, payload, channel, pattern);
  }

  #call(
    subscription: Subscription,
    listener: MessageListener,
    payload: Buffer,
    channel: Buffer,
    pattern: Buffer | null,
  ): void {
    try {
      const returned: unknown = listener(payload, channel, pattern);
      // An async listener fails by its promise.
      if (returned instanceof Promise) returned.catch((error) => this.#onThrown(error, subscription));
    } catch (error) {
      this.#onThrown(error, subscription);
    }
  }
}
