import { SLOTS } from "../cluster/slot.ts";
import type { Core } from "./core.ts";

/** A node of the cluster that the broker plays. */
export interface Node {
  readonly id: string;
  /** Empty: wherever the client has asked. */
  readonly host: string;
  readonly port: number;
  readonly isMyself: boolean;
  /** First and last slots. */
  readonly ranges: [from: number, to: number][];
}

/** The broker, which owns all slots, and those nodes that a fault has given some of them to. */
export function nodesOf(core: Core): Node[] {
  const { host, port } = core.address;
  const isEverywhere = host === "0.0.0.0" || host === "::";
  const myself: Node = { id: core.nodeId, host: isEverywhere ? "" : host, port, isMyself: true, ranges: [] };
  const nodes = new Map<string, Node>();
  for (let slot = 0; slot < SLOTS; slot++) {
    const owner = core.faults.moved.get(slot);
    const id = owner === undefined ? myself.id : idOf(owner.host, owner.port);
    const node =
      nodes.get(id) ?? (owner === undefined ? myself : { id, ...owner, isMyself: false, ranges: [] });
    nodes.set(id, node);
    const last = node.ranges.at(-1);
    if (last?.[1] === slot - 1) last[1] = slot;
    else node.ranges.push([slot, slot]);
  }
  return [...nodes.values()];
}

/** Another node's, made of its address: 20 bytes in hexadecimal digits. */
function idOf(host: string, port: number): string {
  const text = `${host}:${port}`.slice(-20);
  return Array.from(text, (letter) => letter.charCodeAt(0).toString(16).padStart(2, "0"))
    .join("")
    .padEnd(40, "0");
}
