import type { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { nodeEnvironment } from "../../runtime/node.ts";
import type { RespConnection } from "../connection/connection.ts";
import { Link } from "../connection/link.ts";
import { resolveOptions } from "../connection/options.ts";
import { isRefusal } from "../protocol/errors.ts";
import type { SubscriberOptions } from "./events.ts";
import { Feed } from "./feed.ts";
import { INBOX_OPTIONS, resolveInbox } from "./inbox-options.ts";
import type { GapReason } from "./losses.ts";
import { Subscriber } from "./subscriber-base.ts";

/**
 * Subscriptions at one Redis server. It connects at the first of them, and keeps them over every loss of the connection.
 *
 * Whatever may have cost messages is told by a `gap` event: the server keeps nothing for those who are not there. The process
 * lives while anything is subscribed to.
 *
 *     const subscriber = new RedisSubscriber({ host: "127.0.0.1", port: 6379 });
 *     await subscriber.subscribe("news", (payload, channel) => console.log(channel.toString(), payload.toString()));
 */
export class RedisSubscriber extends Subscriber {
  readonly #link: Link;
  readonly #feed: Feed;
  /** Why a connection that ends now ends. */
  #lossReason: GapReason = "reconnect";

  /** @throws {ZmqError} EINVAL for an unknown option or one out of range; {TypeError} for one of the wrong kind. */
  constructor(options: SubscriberOptions = {}, environment: Environment = nodeEnvironment()) {
    const { locate, settings } = resolveOptions(options, INBOX_OPTIONS);
    super(environment, resolveInbox(options));
    this.#feed = new Feed(environment, this.feedHandler);
    this.#link = new Link({
      environment,
      settings,
      locate,
      handler: {
        onReady: (connection, address) => this.#onReady(connection, address),
        onPush: (push) => this.delivery.push(push, this.#feed.subscriptions),
        onLost: (error, retryIn, address) => {
          this.#feed.detach(this.#lossReason);
          this.events.emit({ type: "disconnect", address, error, retryIn });
        },
        onFailed: (error, retryIn) => this.#onFailed(error, retryIn),
      },
    });
  }

  /** Gives up the connection and looks for the server anew, at once: another one is responsible. */
  relocate(cause: ZmqError, reason: GapReason = "reconnect"): void {
    this.#lossReason = reason;
    this.#link.relocate(cause);
    this.#lossReason = "reconnect";
  }

  protected override feeds(): Iterable<Feed> {
    return [this.#feed];
  }

  protected override findFeed(): Feed {
    return this.#feed;
  }

  protected override openFeed(): Feed {
    this.#link.start();
    return this.#feed;
  }

  protected override closeFeeds(error: ZmqError): void {
    this.#link.close();
    this.#feed.close(error);
  }

  #onReady(connection: RespConnection, address: string): void {
    connection.enterSubscriberMode();
    this.connections += 1;
    this.#feed.attach(connection);
    this.events.emit({ type: "connect", address });
  }

  #onFailed(error: ZmqError, retryIn: number): void {
    if (isRefusal(error)) this.#feed.subscriptions.failAll(error);
    this.#feed.changed();
    this.events.emit({ type: "error", error, retryIn });
  }
}
