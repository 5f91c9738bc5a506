import type { ReplyError } from "./errors.ts";
import { decodeText } from "./text.ts";

/**
 * What RESP2 and RESP3 can say.
 *
 * - simple string, verbatim string: string. Bulk string: bytes, a Buffer on Node
 * - integer: number, or bigint beyond 2^53. Double: number. Big number: bigint
 * - array and set: array. A set may have duplicates. Map: Map, in order, its keys as they came: bytes stay bytes
 * - simple and bulk error: {@link ReplyError}
 */
export type RespValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | ReplyError
  | RespValue[]
  | Map<RespValue, RespValue>;

/** The same without bytes. */
export type TextValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | ReplyError
  | TextValue[]
  | Map<TextValue, TextValue>;

/** What the server says without having been asked: a push of RESP3, or its like on a subscribed connection of RESP2. */
export class RespPush {
  /** `message`, `pmessage`, `subscribe`, `invalidate`... */
  readonly kind: string;
  /** What follows the kind. `message`: channel and payload; `pmessage`: pattern, channel and payload. */
  readonly items: RespValue[];

  constructor(kind: string, items: RespValue[]) {
    this.kind = kind;
    this.items = items;
  }
}

/** Bytes as text, at any depth, the keys of maps too. What is no UTF-8 becomes U+FFFD. */
export function asText(value: RespValue): TextValue {
  if (value instanceof Uint8Array) return decodeText(value, 0, value.length);
  if (Array.isArray(value)) return value.map(asText);
  if (value instanceof Map) {
    const texts = new Map<TextValue, TextValue>();
    for (const [key, item] of value) texts.set(asText(key), asText(item));
    return texts;
  }
  return value;
}
