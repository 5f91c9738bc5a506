/** Gives `size` bytes of memory, which need not be zeroed: whoever asks overwrites them all. */
export type Allocate = (size: number) => Uint8Array;

export const allocateUint8Array: Allocate = (size) => new Uint8Array(size);

/** More waiting chunks than this are joined when they are small, for every chunk costs some 200 bytes by itself. */
const MANY_CHUNKS = 64;
const SMALL_CHUNK = 1024;

const NOTHING = new Uint8Array(0);

/**
 * Received bytes in order, kept as the chunks in which they came. What lies in one chunk is handed out as a view,
 * what straddles several as one copy.
 */
export class ByteQueue {
  /** Bytes that wait here. */
  length = 0;
  readonly #allocate: Allocate;
  #empty: Uint8Array | null = null;
  #head: Uint8Array = NOTHING;
  /** Bytes of the head that were taken. */
  #at = 0;
  /** The chunks behind the head, from `#next` on. */
  #chunks: Uint8Array[] = [];
  #next = 0;
  /** The buffer of a joined head, of which `#room` bytes behind the head are free. */
  #joined: Uint8Array = NOTHING;
  #room = 0;

  constructor(allocate: Allocate) {
    this.#allocate = allocate;
  }

  /** The chunk belongs to the queue from here on. */
  push(chunk: Uint8Array): void {
    const size = chunk.length;
    if (size === 0) return;
    if (this.length === 0) {
      this.#head = chunk;
      this.length = size;
      return;
    }
    this.length += size;
    if (size <= this.#room) {
      this.#append(chunk);
      return;
    }
    this.#room = 0;
    this.#chunks.push(chunk);
    const count = this.#chunks.length - this.#next;
    if (count > MANY_CHUNKS && this.length < count * SMALL_CHUNK) this.#join();
  }

  /** The caller has checked that `length` is at least 1. */
  takeByte(): number {
    if (this.#at === this.#head.length) this.#advance();
    const byte = this.#head[this.#at++] as number;
    if (--this.length === 0) this.#release();
    return byte;
  }

  /** The caller has checked that `size` is at most `length`. */
  take(size: number): Uint8Array {
    if (size === 0) {
      this.#empty ??= this.#allocate(0);
      return this.#empty;
    }
    if (this.#at === this.#head.length) this.#advance();
    const end = this.#at + size;
    if (end > this.#head.length) return this.#gather(size);
    const view = this.#head.subarray(this.#at, end);
    this.#at = end;
    this.length -= size;
    if (this.length === 0) this.#release();
    return view;
  }

  clear(): void {
    this.length = 0;
    this.#chunks = [];
    this.#next = 0;
    this.#release();
  }

  #gather(size: number): Uint8Array {
    const body = this.#allocate(size);
    this.#copyInto(body, size);
    this.length -= size;
    if (this.length === 0) this.#release();
    return body;
  }

  #copyInto(target: Uint8Array, size: number): void {
    let filled = 0;
    for (;;) {
      const end = Math.min(this.#head.length, this.#at + size - filled);
      target.set(this.#head.subarray(this.#at, end), filled);
      filled += end - this.#at;
      this.#at = end;
      if (filled === size) return;
      this.#advance();
    }
  }

  #advance(): void {
    this.#head = this.#chunks[this.#next++] as Uint8Array;
    this.#at = 0;
    this.#room = 0;
    this.#joined = NOTHING;
    if (this.#next === this.#chunks.length) {
      this.#chunks = [];
      this.#next = 0;
    }
  }

  /** An idle connection keeps no chunk alive. */
  #release(): void {
    this.#head = NOTHING;
    this.#joined = NOTHING;
    this.#at = 0;
    this.#room = 0;
  }

  /** Twice the room, so that a peer that sends byte by byte costs a constant number of copies of each byte. */
  #join(): void {
    const size = this.length;
    const joined = this.#allocate(size * 2);
    this.#copyInto(joined, size);
    this.#joined = joined;
    this.#head = joined.subarray(0, size);
    this.#at = 0;
    this.#room = size;
  }

  /** Bytes that were handed out lie before the room, so that nobody's view is written to. */
  #append(chunk: Uint8Array): void {
    const end = this.#joined.length - this.#room;
    this.#joined.set(chunk, end);
    this.#room -= chunk.length;
    this.#head = this.#joined.subarray(0, end + chunk.length);
  }
}
