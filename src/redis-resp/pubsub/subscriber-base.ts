import { ZmqError } from "../../errors.ts";
import { Emitter } from "../../runtime/emitter.ts";
import type { Environment } from "../../runtime/environment.ts";
import { onAbort } from "../../runtime/on-abort.ts";
import { throwUncaught } from "../../runtime/uncaught.ts";
import { type CallOptions, closedError } from "../client/call.ts";
import { bytesOf, type ChannelKind, type ChannelName, keyOf } from "./channel.ts";
import { Delivery } from "./delivery.ts";
import type { SubscriberEvents, SubscriberStats } from "./events.ts";
import type { Feed, FeedHandler } from "./feed.ts";
import { Inbox, type InboxOptions, type ReceiveBatchOptions, type ReceivedMessage } from "./inbox.ts";
import { JointCall } from "./joint-call.ts";
import type { Gap } from "./losses.ts";
import { Overflow } from "./overflow.ts";
import type { MessageListener, Subscription } from "./subscription.ts";
import type { SubscriptionState } from "./subscriptions.ts";

/** Subscriptions as their user sees them, wherever the messages come from. */
export abstract class Subscriber {
  readonly events: Emitter<SubscriberEvents>;
  protected readonly environment: Environment;
  protected readonly delivery: Delivery;
  /** What all feeds have in common. */
  protected readonly feedHandler: FeedHandler;
  /** Connections that became ready. */
  protected connections = 0;
  readonly #inbox: Inbox;
  readonly #overflow: Overflow;
  #feedsInUse = 0;
  #release: (() => void) | null = null;
  #isClosed = false;
  #dropped = 0;
  #gaps = 0;

