import type { RespValue } from "./values.ts";

/** Up to so many elements an array has its room at once; beyond, it grows as they come. */
const FEW = 64;

/** An array, set, map, attribute or push whose elements are still coming. Used again for the next one. */
export class Aggregate {
  /** The byte that began it. */
  type = 0;
  /** Elements to come in all, two for each pair of a map; -1: until the end is said. */
  size = 0;
  /** Elements that have come. */
  count = 0;
  /** All elements, but of a push those behind the first. */
  items: RespValue[] = [];
  /** A push, or an array that is one if its first element is a string. */
  mayBePush = false;
  /** Of what may be a push, the first element. */
  first: RespValue = null;

  begin(type: number, size: number, mayBePush: boolean): void {
    const room = mayBePush ? size - 1 : size;
    this.type = type;
    this.size = size;
    this.count = 0;
    this.items = room > 0 && room <= FEW ? new Array<RespValue>(room) : [];
    this.mayBePush = mayBePush;
  }

  /** @returns whether it is complete. */
  add(value: RespValue): boolean {
    const count = this.count++;
    if (!this.mayBePush) this.items[count] = value;
    else if (count === 0) this.first = value;
    else this.items[count - 1] = value;
    return this.count === this.size;
  }

  /** Hands out the elements and forgets them. */
  end(): RespValue[] {
    const items = this.items;
    this.items = [];
    this.first = null;
    return items;
  }
}

/** @param items keys and values in turn. */
export function toMap(items: readonly RespValue[]): Map<RespValue, RespValue> {
  const map = new Map<RespValue, RespValue>();
  for (let i = 0; i < items.length; i += 2) map.set(items[i] as RespValue, items[i + 1] as RespValue);
  return map;
}
