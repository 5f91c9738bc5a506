import { ZmqError } from "../../errors.ts";
import type { Environment, Timer } from "../../runtime/environment.ts";
import type { Settings } from "../connection/options.ts";
import { isRefusal, type ReplyError } from "../protocol/errors.ts";
import type { RespPush } from "../protocol/values.ts";
import { bytesOf } from "../pubsub/channel.ts";
import { Feed, type FeedHandler } from "../pubsub/feed.ts";
import type { ClusterMap } from "./cluster-map.ts";
import { GapBatch } from "./gap-batch.ts";
import { parseRedirect } from "./redirect.ts";
import { ShardNode } from "./shard-node.ts";
import { ShardSlot } from "./shard-slot.ts";
import { slotOf } from "./slot.ts";
import { type NodeAddress, nameOf, type Topology } from "./topology.ts";

/** Replies that say that the node is the wrong one, or is not ready. */
const MISPLACED: ReadonlySet<string> = new Set([
  "MOVED",
  "ASK",
  "CLUSTERDOWN",
  "TRYAGAIN",
  "LOADING",
  "MASTERDOWN",
]);

/** ms that a failover may take; with the default `cluster-node-timeout` it is half of that. */
const FAILOVER = 30_000;

export interface ShardFeedsHandler {
  readonly feed: FeedHandler;
  onConnect(address: string): void;
  onPush(push: RespPush, node: ShardNode): void;
  onDisconnect(address: string, error: ZmqError): void;
  /** The cluster, or a node of it, is not to be reached. @param retryIn ms. */
  onError(error: ZmqError, retryIn: number): void;
}

/**
 * Shard channels, each at the owner of its slot: one connection to each owner, one feed for each slot.
 *
 * A slot without a connection is looked for until it has one: the cluster is asked at once, then every `reconnectInterval` ms, so that
 * a replica is found soon after its promotion; after half a minute every `reconnectMaxInterval`.
 */
