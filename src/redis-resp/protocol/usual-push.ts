import type { Input } from "./input.ts";
import { RespPush, type RespValue } from "./values.ts";

/**
 * Pushes like the last ones. Messages come in long rows of one kind, alike up to the channel: what they begin with is compared
 * as a whole, and the strings behind it are read in one go.
 */
export class UsualPush {
  /** The byte that begins it. */
  readonly type: number;
  readonly kind: string;
  /** Strings behind the kind. */
  readonly count: number;
  readonly #head: Uint8Array;

  constructor(type: number, kind: string, count: number) {
    this.type = type;
    this.kind = kind;
    this.count = count;
    const head = `${String.fromCharCode(type)}${count + 1}\r\n$${kind.length}\r\n${kind}\r\n`;
    this.#head = Uint8Array.from(head, (character) => character.charCodeAt(0));
  }

  /** @returns null when something else is next, or it is not whole; then nothing was read. */
  read(input: Input, maxBulk: number): RespPush | null {
    const begin = input.position;
    if (!input.skip(this.#head)) return null;
    const items = new Array<RespValue>(this.count);
    for (let i = 0; i < items.length; i++) {
      if (!input.readString(maxBulk)) {
        input.position = begin;
        return null;
      }
      items[i] = input.view();
    }
    return new RespPush(this.kind, items);
  }
}
