import type { RespValue } from "../../../src/redis-resp/protocol/values.ts";

/** What a test spells: objects are maps as RESP3 has them. */
export type Spelled = null | number | string | readonly Spelled[] | { readonly [key: string]: Spelled };

/** As the decoder gives it: every text is a bulk string, so bytes, keys included. */
export function resp3(value: Spelled): RespValue {
  if (typeof value === "string") return Buffer.from(value);
  if (value === null || typeof value !== "object") return value as null | number;
  if (isArray(value)) return value.map(resp3);
  return new Map(Object.entries(value).map(([key, item]) => [Buffer.from(key), resp3(item)]));
}

/** The same in RESP2, where a map is the array of its keys and values in turn. */
export function resp2(value: Spelled): RespValue {
  if (value === null || typeof value !== "object") return resp3(value);
  if (isArray(value)) return value.map(resp2);
  return Object.entries(value).flatMap(([key, item]) => [Buffer.from(key), resp2(item)]);
}

function isArray(value: Spelled): value is readonly Spelled[] {
  return Array.isArray(value);
}
