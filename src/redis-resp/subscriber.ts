import { ZmqError } from "../errors.ts";
import { Emitter } from "../runtime/emitter.ts";
import type { Environment } from "../runtime/environment.ts";
import { nodeEnvironment } from "../runtime/node.ts";
import { onAbort } from "../runtime/on-abort.ts";
import { throwUncaught } from "../runtime/uncaught.ts";
import { type CallOptions, closedError } from "./call.ts";
import type { RespConnection } from "./connection.ts";
import { isRefusal, ReplyError } from "./errors.ts";
import { Link } from "./link.ts";
import { resolveOptions } from "./options.ts";
import { bytesOf, type ChannelKind, type ChannelName, COMMANDS, keyOf } from "./pubsub/channel.ts";
import { Delivery } from "./pubsub/delivery.ts";
import type { SubscriberEvents, SubscriberOptions, SubscriberStats } from "./pubsub/events.ts";
import { Inbox, type ReceiveBatchOptions, type ReceivedMessage } from "./pubsub/inbox.ts";
import { INBOX_OPTIONS, resolveInbox } from "./pubsub/inbox-options.ts";
import type { Gap, GapReason } from "./pubsub/losses.ts";
import { Overflow } from "./pubsub/overflow.ts";
import type { MessageListener, Subscription } from "./pubsub/subscription.ts";
import { type Command, type SubscriptionState, Subscriptions } from "./pubsub/subscriptions.ts";

/** What a subscriber of a cluster's node needs besides. */
export interface SubscriberParts {
  /** Shard channels of two slots cannot be in one command. */
  readonly slotOf?: (channel: Uint8Array) => number;
  /** The server ended a subscription; it is asked again, and refuses with MOVED if another node has the channel now. */
  readonly onMoved?: (channel: Buffer) => void;
}

/**
 * Subscriptions at one Redis server. It connects at the first of them, and keeps them over every loss of the connection.
 *
 * Whatever may have cost messages is told by a `gap` event: the server keeps nothing for those who are not there. The process
 * lives while anything is subscribed to.
 *
 *     const subscriber = new RedisSubscriber({ host: "127.0.0.1", port: 6379 });
 *     await subscriber.subscribe("news", (payload, channel) => console.log(channel.toString(), payload.toString()));
 */
export class RedisSubscriber {
  readonly events: Emitter<SubscriberEvents>;
  readonly #environment: Environment;
  readonly #link: Link;
  readonly #subscriptions: Subscriptions;
  readonly #inbox: Inbox;
  readonly #overflow: Overflow;
  readonly #delivery: Delivery;
  #connection: RespConnection | null = null;
  /** Why a connection that ends now ends. */
  #lossReason: GapReason = "reconnect";
  #sendDue = false;
  #release: (() => void) | null = null;
  #isClosed = false;
  #dropped = 0;
  #gaps = 0;
  #connections = 0;

