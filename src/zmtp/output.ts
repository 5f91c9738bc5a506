import type { Allocate } from "./byte-queue.ts";
import { MORE, writeHeader } from "./frame.ts";
import { COPY_LIMIT } from "./message.ts";

/** Room for what opens a connection: one that stays idle then needs no more. */
const FIRST_SLAB = 256;
const SMALLEST_SLAB = 1024;
const LARGEST_SLAB = 65536;
/** The longest header. */
const HEADER = 9;
/** Below this a loop is faster than `set`, whose call costs more than the copy. */
const COPY_BY_HAND = 24;

const NOTHING = new Uint8Array(0);

/**
 * Bytes on their way to the peer, in order.
 *
 * Small pieces are joined in a slab of memory, bodies of more than COPY_LIMIT bytes are passed by reference. What was
 * handed out is never written to again: the next bytes go behind it in the same slab. Slabs grow from 1 to 64 KiB
 * with what one `take` needs, and shrink again, so that an idle connection costs little.
 */
export class OutputQueue {
  /** Bytes that wait here. */
  length = 0;
  readonly allocate: Allocate;
  #chunks: Uint8Array[] = [];
  #slab: Uint8Array = NOTHING;
  /** The slab's bytes from `#from` to `#to` wait; those before were handed out. */
  #from = 0;
  #to = 0;
  #slabSize = FIRST_SLAB;
  /** How often bytes of the current slab were handed out. */
  #takes = 0;

  constructor(allocate: Allocate) {
    this.allocate = allocate;
  }

  /** Adds a message as the NULL mechanism sends it. */
  encode(parts: readonly Uint8Array[]): void {
    const last = parts.length - 1;
    for (let i = 0; i <= last; i++) this.frame(i < last ? MORE : 0, parts[i] as Uint8Array);
  }

  /** Adds one frame; `flags` is MORE, COMMAND or 0. */
  frame(flags: number, body: Uint8Array): void {
    const size = body.length;
    const isCopied = size <= COPY_LIMIT;
    this.#reserve(isCopied ? HEADER + size : HEADER);
    const begin = this.#to;
    this.#to = writeHeader(this.#slab, begin, flags, size);
    this.length += this.#to - begin;
    if (isCopied) this.#copy(body);
    else this.#refer(body);
  }

  /** Adds bytes that are encoded already. */
  append(chunks: readonly Uint8Array[]): void {
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i] as Uint8Array;
      if (chunk.length > COPY_LIMIT) {
        this.#refer(chunk);
      } else {
        this.#reserve(chunk.length);
        this.#copy(chunk);
      }
    }
  }

  /** Hands out everything that waits. The chunks are the caller's; none is written to again. */
  take(): Uint8Array[] {
    this.#seal();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.length = 0;
    this.#takes += 1;
    if (this.#to > this.#slab.length / 2) this.#dropSlab();
    return chunks;
  }

  clear(): void {
    this.#chunks = [];
    this.length = 0;
    this.#dropSlab();
  }

  #reserve(size: number): void {
    if (this.#slab.length - this.#to >= size) return;
    this.#seal();
    if (this.#slab.length > 0) this.#dropSlab();
    if (this.#slabSize < size) this.#slabSize = LARGEST_SLAB / 16;
    this.#slab = this.allocate(this.#slabSize);
  }

  /** The next slab is larger when this one did not last for two takes, smaller when it lasted for many. */
  #dropSlab(): void {
    if (this.#takes < 2) this.#slabSize = Math.min(this.#slabSize * 2, LARGEST_SLAB);
    else if (this.#takes > 16) this.#slabSize /= 2;
    if (this.#slabSize < SMALLEST_SLAB) this.#slabSize = SMALLEST_SLAB;
    this.#slab = NOTHING;
    this.#from = 0;
    this.#to = 0;
    this.#takes = 0;
  }

  #copy(bytes: Uint8Array): void {
    const size = bytes.length;
    const slab = this.#slab;
    const at = this.#to;
    if (size < COPY_BY_HAND) {
      for (let i = 0; i < size; i++) slab[at + i] = bytes[i] as number;
    } else {
      slab.set(bytes, at);
    }
    this.#to = at + size;
    this.length += size;
  }

  #refer(bytes: Uint8Array): void {
    this.#seal();
    this.#chunks.push(bytes);
    this.length += bytes.length;
  }

  #seal(): void {
    if (this.#from === this.#to) return;
    this.#chunks.push(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
