import type { Feed } from "../pubsub/feed.ts";
import type { Gap, GapReason } from "../pubsub/losses.ts";
import type { ShardNode } from "./shard-node.ts";

/** The shard channels of one slot: they have one owner, and move together. */
export class ShardSlot {
  readonly number: number;
  readonly feed: Feed;
  /** Where their messages come from, or will when the connection is there. */
  node: ShardNode | null = null;
  /** Where they came from when they were lost; null while nothing is lost. */
  #lostAt: string | null = null;

  /** @param makeFeed given the slot, which its handler will want. */
  constructor(number: number, makeFeed: (slot: ShardSlot) => Feed) {
    this.number = number;
    this.feed = makeFeed(this);
  }

  /** Takes it from its node. */
  leave(reason: GapReason): void {
    if (this.node === null) return;
    if (this.feed.connection !== null) this.#lostAt ??= this.node.name;
    this.node.slots.delete(this.number);
    this.node = null;
    this.feed.detach(reason);
  }

  /** What a gap that is over was: a failover, when the messages come from another node since the connection was lost. */
  explain(gap: Gap): Gap {
    const isElsewhere = this.#lostAt !== null && this.#lostAt !== this.node?.name;
    this.#lostAt = null;
    return gap.reason === "reconnect" && isElsewhere ? { ...gap, reason: "failover" } : gap;
  }
}
