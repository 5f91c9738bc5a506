/** Chunks up to that size are joined before they are written; larger ones go by reference. */
const SMALL = 4096;
/** Bytes handed to the stream at once, save that a chunk is never parted. */
const BATCH = 262_144;

/** Bytes on their way to one client, in order, that its stream has not taken yet. */
export class Output {
  readonly #allocate: (size: number) => Uint8Array;
  #chunks: Uint8Array[] = [];
  #head = 0;
  #size = 0;

  constructor(allocate: (size: number) => Uint8Array) {
    this.#allocate = allocate;
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /** The chunk must not change any more. */
  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** Takes out the next bytes to write, small chunks joined. */
  take(): Uint8Array[] {
    const chunks = this.#chunks;
    const taken: Uint8Array[] = [];
    let total = 0;
    let runFrom = this.#head;
    let run = 0;
    let at = this.#head;
    for (; at < chunks.length && total < BATCH; at++) {
      const chunk = chunks[at] as Uint8Array;
      total += chunk.length;
      if (chunk.length <= SMALL) {
        run += chunk.length;
        continue;
      }
      if (run > 0) taken.push(this.#join(runFrom, at, run));
      taken.push(chunk);
      runFrom = at + 1;
      run = 0;
    }
    if (run > 0) taken.push(this.#join(runFrom, at, run));
    this.#size -= total;
    this.#forget(at);
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#size = 0;
  }

  #join(from: number, to: number, size: number): Uint8Array {
    if (to === from + 1) return this.#chunks[from] as Uint8Array;
    const joined = this.#allocate(size);
    let length = 0;
    for (let at = from; at < to; at++) {
      const chunk = this.#chunks[at] as Uint8Array;
      joined.set(chunk, length);
      length += chunk.length;
    }
    return joined;
  }

  #forget(to: number): void {
    if (to === this.#chunks.length) {
      this.#chunks = [];
      this.#head = 0;
    } else if (to > 1024) {
      this.#chunks = this.#chunks.slice(to);
      this.#head = 0;
    } else {
      this.#head = to;
    }
  }
}
