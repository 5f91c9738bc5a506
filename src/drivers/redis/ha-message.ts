import { DecodeError } from "../errors.ts";
import { type UnpackedMessage, unpackMessage } from "../event/codec.ts";
import type { JsonValue, WireFields } from "../event/db-update.ts";
import { type NodeAddress, parseAddress } from "./node-address.ts";

/** Where the last Dragonflow tells of changes of the cluster. */
export const HA_TOPIC = "redis";

/** The masters that a message on {@link HA_TOPIC} names; null when it is not Dragonflow's own. */
export function readHaMessage(payload: Buffer): NodeAddress[] | null {
  let event: UnpackedMessage;
  try {
    event = unpackMessage(payload);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
  return isHaMessage(event) ? mastersIn(event) : null;
}

/** Whether an event is Dragonflow's own, for those who look after the connections to the database. */
export function isHaMessage({ table, key, action }: WireFields): boolean {
  return table === "ha" && key === "nodes" && action === "set";
}

/**
 * The masters that an HA message names. Its value is JSON text: a map from address to what CLUSTER NODES says of it.
 *
 *     {"10.0.0.1:6379@16379": {"node_id": "...", "role": "master", "master_id": "-", "slots": [["0", "16383"]], ...}, ...}
 *
 * @returns none for anything else.
 */
export function mastersIn({ value }: WireFields): NodeAddress[] {
  const nodes = typeof value === "string" ? parseJson(value) : value;
  if (typeof nodes !== "object" || nodes === null || Array.isArray(nodes)) return [];
  return Object.entries(nodes).flatMap(([address, node]) =>
    isMaster(node) ? (parseAddress(address) ?? []) : [],
  );
}

/** Those who have failed have no role, or their flags say so. */
function isMaster(node: unknown): boolean {
  if (typeof node !== "object" || node === null) return false;
  const { role, flags } = node as { role?: unknown; flags?: unknown };
  const words = String(role ?? flags ?? "").split(",");
  return words.includes("master") && !words.some((word) => word.startsWith("fail"));
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}