  /** @throws {ZmqError} EINVAL for an unknown option or one out of range; {TypeError} for one of the wrong kind. */
  constructor(
    options: SubscriberOptions = {},
    environment: Environment = nodeEnvironment(),
    parts: SubscriberParts = {},
  ) {
    const { locate, settings } = resolveOptions(options, INBOX_OPTIONS);
    this.#environment = environment;
    this.events = new Emitter(environment);
    this.#subscriptions = new Subscriptions(
      {
        onRefused: (subscription, error) => this.#onRefused(subscription, error),
        onMoved: ({ key }) => {
          parts.onMoved?.(bytesOf(key));
          this.#changed();
        },
      },
      parts.slotOf,
    );
    this.#overflow = new Overflow(environment, {
      onDropped: ({ kind, key }, count) =>
        this.events.emit({ type: "drop", kind, channel: bytesOf(key), count }),
      onOver: (subscriptions, since) => this.#onGap({ reason: "overflow", subscriptions, since }),
    });
    this.#inbox = new Inbox(
      environment,
      resolveInbox(options),
      (message) => this.#onDrop(message),
      () => this.#overflow.over(),
    );
    this.#delivery = new Delivery(environment, this.#subscriptions, this.#inbox, (error, { kind, key }) =>
      this.#onThrown(error, kind, bytesOf(key)),
    );
    this.#link = new Link({
      environment,
      settings,
      locate,
      handler: {
        onReady: (connection, address) => this.#onReady(connection, address),
        onPush: (push) => this.#delivery.push(push),
        onLost: (error, retryIn, address) => this.#onLost(error, retryIn, address),
        onFailed: (error, retryIn) => this.#onFailed(error, retryIn),
      },
    });
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
   * From the call on nothing of them is delivered. Resolves when the server sends no more of them, at once without a connection.
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
    return this.#subscriptions.state(kind, keyOf(channel));
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

  stats(): SubscriberStats {
    return {
      channels: this.#subscriptions.count("channel"),
      patterns: this.#subscriptions.count("pattern"),
      shardChannels: this.#subscriptions.count("shard"),
      received: this.#delivery.received,
      dropped: this.#dropped,
      queued: this.#inbox.length,
      gaps: this.#gaps,
      connections: this.#connections,
    };
  }

  /** Gives up the connection and looks for the server anew, at once: another one is responsible. */
  relocate(cause: ZmqError, reason: GapReason = "reconnect"): void {
    this.#lossReason = reason;
    this.#link.relocate(cause);
    this.#lossReason = "reconnect";
  }

  /** Final, and at once. What waits in the inbox is thrown away. */
  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#connection = null;
      this.#link.close();
      this.#subscriptions.close(closedError());
      this.#inbox.close();
      this.#changed();
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #subscribe(
    kind: ChannelKind,
    channels: ChannelName | readonly ChannelName[],
    listener: MessageListener = this.#delivery.toInbox(kind),
    { signal }: CallOptions = {},
  ): Promise<void> {
    const keys = keysOf(channels);
    if (typeof listener !== "function") throw new TypeError("a listener must be a function");
    if (keys.size === 0) throw new ZmqError("EINVAL", "no channel");
    if (this.#isClosed) return Promise.reject(closedError());
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const settle = {
        resolve: (): void => {
          forget();
          resolve();
        },
        reject: (error: unknown): void => {
          forget();
          reject(error);
        },
      };
      const giveUp = (): void => {
        this.#subscriptions.fail(call, signal?.reason);
        this.#changed();
      };
      const forget = onAbort(signal, giveUp);
      const call = this.#subscriptions.subscribe(kind, keys, listener, settle);
      this.#link.start();
      this.#changed();
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
      this.#subscriptions.unsubscribe(kind, keys, listener ?? null, { resolve, reject });
      this.#changed();
    });
  }

  /** What is wanted, or what stands in the way, is no longer the same. */
  #changed(): void {
    if (this.#subscriptions.isInUse) this.#release ??= this.#environment.hold();
    else {
      this.#release?.();
      this.#release = null;
    }
    if (this.#sendDue || this.#connection === null) return;
    this.#sendDue = true;
    // What is subscribed to in one turn goes out in one command.
    this.#environment.endOfTurn(() => {
      this.#sendDue = false;
      this.#send();
    });
  }

  #send(): void {
    const connection = this.#connection;
    if (connection === null) return;
    for (const command of this.#subscriptions.next()) {
      const { verb, kind, subscriptions } = command;
      const args = [COMMANDS[kind][verb], ...subscriptions.map(({ key }) => bytesOf(key))];
      connection.fenced(args, (error) => this.#onAnswered(command, error));
    }
  }

  #onAnswered(command: Command, error: ZmqError | null): void {
    // Any other error is the connection's, of which we hear by itself.
    if (error !== null && !(error instanceof ReplyError)) return;
    this.#subscriptions.answered(command, error);
    for (const gap of this.#subscriptions.takeGaps()) this.#onGap(gap);
    this.#changed();
  }

  #onReady(connection: RespConnection, address: string): void {
    connection.enterSubscriberMode();
    this.#connection = connection;
    this.#connections += 1;
    this.#subscriptions.connected();
    this.events.emit({ type: "connect", address });
    this.#send();
  }

  #onLost(error: ZmqError, retryIn: number, address: string): void {
    this.#connection = null;
    this.#subscriptions.lost(this.#lossReason, this.#environment.now());
    this.#changed();
    this.events.emit({ type: "disconnect", address, error, retryIn });
  }

  #onFailed(error: ZmqError, retryIn: number): void {
    if (isRefusal(error)) this.#subscriptions.failAll(error);
    this.#changed();
    this.events.emit({ type: "error", error, retryIn });
  }

  #onRefused({ kind, key }: Subscription, error: ZmqError): void {
    const channel = bytesOf(key);
    if (this.events.emit({ type: "error", error, kind, channel })) return;
    this.#environment.warn(`Redis does not send ${kind} ${channel.toString()}: ${error.message}`);
  }

  /** A listener's mistake is its own: nobody else's message is lost by it. */
  #onThrown(thrown: unknown, kind: ChannelKind, channel: Buffer): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
    if (!this.events.emit({ type: "error", error, kind, channel })) throwUncaught(this.#environment, thrown);
  }

  #onDrop({ kind, pattern, channel }: ReceivedMessage): void {
    this.#dropped += 1;
    const subscription = this.#subscriptions.match(kind, pattern ?? channel);
    if (subscription !== undefined) this.#overflow.dropped(subscription);
  }

  #onGap({ reason, subscriptions, since }: Gap): void {
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
      duration: this.#environment.now() - since,
    });
  }
}

function keysOf(channels: ChannelName | readonly ChannelName[]): Set<string> {
  const isOne = typeof channels === "string" || channels instanceof Uint8Array;
  if (!isOne && !Array.isArray(channels)) throw new TypeError("channels must be a string, bytes, or a list");
  return new Set((isOne ? [channels as ChannelName] : (channels as readonly ChannelName[])).map(keyOf));
}
