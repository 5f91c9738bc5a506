/** Gives memory that need not be zeroed: whoever asks overwrites it all. */
export type Allocate = (size: number) => Uint8Array;

/** Up to so many bytes are allocated at the peer's word; more as they come. */
const FIRST = 16_384;
const GROWTH = 4;

/**
 * Bytes that come in pieces, put together in memory of their own, which grows with what has come: a length that is announced
 * costs nothing. When `most` bytes have come, they fill the memory.
 */
export class GrowingBytes {
  length = 0;
  memory: Uint8Array;
  readonly #allocate: Allocate;
  readonly #most: number;

  /** @param expected so many bytes at least are going to come. @param most never more than these. */
  constructor(allocate: Allocate, expected: number, most: number) {
    this.#allocate = allocate;
    this.#most = most;
    this.memory = allocate(Math.min(expected, FIRST));
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    const end = this.length + to - from;
    if (end > this.memory.length) this.#grow(end);
    if (to - from < COPY_BY_HAND) copy(bytes, from, to, this.memory, this.length);
    else this.memory.set(bytes.subarray(from, to), this.length);
    this.length = end;
  }

  #grow(size: number): void {
    const grown = this.#allocate(Math.min(Math.max(size, this.memory.length * GROWTH), this.#most));
    grown.set(this.memory.subarray(0, this.length));
    this.memory = grown;
  }
}

/** Below this a loop is faster than `set`. */
const COPY_BY_HAND = 24;

function copy(source: Uint8Array, from: number, to: number, target: Uint8Array, at: number): void {
  for (let i = from; i < to; i++) target[at + i - from] = source[i] as number;
}