export class ShardFeeds {
  readonly #environment: Environment;
  readonly #settings: Settings;
  readonly #map: ClusterMap;
  readonly #handler: ShardFeedsHandler;
  readonly #gaps: GapBatch;
  readonly #slots = new Map<number, ShardSlot>();
  readonly #nodes = new Map<string, ShardNode>();
  #isLooking = false;
  #lastLook = Number.NEGATIVE_INFINITY;
  /** Since when at least one slot has had no connection; null: all have. */
  #incompleteSince: number | null = null;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(environment: Environment, settings: Settings, map: ClusterMap, handler: ShardFeedsHandler) {
    this.#environment = environment;
    this.#settings = settings;
    this.#map = map;
    this.#handler = handler;
    this.#gaps = new GapBatch(environment, (gap) => handler.feed.onGap(gap));
  }

  *[Symbol.iterator](): IterableIterator<Feed> {
    for (const { feed } of this.#slots.values()) yield feed;
  }

  find(key: string): Feed | undefined {
    return this.#slots.get(slotOf(bytesOf(key)))?.feed;
  }

  open(key: string): Feed {
    const number = slotOf(bytesOf(key));
    let slot = this.#slots.get(number);
    if (slot === undefined) {
      slot = new ShardSlot(number, (made) => new Feed(this.#environment, this.#feedHandler(made)));
      this.#slots.set(number, slot);
      if (this.#map.topology !== null) this.#place(slot, this.#map.topology);
      if (slot.feed.connection === null) this.#look();
    }
    return slot.feed;
  }

  /** Somebody has asked who serves what. */
  onTopology(topology: Topology): void {
    for (const node of [...this.#nodes.values()]) {
      if (topology.at(node.address)?.health !== "failed") continue;
      const error = new ZmqError("EHOSTDOWN", `${node.name} has failed`);
      const wasReady = node.connection !== null;
      node.close(error);
      this.#onEnd(node, error, wasReady);
    }
    for (const slot of this.#slots.values()) this.#place(slot, topology);
  }

  close(error: ZmqError): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const node of this.#nodes.values()) node.close(error);
    for (const { feed } of [...this.#slots.values()]) feed.close(error);
    this.#slots.clear();
    this.#nodes.clear();
  }

  #feedHandler(slot: ShardSlot): FeedHandler {
    const { feed } = this.#handler;
    return {
      ...feed,
      onGap: (gap) => this.#gaps.add(slot.explain(gap)),
      onUse: (isInUse) => {
        feed.onUse(isInUse);
        if (!isInUse) this.#remove(slot);
      },
      onMoved: () => this.#displace(slot, slot.node?.address),
      isMisplaced: (error) => this.#isMisplaced(slot, error),
    };
  }

  #isMisplaced(slot: ShardSlot, error: ReplyError): boolean {
    if (!MISPLACED.has(error.code)) return false;
    const redirect = parseRedirect(error.message, slot.node?.address.host ?? "");
    this.#displace(slot, redirect?.target ?? undefined);
    return true;
  }

  /** Its node has told us that it is not the owner. @param knows who may know better. */
  #displace(slot: ShardSlot, knows: NodeAddress | undefined): void {
    const { node } = slot;
    slot.leave("moved");
    if (node !== null) this.#closeIfUnused(node);
    this.#look(knows);
  }

  #remove(slot: ShardSlot): void {
    const { node } = slot;
    if (this.#slots.get(slot.number) === slot) this.#slots.delete(slot.number);
    slot.leave("moved");
    if (node !== null) this.#closeIfUnused(node);
  }

  /** Has it served by its owner, as far as that is known and lives. */
  #place(slot: ShardSlot, topology: Topology): void {
    const owner = topology.ownerOf(slot.number);
    if (owner === null || owner.health === "failed") return;
    const { node } = slot;
    if (node?.name === nameOf(owner)) return;
    if (node !== null) {
      // It serves us still, as a replica does: it is told to stop.
      const channels = slot.feed.subscriptions.keys("shard").map(bytesOf);
      slot.leave("moved");
      if (node.slots.size > 0 && channels.length > 0)
        node.connection?.fenced(["SUNSUBSCRIBE", ...channels], () => {});
      this.#closeIfUnused(node);
    }
    this.#nodeAt(owner).add(slot);
  }

  #nodeAt({ host, port }: NodeAddress): ShardNode {
    const name = nameOf({ host, port });
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = new ShardNode({ host, port }, this.#environment, this.#settings, {
        onReady: () => this.#handler.onConnect(name),
        onPush: (it, push) => this.#handler.onPush(push, it),
        onEnd: (it, error, wasReady) => this.#onEnd(it, error, wasReady),
      });
      this.#nodes.set(name, node);
    }
    return node;
  }

  #onEnd(node: ShardNode, error: ZmqError, wasReady: boolean): void {
    if (this.#nodes.get(node.name) === node) this.#nodes.delete(node.name);
    const slots = [...node.slots.values()];
    for (const slot of slots) slot.leave("reconnect");
    if (isRefusal(error)) this.#refuse(slots, error);
    if (wasReady) this.#handler.onDisconnect(node.name, error);
    else this.#handler.onError(error, this.#pause());
    this.#look();
  }

  #closeIfUnused(node: ShardNode): void {
    if (node.slots.size > 0) return;
    this.#nodes.delete(node.name);
    node.close(new ZmqError("ECANCELED", "no longer needed"));
  }

  /** Asks the cluster, at once or soon after the last time, and again as long as a slot has no connection. */
  #look(knows?: NodeAddress): void {
    if (this.#isClosed || this.#isLooking) return;
    this.#timer?.cancel();
    const wait = this.#lastLook + this.#pause() - this.#environment.now();
    if (wait > 0) this.#timer = this.#environment.setTimer(wait, () => this.#lookNow(knows));
    else this.#lookNow(knows);
  }

  #lookNow(knows?: NodeAddress): void {
    this.#isLooking = true;
    this.#lastLook = this.#environment.now();
    this.#map
      .refresh(knows)
      .catch((error: ZmqError) => this.#onUnknown(error))
      .then(() => {
        this.#isLooking = false;
        const isComplete = [...this.#slots.values()].every(({ feed }) => feed.connection !== null);
        if (isComplete) this.#incompleteSince = null;
        else {
          this.#incompleteSince ??= this.#environment.now();
          this.#look();
        }
      });
  }

  /** Nobody has told us who serves what. */
  #onUnknown(error: ZmqError): void {
    if (this.#isClosed) return;
    if (isRefusal(error))
      this.#refuse(
        [...this.#slots.values()].filter(({ feed }) => feed.connection === null),
        error,
      );
    this.#handler.onError(error, this.#pause());
  }

  /** We are not let in: nobody is to wait for it in vain, and who does not now will not in a moment either. */
  #refuse(slots: readonly ShardSlot[], error: ZmqError): void {
    this.#incompleteSince = Number.NEGATIVE_INFINITY;
    for (const { feed } of slots) {
      feed.subscriptions.failAll(error);
      feed.changed();
    }
  }

  #pause(): number {
    const { reconnectInterval, reconnectMaxInterval } = this.#settings;
    const since = this.#incompleteSince ?? this.#environment.now();
    return this.#environment.now() - since > FAILOVER ? reconnectMaxInterval : reconnectInterval;
  }
}
