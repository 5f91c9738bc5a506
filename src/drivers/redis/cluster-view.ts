import { parseClusterNodes } from "../../redis-resp/cluster/parse-nodes.ts";
import type { NodeAddress } from "./node-address.ts";

export interface Master {
  readonly id: string;
  readonly address: NodeAddress;
}

/** A cluster as one node sees it. */
export interface ClusterView {
  /** Of the node that was asked; null: it is no cluster, or does not tell. */
  readonly id: string | null;
  /** Those that have not failed; those in doubt only if there are no others. */
  readonly masters: readonly Master[];
  /** One of them has slots: not so for a node that has not joined yet, or that was reset. */
  readonly hasSlots: boolean;
}

export const NO_CLUSTER: ClusterView = { id: null, masters: [], hasSlots: false };

/** Asks one node. Rejects when it does not answer. */
export type AskNode = (node: NodeAddress) => Promise<ClusterView>;

/**
 * The reply to CLUSTER NODES.
 * @param askedHost the host of the node that was asked: it may not know its own.
 */
export function readClusterView(text: string, askedHost: string): ClusterView {
  const [, id = null] = /^(\S+) \S+ \S*\bmyself\b/m.exec(text) ?? [];
  const all = parseClusterNodes(text, askedHost).filter(({ role }) => role === "master");
  const online = all.filter(({ health }) => health === "online");
  const alive = online.length > 0 ? online : all.filter(({ health }) => health === "suspect");
  return {
    id,
    masters: alive.map(({ id, host, port }) => ({ id, address: { host, port } })),
    hasSlots: alive.some(({ slots }) => slots.length > 0),
  };
}

/** By its own word it is no master, or nobody serves anything. */
export function disownsItself(node: ClusterView): boolean {
  return !node.hasSlots || !lists(node, node.id);
}

/**
 * They do not hear each other: one of them does not list the other. Who knows of no slots has nothing to say
 * about others, and who is a replica by now is listed by nobody.
 */
export function areApart(node: ClusterView, other: ClusterView | null): boolean {
  if (other === null || !other.hasSlots) return false;
  return !lists(other, node.id) || (lists(other, other.id) && !lists(node, other.id));
}

/**
 * A node is out of its cluster when most of the known masters have it so: those that are apart from it and
 * have a cluster themselves, half of the masters at least; and it itself, which alone is not enough. Who does
 * not answer has it in, who knows of no slots does not count. So the masters of a cluster that falls to
 * pieces are not all out at once.
 *
 * @param others of all other masters that are known; null: did not answer.
 */
export function isOut(node: ClusterView, others: readonly (ClusterView | null)[]): boolean {
  const known = others.filter((other) => other === null || other.hasSlots).length + 1;
  const apart = others.filter((other) => areApart(node, other) && other!.masters.length * 2 >= known).length;
  const votes = apart + (disownsItself(node) ? 1 : 0);
  return apart > 0 && votes * 2 > known;
}

function lists({ masters }: ClusterView, id: string | null): boolean {
  return masters.some((master) => master.id === id);
}
