import { SLOTS } from "./slot.ts";

/** First and last slot, both included. */
export type SlotRange = readonly [first: number, last: number];

export interface NodeAddress {
  /** A name, IPv4, or IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Names an address among others. */
export function nameOf({ host, port }: NodeAddress): string {
  return `${host}:${port}`;
}

export interface ClusterNode extends NodeAddress {
  /** 40 hexadecimal digits; `host:port` where the server did not say. */
  readonly id: string;
  readonly role: "master" | "replica";
  /** Of a replica, the id of its master. */
  readonly masterId: string | null;
  /**
   * `failed`: the masters have agreed that it is down; `suspect`: only the node that was asked cannot reach it;
   * `loading`: not yet in step with its master.
   */
  readonly health: "online" | "loading" | "suspect" | "failed";
  /** Of a master, what it serves; empty for replicas. */
  readonly slots: readonly SlotRange[];
}

/** Who serves what in a cluster, as one node saw it at one time. Never changed. */
export class Topology {
  readonly nodes: readonly ClusterNode[];
  /** Per slot, the index of its master in `nodes`; -1: nobody serves it. */
  readonly #owners = new Int16Array(SLOTS).fill(-1);

  constructor(nodes: readonly ClusterNode[]) {
    this.nodes = nodes;
    nodes.forEach((node, index) => {
      for (const [first, last] of node.slots) this.#owners.fill(index, first, last + 1);
    });
  }

  /** All masters, those without slots and those that failed included. */
  get masters(): ClusterNode[] {
    return this.nodes.filter(({ role }) => role === "master");
  }

  /** Nobody serves any slot. */
  get isEmpty(): boolean {
    return this.nodes.every(({ slots }) => slots.length === 0);
  }

  /** Every slot has an owner that has not failed. */
  get isComplete(): boolean {
    return this.#owners.every((index) => index >= 0 && this.nodes[index]!.health !== "failed");
  }

  /** The master that serves a slot, also if it has failed and nobody took over yet; null: nobody does. */
  ownerOf(slot: number): ClusterNode | null {
    return this.nodes[this.#owners[slot] ?? -1] ?? null;
  }

  replicasOf(master: ClusterNode): ClusterNode[] {
    return this.nodes.filter(({ masterId }) => masterId === master.id);
  }

  /** The node that is reached under this address. */
  at(address: NodeAddress): ClusterNode | null {
    return this.nodes.find(({ host, port }) => host === address.host && port === address.port) ?? null;
  }
}
