import { decodeText } from "./text.ts";
import type { RespValue } from "./values.ts";

/** Up to so many elements an array has its room at once; beyond, it grows as they come. */
const FEW = 64;

const NONE: RespValue[] = [];

/** An array, set, map, attribute or push whose elements are still coming. */
export class Aggregate {
  /** The byte that began it. */
  readonly type: number;
  /** What it is inside of. */
  readonly outer: Aggregate | null;
  /** 1 when it is inside of nothing. */
  readonly depth: number;
  /** Elements to come in all, two for each pair of a map; negative: until the end is said. The kind of a push is none of them. */
  size: number;
  items: RespValue[];
  /** Elements that have come. */
  count = 0;
  /** The next value is the first one of what may be a push. */
  awaitsKind: boolean;
  /** The kind of a push. */
  kind: string | null = null;

  constructor(type: number, size: number, outer: Aggregate | null, mayBePush: boolean) {
    this.type = type;
    this.outer = outer;
    this.depth = outer === null ? 1 : outer.depth + 1;
    this.size = size;
    this.awaitsKind = mayBePush;
    this.items = mayBePush ? NONE : roomFor(size);
  }

  /** @returns whether it is complete. */
  add(value: RespValue): boolean {
    if (this.awaitsKind) return this.#addFirst(value);
    this.items[this.count++] = value;
    return this.count === this.size;
  }

  /** A string is the kind, anything else an element. */
  #addFirst(value: RespValue): boolean {
    this.awaitsKind = false;
    if (typeof value === "string") this.kind = value;
    else if (value instanceof Uint8Array) this.kind = decodeText(value, 0, value.length);
    const isKind = this.kind !== null;
    if (isKind) this.size -= 1;
    this.items = roomFor(this.size);
    return isKind ? this.size === 0 : this.add(value);
  }
}

function roomFor(size: number): RespValue[] {
  return size > 0 && size <= FEW ? new Array<RespValue>(size) : [];
}

/** @param items keys and values in turn. */
export function toMap(items: readonly RespValue[]): Map<RespValue, RespValue> {
  const map = new Map<RespValue, RespValue>();
  for (let i = 0; i < items.length; i += 2) map.set(items[i] as RespValue, items[i + 1] as RespValue);
  return map;
}