  protected constructor(environment: Environment, inbox: Required<InboxOptions>) {
    this.environment = environment;
    this.events = new Emitter(environment);
    this.#overflow = new Overflow(environment, {
      onDropped: ({ kind, key }, count) =>
        this.events.emit({ type: "drop", kind, channel: bytesOf(key), count }),
      onOver: (subscriptions, since) => this.onGap({ reason: "overflow", subscriptions, since }),
    });
    this.#inbox = new Inbox(
      environment,
      inbox,
      (message) => this.#onDrop(message),
      () => this.#overflow.over(),
    );
    this.delivery = new Delivery(environment, this.#inbox, (error, { kind, key }) =>
      this.#onThrown(error, kind, bytesOf(key)),
    );
    this.feedHandler = {
      onRefused: (subscription, error) => this.#onRefused(subscription, error),
      onGap: (gap) => this.onGap(gap),
      onUse: (isInUse) => this.#onUse(isInUse),
    };
  }

  /**
   * Resolves when the server has confirmed all channels: what is published from then on comes. Without a connection it waits for
   * one. A channel may have several listeners; one that is there already is not added again.
   *
   * Rejects when the server refuses a channel (NOPERM), or refuses to let us in (WRONGPASS...), with the signal's reason, and with
   * EBADF when closed; then this call has subscribed to nothing.
   *
   * @param channels text stands for its UTF-8 bytes.
   * @param listener none: the messages go into the inbox, to be read by `for await`, `receive` or `receiveBatch`.
   * @throws {TypeError} for what is no channel or listener. @throws {ZmqError} EINVAL for an empty list.
   */
  subscribe(
    channels: ChannelName | readonly ChannelName[],
    listener?: MessageListener,
    options?: CallOptions,
  ): Promise<void> {
    return this.#subscribe("channel", channels, listener, options);
  }

  /** The same by pattern: `*` `?` `[a-z]` `[^x]` `\x`. An ACL must allow it letter by letter. @see {@link subscribe} */
  psubscribe(
    patterns: ChannelName | readonly ChannelName[],
    listener?: MessageListener,
    options?: CallOptions,
  ): Promise<void> {
    return this.#subscribe("pattern", patterns, listener, options);
  }

  /** The same for shard channels. @see {@link subscribe} */
  ssubscribe(
    channels: ChannelName | readonly ChannelName[],
    listener?: MessageListener,
    options?: CallOptions,
  ): Promise<void> {
    return this.#subscribe("shard", channels, listener, options);
  }

  /**
   * From the call on no listener hears of them; what waits in the inbox stays there. Resolves when the server sends no more of
   * them, at once without a connection.
   *
   * @param channels none: all. @param listener this one only; the channel ends with its last one.
   */
  unsubscribe(channels?: ChannelName | readonly ChannelName[], listener?: MessageListener): Promise<void> {
    return this.#unsubscribe("channel", channels, listener);
  }

  /** @see {@link unsubscribe} */
  punsubscribe(patterns?: ChannelName | readonly ChannelName[], listener?: MessageListener): Promise<void> {
    return this.#unsubscribe("pattern", patterns, listener);
  }

  /** @see {@link unsubscribe} */
  sunsubscribe(channels?: ChannelName | readonly ChannelName[], listener?: MessageListener): Promise<void> {
    return this.#unsubscribe("shard", channels, listener);
  }

  /** Null for what is not subscribed to; `failed`: the server has refused it, and is asked again on the next connection. */
  state(channel: ChannelName, kind: ChannelKind = "channel"): SubscriptionState | null {
    const key = keyOf(channel);
    return this.findFeed(kind, key)?.subscriptions.state(kind, key) ?? null;
  }

  /** The next message of subscriptions without a listener. Rejects with EBADF when closed, with the signal's reason. */
  receive({ signal }: CallOptions = {}): Promise<ReceivedMessage> {
    return this.#inbox.receive(signal);
  }

  /** Waits for a message, then takes with it those that are there already, up to `max` (1000). @throws {ZmqError} EINVAL. */
  receiveBatch(options: ReceiveBatchOptions = {}): Promise<ReceivedMessage[]> {
    return this.#inbox.receiveBatch(options);
  }

  /** Ends with `close`. Leaving the loop ends no subscription. */
  [Symbol.asyncIterator](): AsyncIterator<ReceivedMessage, undefined> {
    return this.#inbox.iterate();
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  stats(): SubscriberStats {
    return {
      channels: this.#count("channel"),
      patterns: this.#count("pattern"),
      shardChannels: this.#count("shard"),
      received: this.delivery.received,
      dropped: this.#dropped,
      queued: this.#inbox.length,
      gaps: this.#gaps,
      connections: this.connections,
    };
  }

  /** Final, and at once. What waits in the inbox is thrown away. */
  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.closeFeeds(closedError());
      this.#overflow.clear();
      this.#inbox.close();
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** All feeds that bring this kind. */
  protected abstract feeds(kind: ChannelKind): Iterable<Feed>;
  /** The one that brings this channel, if there is one. */
  protected abstract findFeed(kind: ChannelKind, key: string): Feed | undefined;
  /** The same, made if there is none. Called before a subscription is added: its messages are wanted. */
  protected abstract openFeed(kind: ChannelKind, key: string): Feed;
  /** For good. */
  protected abstract closeFeeds(error: ZmqError): void;

  #subscribe(
    kind: ChannelKind,
    channels: ChannelName | readonly ChannelName[],
    listener: MessageListener = this.delivery.toInbox(kind),
    { signal }: CallOptions = {},
  ): Promise<void> {
    const keys = keysOf(channels);
    if (typeof listener !== "function") throw new TypeError("a listener must be a function");
    if (keys.size === 0) throw new ZmqError("EINVAL", "no channel");
    if (this.#isClosed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const joint: JointCall = new JointCall({
        resolve: () => {
          forget();
          resolve();
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      });
      const forget = onAbort(signal, () => joint.reject(signal?.reason));
      for (const [feed, itsKeys] of this.#byFeed(keys, (key) => this.openFeed(kind, key))) {
        joint.subscribe(feed, kind, itsKeys, listener);
      }
      joint.resolve();
    });
  }

  #unsubscribe(
    kind: ChannelKind,
    channels: ChannelName | readonly ChannelName[] | undefined,
    listener: MessageListener | undefined,
  ): Promise<void> {
    const keys = channels === undefined ? null : keysOf(channels);
    if (listener !== undefined && typeof listener !== "function")
      throw new TypeError("a listener must be a function");
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const joint = new JointCall({ resolve, reject });
      if (keys === null) {
        for (const feed of [...this.feeds(kind)]) joint.unsubscribe(feed, kind, null, listener ?? null);
      } else {
        for (const [feed, itsKeys] of this.#byFeed(keys, (key) => this.findFeed(kind, key))) {
          joint.unsubscribe(feed, kind, itsKeys, listener ?? null);
        }
      }
      joint.resolve();
    });
  }

  #byFeed(keys: Iterable<string>, feedOf: (key: string) => Feed | undefined): Map<Feed, Set<string>> {
    const groups = new Map<Feed, Set<string>>();
    for (const key of keys) {
      const feed = feedOf(key);
      if (feed === undefined) continue;
      const group = groups.get(feed);
      if (group === undefined) groups.set(feed, new Set([key]));
      else group.add(key);
    }
    return groups;
  }

  #count(kind: ChannelKind): number {
    let count = 0;
    for (const { subscriptions } of this.feeds(kind)) count += subscriptions.count(kind);
    return count;
  }

  #onUse(isInUse: boolean): void {
    this.#feedsInUse += isInUse ? 1 : -1;
    if (this.#feedsInUse > 0) this.#release ??= this.environment.hold();
    else {
      this.#release?.();
      this.#release = null;
    }
  }

  #onRefused({ kind, key }: Subscription, error: ZmqError): void {
    const channel = bytesOf(key);
    if (this.events.emit({ type: "error", error, kind, channel })) return;
    this.environment.warn(`Redis does not send ${kind} ${channel.toString()}: ${error.message}`);
  }

  /** A listener's mistake is its own: nobody else's message is lost by it. */
  #onThrown(thrown: unknown, kind: ChannelKind, channel: Buffer): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
    if (!this.events.emit({ type: "error", error, kind, channel })) throwUncaught(this.environment, thrown);
  }

  #onDrop({ kind, pattern, channel }: ReceivedMessage): void {
    this.#dropped += 1;
    const key = keyOf(pattern ?? channel);
    const subscription = this.findFeed(kind, key)?.subscriptions.find(kind, key);
    if (subscription !== undefined) this.#overflow.dropped(subscription);
  }

  protected onGap({ reason, subscriptions, since }: Gap): void {
    const named = (wanted: ChannelKind): Buffer[] =>
      subscriptions.filter(({ kind }) => kind === wanted).map(({ key }) => bytesOf(key));
    this.#gaps += 1;
    this.events.emit({
      type: "gap",
      reason,
      channels: named("channel"),
      patterns: named("pattern"),
      shardChannels: named("shard"),
      since,
      duration: this.environment.now() - since,
    });
  }
}

function keysOf(channels: ChannelName | readonly ChannelName[]): Set<string> {
  const isOne = typeof channels === "string" || channels instanceof Uint8Array;
  if (!isOne && !Array.isArray(channels)) throw new TypeError("channels must be a string, bytes, or a list");
  return new Set((isOne ? [channels as ChannelName] : (channels as readonly ChannelName[])).map(keyOf));
}
