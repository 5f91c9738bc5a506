/** Gives `size` bytes of memory, which need not be zeroed: whoever asks overwrites them all. */
export type Allocate = (size: number) => Uint8Array;

export const allocateUint8Array: Allocate = (size) => new Uint8Array(size);

/** Gives a view of memory that is there already. */
export type View = (memory: ArrayBufferLike, offset: number, length: number) => Uint8Array;

export const viewUint8Array: View = (memory, offset, length) => new Uint8Array(memory, offset, length);

/** More waiting chunks than this are joined when they are small, for every chunk costs some 200 bytes by itself. */
const MANY_CHUNKS = 64;
const SMALL_CHUNK = 1024;

const NOTHING = new Uint8Array(0);

/** An expected body of at least this size is put together as its bytes come, where chunks are lent. */
const LARGE_BODY = 16_384;
/** Its memory is taken when this share of it has come, or at once if as large a one has come before: a peer pays first. */
const SHARE = 1 / 4;

/**
 * Received bytes in order, kept as the chunks in which they came. What lies in one chunk is handed out as a view,
 * what straddles several as one copy.
 *
 * Of a chunk that is lent, which is one whose memory is somebody else's again soon, the first take gets a copy and what is
 * left by then becomes a chunk of our own. Where chunks are lent, a large body that is expected is put together as its bytes
 * come, in the memory in which it is handed out; they can also be written there at once, without a chunk (`space`).
 */
export class ByteQueue {
  /** Bytes that wait here. */
  length = 0;
  readonly #allocate: Allocate;
  readonly #view: View;
  #empty: Uint8Array | null = null;
  #head: Uint8Array = NOTHING;
  /** The head's, kept here because asking for it costs as much as a view. */
  #memory: ArrayBufferLike = NOTHING.buffer;
  #offset = 0;
  /** Bytes of the head that were taken. */
  #at = 0;
  /** The chunks behind the head, from `#next` on. */
  #chunks: Uint8Array[] = [];
  #next = 0;
  /** The buffer of a joined head, of which `#room` bytes behind the head are free. */
  #joined: Uint8Array = NOTHING;
  #room = 0;
  /** A large body, which comes before all chunks, and how much of it has come. It waits here to be taken. */
  #body: Uint8Array | null = null;
  #filled = 0;
  /** The size of the largest such body so far. */
  #largest = 0;
  /** The head is lent; there are no other chunks then. */
  #isLent = false;
  /** Nothing was taken of the lent head: the first take has a copy of its own, for a large body may follow a topic. */
  #isUntouched = false;
  /** Chunks are lent here. Those of our own are copied faster all at once, into memory that is not taken before. */
  #lends = false;

  constructor(allocate: Allocate, view: View = viewUint8Array) {
    this.#allocate = allocate;
    this.#view = view;
  }

  /**
   * The chunk belongs to the queue from here on.
   * @param isLent only until `keep` is called, which has to be before the next push: nothing handed out is a view of it.
   */
  push(chunk: Uint8Array, isLent = false): void {
    if (isLent) this.#lends = true;
    if (this.#body !== null && this.#filled < this.#body.length) {
      const rest = this.#fill(this.#body, chunk);
      this.#isLent = isLent && rest.length > 0;
      this.#isUntouched = this.#isLent;
      this.#add(rest);
    } else {
      this.#isLent = isLent && this.length === 0;
      this.#isUntouched = this.#isLent;
      this.#add(isLent && !this.#isLent ? this.#copyOf(chunk) : chunk);
    }
  }

  /** What is missing of a large body, when it is at least so many bytes. Good until the next push. */
  space(least: number): Uint8Array | null {
    const body = this.#body;
    return body === null || body.length - this.#filled < least ? null : body.subarray(this.#filled);
  }

  /** So many bytes were written to the start of `space`. */
  filled(size: number): void {
    this.#filled += size;
    this.length += size;
  }

  /** What is left of a lent chunk is copied. */
  keep(): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    this.#setHead(this.#copyOf(this.#head.subarray(this.#at)));
    this.#at = 0;
  }

  /** The next take will be of so many bytes, more than wait here. Of use where chunks are lent. */
  expect(size: number): void {
    const come = this.length;
    if (!this.#lends || size < LARGE_BODY || this.#body !== null) return;
    if (come < size * SHARE && size > this.#largest) return;
    const body = this.#allocate(size);
    if (come > 0) this.#copyInto(body, come);
    this.#release();
    this.#body = body;
    this.#filled = come;
  }

  #add(chunk: Uint8Array): void {
    const size = chunk.length;
    if (size === 0) return;
    if (this.length === this.#filled) {
      this.#setHead(chunk);
      this.length += size;
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
    if (count > MANY_CHUNKS && this.length - this.#filled < count * SMALL_CHUNK) this.#join();
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
    if (this.#body !== null) return this.#takeBody(this.#body);
    if (this.#at === this.#head.length) this.#advance();
    if (this.#isLent) {
      if (this.#isUntouched) {
        this.#isUntouched = false;
        return this.#gather(size);
      }
      this.keep();
    }
    const end = this.#at + size;
    if (end > this.#head.length) return this.#gather(size);
    const view = this.#view(this.#memory, this.#offset + this.#at, size);
    this.#at = end;
    this.length -= size;
    if (this.length === 0) this.#release();
    return view;
  }

  clear(): void {
    this.length = 0;
    this.#chunks = [];
    this.#next = 0;
    this.#body = null;
    this.#filled = 0;
    this.#release();
  }

  #setHead(head: Uint8Array): void {
    this.#head = head;
    this.#memory = head.buffer;
    this.#offset = head.byteOffset;
  }

  /** @returns what is not the body's. */
  #fill(body: Uint8Array, chunk: Uint8Array): Uint8Array {
    const size = Math.min(chunk.length, body.length - this.#filled);
    body.set(size === chunk.length ? chunk : chunk.subarray(0, size), this.#filled);
    this.#filled += size;
    this.length += size;
    return chunk.subarray(size);
  }

  #takeBody(body: Uint8Array): Uint8Array {
    this.#body = null;
    this.#filled = 0;
    this.#largest = Math.max(this.#largest, body.length);
    this.length -= body.length;
    return body;
  }

  #copyOf(chunk: Uint8Array): Uint8Array {
    const copy = this.#allocate(chunk.length);
    copy.set(chunk);
    return copy;
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
    this.#setHead(this.#chunks[this.#next++] as Uint8Array);
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
    this.#setHead(NOTHING);
    this.#joined = NOTHING;
    this.#at = 0;
    this.#room = 0;
    this.#isLent = false;
  }

  /** Twice the room, so that a peer that sends byte by byte costs a constant number of copies of each byte. */
  #join(): void {
    const size = this.length - this.#filled;
    const joined = this.#allocate(size * 2);
    this.#copyInto(joined, size);
    this.#joined = joined;
    this.#setHead(joined.subarray(0, size));
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
