/** The ring of all that are empty and have never been used: an idle connection costs no memory for its queues. */
const NONE: never[] = [];
const FEWEST = 16;

/** First in, first out, without moving elements: a ring that grows by doubling and lets go of what was taken. */
export class Fifo<T> {
  #ring: (T | undefined)[] = NONE;
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item;
    this.#length += 1;
  }

  peek(): T | undefined {
    return this.#ring[this.#head];
  }

  /** @param index from 0, the next one out, to below `length`. */
  at(index: number): T | undefined {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)];
  }

  /** Puts another in the place of one that is there. */
  set(index: number, item: T): void {
    this.#ring[(this.#head + index) & (this.#ring.length - 1)] = item;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    return item;
  }

  /** Takes one item out, wherever it stands; the order of the others stays. */
  remove(item: T): boolean {
    const kept: T[] = [];
    for (let next = this.shift(); next !== undefined; next = this.shift()) kept.push(next);
    const at = kept.indexOf(item);
    if (at >= 0) kept.splice(at, 1);
    for (const other of kept) this.push(other);
    return at >= 0;
  }

  /** From the first in, without taking anything out. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#length; i += 1)
      yield this.#ring[(this.#head + i) & (this.#ring.length - 1)] as T;
  }

  clear(): void {
    this.#ring = NONE;
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const larger: (T | undefined)[] = new Array(Math.max(FEWEST, this.#ring.length * 2));
    for (let i = 0; i < this.#length; i += 1)
      larger[i] = this.#ring[(this.#head + i) & (this.#ring.length - 1)];
    this.#ring = larger;
    this.#head = 0;
  }
}
