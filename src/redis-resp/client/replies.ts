import { ZmqError } from "../../errors.ts";
import { asText, type RespValue } from "../protocol/values.ts";
import type { Bulk, ReadOptions } from "./commands.ts";

/** What the replies to certain commands mean. Each throws EPROTO for a reply of another kind. */

export function any(reply: RespValue): RespValue {
  return reply;
}

export function integer(reply: RespValue): number {
  return typeof reply === "number" ? reply : unexpected("an integer", reply);
}

export function wholeNumber(reply: RespValue): number | bigint {
  return typeof reply === "bigint" ? reply : integer(reply);
}

/** Simple, verbatim or bulk. */
export function text(reply: RespValue): string {
  const shown = reply instanceof Uint8Array ? asText(reply) : reply;
  return typeof shown === "string" ? shown : unexpected("text", reply);
}

/** `+OK`, or null: not done. */
export function okOrNull(reply: RespValue): boolean {
  if (reply === null) return false;
  return reply === "OK" || unexpected("OK", reply);
}

export function bulkOrNull<O extends ReadOptions>(options?: O): (reply: RespValue) => Bulk<O> | null {
  const read = bulk(options);
  return (reply) => (reply === null ? null : read(reply));
}

export function bulks<O extends ReadOptions>(options?: O): (reply: RespValue) => Bulk<O>[] {
  const read = bulk(options);
  return (reply) => array(reply).map(read);
}

/** A map of RESP3, or the list that RESP2 has in its place. */
export function fields<O extends ReadOptions>(options?: O): (reply: RespValue) => Map<string, Bulk<O>> {
  const read = bulk(options);
  return (reply) => new Map(pairs(reply).map(([name, value]) => [text(name), read(value)]));
}

export function scanned<O extends ReadOptions>(
  options?: O,
): (reply: RespValue) => { cursor: string; keys: Bulk<O>[] } {
  const read = bulks(options);
  return (reply) => {
    const [cursor, keys] = array(reply);
    return { cursor: text(cursor as RespValue), keys: read(keys as RespValue) };
  };
}

function bulk<O extends ReadOptions>(options?: O): (reply: RespValue) => Bulk<O> {
  const asAsked = options?.text ? text : bytes;
  return asAsked as (reply: RespValue) => Bulk<O>;
}

function bytes(reply: RespValue): Uint8Array {
  return reply instanceof Uint8Array ? reply : unexpected("a bulk string", reply);
}

function array(reply: RespValue): RespValue[] {
  return Array.isArray(reply) ? reply : unexpected("an array", reply);
}

function pairs(reply: RespValue): [RespValue, RespValue][] {
  if (reply instanceof Map) return [...reply];
  const list = array(reply);
  if (list.length % 2 !== 0) unexpected("pairs", reply);
  return Array.from({ length: list.length / 2 }, (_, i) => [
    list[2 * i] as RespValue,
    list[2 * i + 1] as RespValue,
  ]);
}

function unexpected(wanted: string, reply: RespValue): never {
  const kind = reply === null ? "null" : Array.isArray(reply) ? "an array" : typeof reply;
  throw new ZmqError("EPROTO", `${wanted} was to come as the reply, not ${kind}`);
}
