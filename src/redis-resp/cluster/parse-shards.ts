import { asText, type RespValue, type TextValue } from "../protocol/values.ts";
import { readArray, readHost, readMap, readPort, readRange, readText } from "./reply.ts";
import type { ClusterNode, SlotRange } from "./topology.ts";

const COMMAND = "CLUSTER SHARDS";

export interface ShardsContext {
  /** The host of the node that was asked: it may leave out its own. */
  readonly askedHost: string;
  /** Take the TLS port where a node has two. */
  readonly tls: boolean;
}

/**
 * The reply to CLUSTER SHARDS (Redis 7): an array of shards, each `{ slots: [first, last, ...], nodes: [...] }`, each node
 * `{ id, port?, tls-port?, ip, endpoint, hostname?, role, replication-offset, health }`; maps in RESP3, flat arrays in RESP2.
 * @throws {ZmqError} EPROTO for anything else.
 */
export function parseClusterShards(reply: RespValue, context: ShardsContext): ClusterNode[] {
  return readArray(COMMAND, asText(reply)).flatMap((shard) => parseShard(readMap(COMMAND, shard), context));
}

function parseShard(shard: ReadonlyMap<TextValue, TextValue>, context: ShardsContext): ClusterNode[] {
  const ranges = readRanges(readArray(COMMAND, shard.get("slots")));
  const nodes = readArray(COMMAND, shard.get("nodes")).flatMap(
    (node) => parseNode(readMap(COMMAND, node), context) ?? [],
  );
  // After a failover the old master may still be listed as one, beside the new.
  const masters = nodes.filter(({ role }) => role === "master");
  const owner = masters.find(({ health }) => health !== "failed") ?? masters[0];
  return nodes.map((node) => ({
    ...node,
    masterId: node.role === "replica" ? (owner?.id ?? null) : null,
    slots: node === owner ? ranges : [],
  }));
}

function parseNode(
  node: ReadonlyMap<TextValue, TextValue>,
  context: ShardsContext,
): Omit<ClusterNode, "slots" | "masterId"> | null {
  const [plain, tls] = [readPort(node.get("port")), readPort(node.get("tls-port"))];
  const port = context.tls ? (tls ?? plain) : (plain ?? tls);
  if (port === null) return null;
  const host = readHost(node.get("endpoint"), node.get("ip"), context.askedHost);
  return {
    id: readText(node.get("id")) || `${host}:${port}`,
    host,
    port,
    role: readText(node.get("role")) === "master" ? "master" : "replica",
    health: readHealth(readText(node.get("health"))),
  };
}

/** `fail` is what 7.0 says, `failed` what its documentation does. */
function readHealth(health: string): ClusterNode["health"] {
  if (health === "fail" || health === "failed") return "failed";
  return health === "loading" ? "loading" : "online";
}

function readRanges(slots: TextValue[]): SlotRange[] {
  const ranges: SlotRange[] = [];
  for (let i = 0; i < slots.length; i += 2) ranges.push(readRange(COMMAND, slots[i], slots[i + 1]));
  return ranges;
}
