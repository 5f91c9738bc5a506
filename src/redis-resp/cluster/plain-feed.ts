import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { Link } from "../connection/link.ts";
import type { Settings } from "../connection/options.ts";
import { isRefusal } from "../protocol/errors.ts";
import type { RespPush } from "../protocol/values.ts";
import { Feed, type FeedHandler } from "../pubsub/feed.ts";
import { type ClusterMap, shuffle } from "./cluster-map.ts";
import { type ClusterNode, nameOf, type Topology } from "./topology.ts";

export interface PlainFeedHandler {
  readonly feed: FeedHandler;
  onConnect(address: string): void;
  onPush(push: RespPush): void;
  onDisconnect(address: string, error: ZmqError, retryIn: number): void;
  onError(error: ZmqError, retryIn: number): void;
}

/**
 * Channels and patterns, from one node of the cluster, chosen at random: PUBLISH reaches all nodes. When it is lost, another one takes
 * its place at once.
 */
export class PlainFeed {
  readonly feed: Feed;
  readonly #environment: Environment;
  readonly #map: ClusterMap;
  readonly #link: Link;
  /** Where we are, or try to get. */
  #node: ClusterNode | null = null;
  /** Of the last connection that was lost; null: nothing is lost. */
  #lostAt: string | null = null;
  /** Nodes that were lost or not to be reached since the last success. */
  readonly #avoided = new Set<string>();

  constructor(environment: Environment, settings: Settings, map: ClusterMap, handler: PlainFeedHandler) {
    this.#environment = environment;
    this.#map = map;
    this.feed = new Feed(environment, {
      ...handler.feed,
      onGap: (gap) => {
        const isElsewhere = this.#lostAt !== null && this.#lostAt !== this.#name;
        this.#lostAt = null;
        handler.feed.onGap(isElsewhere ? { ...gap, reason: "failover" } : gap);
      },
    });
    this.#link = new Link({
      environment,
      settings,
      locate: () => this.#choose(),
      handler: {
        onReady: (connection, address) => {
          this.#avoided.clear();
          connection.enterSubscriberMode();
          this.feed.attach(connection);
          handler.onConnect(address);
        },
        onPush: (push) => handler.onPush(push),
        onLost: (error, retryIn, address) => {
          this.#lostAt ??= this.#name;
          this.#avoid();
          this.feed.detach("reconnect");
          handler.onDisconnect(address, error, retryIn);
        },
        onFailed: (error, retryIn) => {
          this.#avoid();
          if (isRefusal(error)) this.feed.subscriptions.failAll(error);
          this.feed.changed();
          handler.onError(error, retryIn);
        },
      },
    });
  }

  get #name(): string | null {
    return this.#node === null ? null : nameOf(this.#node);
  }

  start(): void {
    this.#link.start();
  }

  /** A node that the others hold to be dead, or do not know any more, brings nothing, even if it still answers us. */
  onTopology(topology: Topology): void {
    if (this.#link.connection === null || this.#node === null) return;
    const health = topology.at(this.#node)?.health ?? "failed";
    if (health === "failed")
      this.#link.relocate(new ZmqError("EHOSTDOWN", `${this.#name} has left the cluster`));
  }

  close(error: ZmqError): void {
    this.#link.close(error);
    this.feed.close(error);
  }

  #avoid(): void {
    if (this.#name !== null) this.#avoided.add(this.#name);
    // What it says on success or failure is told by others.
    this.#map.refresh().catch(() => {});
  }

  async #choose(): Promise<ClusterNode> {
    const known = this.#map.topology ?? (await this.#map.refresh());
    this.#node = this.#pick(known) ?? this.#pickAgain(await this.#map.refresh());
    return this.#node;
  }

  #pick({ nodes }: Topology): ClusterNode | undefined {
    const alive = nodes.filter((node) => node.health === "online" && !this.#avoided.has(nameOf(node)));
    return shuffle(alive, this.#environment)[0];
  }

  /** None is left that has not failed us yet. */
  #pickAgain(topology: Topology): ClusterNode {
    this.#avoided.clear();
    return this.#pick(topology) ?? (shuffle(topology.nodes, this.#environment)[0] as ClusterNode);
  }
}
