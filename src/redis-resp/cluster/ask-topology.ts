import { ReplyError } from "../protocol/errors.ts";
import { asText, type RespValue } from "../protocol/values.ts";
import type { NodeConnection } from "./node-connection.ts";
import { parseClusterNodes } from "./parse-nodes.ts";
import { parseClusterShards, type ShardsContext } from "./parse-shards.ts";
import { parseClusterSlots } from "./parse-slots.ts";
import { unreadable } from "./reply.ts";
import { type ClusterNode, Topology } from "./topology.ts";

type Parse = (reply: RespValue, context: ShardsContext) => ClusterNode[];

/** Newest first. SHARDS came with 7.0, and an ACL may allow one and not the other. */
const WAYS: readonly (readonly [string, Parse])[] = [
  ["SHARDS", parseClusterShards],
  ["SLOTS", (reply, { askedHost }) => parseClusterSlots(reply, askedHost)],
  ["NODES", (reply, { askedHost }) => parseClusterNodes(String(asText(reply)), askedHost)],
];

/**
 * The cluster as one node sees it.
 * @throws {ZmqError} a {@link ReplyError} of a server that is no cluster; EPROTO for what cannot be read; the connection's end.
 */
export async function askTopology(node: NodeConnection, tls: boolean): Promise<Topology> {
  const context = { askedHost: node.address.host, tls };
  let refusal: ReplyError | null = null;
  for (const [name, parse] of WAYS) {
    try {
      const topology = new Topology(parse(await node.ask("CLUSTER", name), context));
      // As a node does that has not joined yet, or that was told to forget the others.
      if (topology.isEmpty) throw unreadable(`CLUSTER ${name}`, "nobody serves any slot");
      return topology;
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}
