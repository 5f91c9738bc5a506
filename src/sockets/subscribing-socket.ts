import type { SubscribingPattern } from "./patterns/subscribing-pattern.ts";
import { ReceivingSocket } from "./receiving-socket.ts";
import { toTopics } from "./topic.ts";

/** What `Subscriber` and `XSubscriber` share. */
export abstract class SubscribingSocket<P extends SubscribingPattern> extends ReceivingSocket<P> {
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

  #topics(prefixes: readonly (string | Uint8Array)[]): Uint8Array[] {
    this.assertOpen();
    return toTopics(prefixes, this.pattern.environment);
  }
}
