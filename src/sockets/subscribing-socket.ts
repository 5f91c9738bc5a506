import type { Message } from "./message.ts";
import type { CallOptions } from "./options.ts";
import type { ReceiveOptions } from "./queue-options.ts";
import type { ReceiveBatchOptions } from "./receiver.ts";
import { Socket } from "./socket.ts";
import type { SubscribingPattern } from "./subscribing-pattern.ts";
import { toTopics } from "./topic.ts";

// biome-ignore lint/correctness/noUnusedVariables: both declarations must have the same parameters.
export interface SubscribingSocket<P extends SubscribingPattern> extends ReceiveOptions {}

/** What `Subscriber` and `XSubscriber` share. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, which the classes define.
export abstract class SubscribingSocket<P extends SubscribingPattern> extends Socket<P> {
  /**
   * Subscribes to prefixes of the first part; without argument, or with an empty one, to everything. Counted: what was subscribed
   * to twice must be unsubscribed twice. All subscriptions are sent again on every reconnect, whatever the high-water mark.
   * The bytes are copied at the call.
   *
   * @throws {ZmqError} EBADF when the socket is closed. @throws {TypeError} for what is neither text nor bytes; then none counts.
   */
  subscribe(...prefixes: (string | Uint8Array)[]): void {
    for (const topic of this.#topics(prefixes)) this.pattern.subscribe(topic);
  }

  /** The reverse of `subscribe`, with the same errors. A prefix that is not subscribed to is ignored. */
  unsubscribe(...prefixes: (string | Uint8Array)[]): void {
    for (const topic of this.#topics(prefixes)) this.pattern.unsubscribe(topic);
  }

  /**
   * Resolves when every publisher now connected has the subscriptions made so far: it has answered a PING sent behind them
   * ("answered"), or, where a peer answers none, a second has passed since they left ("assumed").
   *
   * libzmq answers a moment before it applies a subscription (some milliseconds).
   *
   * @throws {ZmqError} at once: EBADF when the socket is closed. By rejection: EAGAIN when nobody is connected, ECONNRESET when
   *   a connection is lost meanwhile, EBUSY when 1000 calls wait already.
   */
  confirmed(): Promise<"answered" | "assumed"> {
    this.assertOpen();
    return this.pattern.confirm();
  }

  /** @see Pull.receive */
  receive({ signal }: CallOptions = {}): Promise<Message> {
    this.assertOpen();
    return this.pattern.receiver.receive(signal);
  }

  /**
   * Waits for a message, then takes with it those that are there already, up to `max` (1000).
   *
   * @throws {ZmqError} as `receive`; EINVAL at once for a `max` below 1.
   */
  receiveBatch(options: ReceiveBatchOptions = {}): Promise<Message[]> {
    this.assertOpen();
    return this.pattern.receiver.receiveBatch(options);
  }

  /** Ends when the socket is closed. Leaving the loop does not close the socket. */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return this.pattern.receiver.iterate();
  }

  #topics(prefixes: readonly (string | Uint8Array)[]): Uint8Array[] {
    this.assertOpen();
    return toTopics(prefixes, this.pattern.environment);
  }
}
