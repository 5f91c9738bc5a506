import { ZmqError } from "../../errors.ts";
import type { TextValue } from "../protocol/values.ts";
import { SLOTS } from "./slot.ts";
import type { SlotRange } from "./topology.ts";

type Maybe = TextValue | undefined;

/** A reply that is not what the command promises. */
export function unreadable(command: string, what: string): ZmqError {
  return new ZmqError("EPROTO", `${command}: ${what}`);
}

/** @throws {ZmqError} EPROTO */
export function readArray(command: string, value: Maybe): TextValue[] {
  if (!Array.isArray(value)) throw unreadable(command, "an array was expected");
  return value;
}

/** A map, or as RESP2 has it the array of its keys and values in turn. @throws {ZmqError} EPROTO */
export function readMap(command: string, value: Maybe): ReadonlyMap<TextValue, TextValue> {
  if (value instanceof Map) return value;
  const items = readArray(command, value);
  const map = new Map<TextValue, TextValue>();
  for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i]!, items[i + 1]!);
  return map;
}

export function readText(value: Maybe): string {
  return typeof value === "string" ? value : "";
}

/** @returns null for what is no port: a number, or its digits, from 1 to 65535. */
export function readPort(value: Maybe): number | null {
  const port = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65536 ? port : null;
}

/** @throws {ZmqError} EPROTO */
export function readRange(command: string, first: Maybe, last: Maybe): SlotRange {
  if (!isSlot(first) || !isSlot(last) || first > last) throw unreadable(command, "no range of slots");
  return [first, last];
}

function isSlot(value: Maybe): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < SLOTS;
}

/**
 * The host of a node. The server leaves it empty, or null, where it is the one that was asked, and gives `?` for a name it
 * does not know: then its address stands beside it.
 */
export function readHost(endpoint: Maybe, ip: Maybe, askedHost: string): string {
  const name = readText(endpoint);
  return (name === "?" ? readText(ip) : name) || askedHost;
}
