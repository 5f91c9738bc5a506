/** Bytes that come piece by piece, in memory that doubles as they come and never follows what was announced. */
export class GrowingBytes {
  readonly #allocate: (size: number) => Uint8Array;
  readonly #most: number;
  #memory: Uint8Array;
  size = 0;

  /** @param most no more than that will ever be added. */
  constructor(allocate: (size: number) => Uint8Array, most: number) {
    this.#allocate = allocate;
    this.#most = most;
    this.#memory = allocate(Math.min(most, FIRST));
  }

  add(bytes: Uint8Array): void {
    const size = this.size + bytes.length;
    if (size > this.#memory.length) {
      const larger = this.#allocate(Math.min(this.#most, Math.max(size, 2 * this.#memory.length)));
      larger.set(this.bytes);
      this.#memory = larger;
    }
    this.#memory.set(bytes, this.size);
    this.size = size;
  }

  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.size);
  }
}

const FIRST = 1024;
