import { readPort, readRange, unreadable } from "./reply.ts";
import type { ClusterNode, SlotRange } from "./topology.ts";

const COMMAND = "CLUSTER NODES";

/**
 * The reply to CLUSTER NODES, a line per node:
 *
 *     id ip:port@cport[,hostname[,more]] flags master-id|- ping pong epoch link-state [slot | first-last | [migrating]]...
 *
 * Nodes that cannot be dialled are left out: no address (`noaddr`, port 0), or a handshake that is not over.
 * @param askedHost the host of the node that was asked: it may not know its own.
 * @throws {ZmqError} EPROTO for anything else.
 */
export function parseClusterNodes(text: string, askedHost: string): ClusterNode[] {
  return text.split(/\r?\n/).flatMap((line) => (line === "" ? [] : (parseNode(line, askedHost) ?? [])));
}

function parseNode(line: string, askedHost: string): ClusterNode | null {
  const [id = "", address = "", flagList = "", masterId = "", , , , link, ...slots] = line.split(" ");
  if (link === undefined) throw unreadable(COMMAND, "a line has too few fields");
  // Before 4.0 there is no @cport. IPv6 has no brackets: the last colon stands before the port.
  const [, host = "", digits] = /^([^,]*):(\d{1,5})(?:@\d+)?(?:,.*)?$/.exec(address) ?? [];
  if (digits === undefined) throw unreadable(COMMAND, `${address} is no address`);
  const flags = flagList.split(",");
  const port = readPort(digits);
  if (port === null || flags.includes("noaddr") || flags.includes("handshake")) return null;
  const isMaster = flags.includes("master");
  return {
    id,
    host: host || askedHost,
    port,
    role: isMaster ? "master" : "replica",
    masterId: isMaster || masterId === "-" ? null : masterId,
    health: flags.includes("fail") ? "failed" : flags.includes("fail?") ? "suspect" : "online",
    slots: isMaster ? slots.flatMap(parseSlots) : [],
  };
}

/** `93`, `0-5460`; a slot on its way, `[93->-id]` or `[93-<-id]`, still belongs to the one that lists it without brackets. */
function parseSlots(field: string): SlotRange[] {
  if (field === "" || field.startsWith("[")) return [];
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(field) ?? [];
  return [readRange(COMMAND, Number(first), Number(last))];
}
