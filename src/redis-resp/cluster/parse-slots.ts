import { asText, type RespValue, type TextValue } from "../protocol/values.ts";
import { readArray, readHost, readMap, readPort, readRange, readText } from "./reply.ts";
import type { ClusterNode, SlotRange } from "./topology.ts";

const COMMAND = "CLUSTER SLOTS";

/**
 * The reply to CLUSTER SLOTS: an array of `[first, last, master, replica...]`, each node `[host, port, id, metadata]`. A
 * master comes once per range of its slots. Of their health it says nothing.
 * @param askedHost the host of the node that was asked: it may leave out its own.
 * @throws {ZmqError} EPROTO for anything else.
 */
export function parseClusterSlots(reply: RespValue, askedHost: string): ClusterNode[] {
  const nodes = new Map<string, ClusterNode & { slots: SlotRange[] }>();
  for (const entry of readArray(COMMAND, asText(reply))) {
    const [first, last, ...listed] = readArray(COMMAND, entry);
    const range = readRange(COMMAND, first, last);
    const [master, ...replicas] = listed.map((node) => parseNode(readArray(COMMAND, node), askedHost));
    if (master) {
      const known = nodes.get(master.id);
      // A node that serves slots is a master, whatever another range says of it.
      if (known?.role === "master") known.slots.push(range);
      else nodes.set(master.id, { ...master, role: "master", masterId: null, slots: [range] });
    }
    for (const replica of replicas) {
      if (!replica || nodes.has(replica.id)) continue;
      nodes.set(replica.id, { ...replica, role: "replica", masterId: master?.id ?? null, slots: [] });
    }
  }
  return [...nodes.values()];
}

function parseNode(
  node: TextValue[],
  askedHost: string,
): Pick<ClusterNode, "id" | "host" | "port" | "health"> | null {
  const [endpoint, portNumber, nodeId, metadata] = node;
  const port = readPort(portNumber);
  if (port === null) return null;
  const host = readHost(endpoint, readMap(COMMAND, metadata ?? []).get("ip"), askedHost);
  // Before 4.0 nodes come without an id.
  return { id: readText(nodeId) || `${host}:${port}`, host, port, health: "online" };
}
