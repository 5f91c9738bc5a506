import type { ZmqError } from "../../errors.ts";
import type { Environment, Timer } from "../../runtime/environment.ts";
import type { ChannelKind } from "../pubsub/channel.ts";
import type { Feed } from "../pubsub/feed.ts";
import type { InboxOptions } from "../pubsub/inbox.ts";
import { Subscriber } from "../pubsub/subscriber-base.ts";
import type { ClusterMap } from "./cluster-map.ts";
import type { ClusterSettings } from "./options.ts";
import { PlainFeed } from "./plain-feed.ts";
import { ShardFeeds } from "./shard-feeds.ts";
import type { Topology } from "./topology.ts";

/**
 * Subscriptions in a Redis Cluster, made by {@link RedisCluster.subscriber}. Channels and patterns come from one node, chosen at random,
 * and from another as soon as that one is lost. Shard channels come from the owners of their slots, over failovers and moves.
 *
 * Whatever may have cost messages is told by a `gap` event, with these reasons besides those of a {@link RedisSubscriber}: `failover`,
 * another node has taken over; `moved`, the slot of a shard channel has another owner. What the cluster loses between its nodes nobody
 * can see here. The process lives while anything is subscribed to.
 */
export class ClusterSubscriber extends Subscriber {
  readonly #map: ClusterMap;
  readonly #interval: number;
  readonly #plain: PlainFeed;
  readonly #shards: ShardFeeds;
  readonly #onClose: () => void;
  #timer: Timer | null = null;

  constructor(
    environment: Environment,
    settings: ClusterSettings,
    map: ClusterMap,
    inbox: Required<InboxOptions>,
    onClose: () => void,
  ) {
    super(environment, inbox);
    this.#map = map;
    this.#interval = settings.slotsRefreshInterval;
    this.#onClose = onClose;
    const handler = {
      feed: this.feedHandler,
      onConnect: (address: string) => {
        this.connections += 1;
        this.events.emit({ type: "connect", address });
      },
      onDisconnect: (address: string, error: ZmqError, retryIn = 0) =>
        this.events.emit({ type: "disconnect", address, error, retryIn }),
      onError: (error: ZmqError, retryIn: number) => this.events.emit({ type: "error", error, retryIn }),
    };
    this.#plain = new PlainFeed(environment, settings.connection, map, {
      ...handler,
      onPush: (push) => this.delivery.push(push, this.#plain.feed.subscriptions),
    });
    this.#shards = new ShardFeeds(environment, settings.connection, map, {
      ...handler,
      onPush: (push, node) => this.delivery.push(push, node),
    });
  }

  /** @internal Somebody has asked who serves what. */
  onTopology(topology: Topology): void {
    this.#plain.onTopology(topology);
    this.#shards.onTopology(topology);
  }

  protected override feeds(kind: ChannelKind): Iterable<Feed> {
    return kind === "shard" ? this.#shards : [this.#plain.feed];
  }

  protected override findFeed(kind: ChannelKind, key: string): Feed | undefined {
    return kind === "shard" ? this.#shards.find(key) : this.#plain.feed;
  }

  protected override openFeed(kind: ChannelKind, key: string): Feed {
    this.#timer ??= this.#refreshLater();
    if (kind === "shard") return this.#shards.open(key);
    this.#plain.start();
    return this.#plain.feed;
  }

  protected override closeFeeds(error: ZmqError): void {
    this.#timer?.cancel();
    this.#plain.close(error);
    this.#shards.close(error);
    this.#onClose();
  }

  /** A replica whose master has changed, a node that was cut off: they tell nobody. */
  #refreshLater(): Timer {
    return this.environment.setTimer(this.#interval, () => {
      this.#timer = this.#refreshLater();
      this.#map.refresh().catch(() => {});
    });
  }
}
