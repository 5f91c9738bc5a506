import { slotOf } from "../../cluster/slot.ts";
import { type Node, nodesOf } from "../cluster-view.ts";
import { type Command, CommandError, container } from "../command.ts";
import type { Session } from "../session.ts";

/** The broker as a cluster of one node, where it was asked to play one. */
export const CLUSTER: readonly Command[] = [
  container("cluster", [
    inCluster("cluster|slots", 2, slots),
    inCluster("cluster|shards", 2, shards),
    inCluster("cluster|nodes", 2, nodes),
    inCluster("cluster|info", 2, info),
    inCluster("cluster|myid", 2, ({ reply, core }) => reply.text(core.nodeId)),
    inCluster("cluster|keyslot", 3, ({ reply }, [, , key]) => reply.integer(slotOf(key as Uint8Array))),
  ]),
  inCluster("readonly", 1, ({ reply }) => reply.ok()),
  inCluster("readwrite", 1, ({ reply }) => reply.ok()),
  inCluster("asking", 1, ({ reply }) => reply.ok()),
];

function inCluster(name: string, arity: number, run: Command["run"]): Command {
  return {
    name,
    arity,
    flags: ["stale"],
    run(session, args) {
      if (session.core.options.cluster) run(session, args);
      else throw new CommandError("ERR This instance has cluster support disabled");
    },
  };
}

function slots({ reply, core }: Session): void {
  const ranges = nodesOf(core).flatMap((node) => node.ranges.map((range) => ({ range, node })));
  reply.array(ranges.length);
  for (const { range, node } of ranges.sort((a, b) => a.range[0] - b.range[0])) {
    reply.array(3);
    reply.integer(range[0]);
    reply.integer(range[1]);
    reply.array(4);
    reply.text(node.host);
    reply.integer(node.port);
    reply.text(node.id);
    reply.map(0);
  }
}

function shards({ reply, core }: Session): void {
  const all = nodesOf(core);
  reply.array(all.length);
  for (const node of all) {
    reply.map(2);
    reply.text("slots");
    reply.array(2 * node.ranges.length);
    for (const slot of node.ranges.flat()) reply.integer(slot);
    reply.text("nodes");
    reply.array(1);
    shardNode(reply, node);
  }
}

function shardNode(reply: Session["reply"], { id, host, port }: Node): void {
  const items = {
    id,
    port,
    ip: host,
    endpoint: host,
    role: "master",
    "replication-offset": 0,
    health: "online",
  };
  reply.map(Object.keys(items).length);
  for (const [name, value] of Object.entries(items)) {
    reply.text(name);
    if (typeof value === "number") reply.integer(value);
    else reply.text(value);
  }
}

function nodes({ reply, core }: Session): void {
  const lines = nodesOf(core).map(({ id, host, port, isMyself, ranges }) => {
    const shown = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(" ");
    const flags = isMyself ? "myself,master" : "master";
    return `${id} ${host}:${port}@${port} ${flags} - 0 0 1 connected ${shown}\n`;
  });
  reply.verbatim(lines.join(""));
}

function info({ reply, core }: Session): void {
  const known = nodesOf(core).length;
  reply.verbatim(
    [
      "cluster_state:ok",
      "cluster_slots_assigned:16384",
      "cluster_slots_ok:16384",
      "cluster_slots_pfail:0",
      "cluster_slots_fail:0",
      `cluster_known_nodes:${known}`,
      `cluster_size:${known}`,
      "cluster_current_epoch:1",
      "cluster_my_epoch:1",
      "",
    ].join("\r\n"),
  );
}
