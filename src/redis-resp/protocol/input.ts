import { RespError } from "./errors.ts";
import { type Allocate, GrowingBytes } from "./growing-bytes.ts";

/** Gives a view of memory that is there already. */
export type View = (memory: ArrayBufferLike, offset: number, length: number) => Uint8Array;

const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;

const BULK_STRING = 0x24; // $
/** What a line can begin with. */
const IS_TYPE: Uint8Array = new Uint8Array(256);
for (const type of "+-:_#,($!=*~%|>;.") IS_TYPE[type.charCodeAt(0)] = 1;

/** More digits are not exact in a number. */
const MOST_DIGITS = 15;
/** Memory of a line that spans chunks, to begin with; and what is around its text: type, CR and LF. */
const SHORT_LINE = 64;
const LINE_FRAME = 3;

const NOTHING = new Uint8Array(0);

/**
 * Received bytes as lines and bodies, whole ones, however they were cut into chunks. What lies in one chunk is read where it
 * is, what spans several is put together. No byte is looked for its line end twice.
 */
export class Input {
  /** The line or body that was read last: `bytes` from `from` to `to`, without the type before it and the line end behind it. */
  bytes: Uint8Array = NOTHING;
  from = 0;
  to = 0;
  /** The line's number when it is nothing but 1 to 15 digits, else -1. */
  number = -1;

  readonly #maxLine: number;
  readonly #allocate: Allocate;
  readonly #view: View;
  #chunk: Uint8Array = NOTHING;
  /** The chunk's; kept here because asking for it costs as much as a view. Null: not asked for yet. */
  #memory: ArrayBufferLike | null = null;
  #memoryOffset = 0;
  /** Bytes of the chunk that were read. */
  #at = 0;
  /** Bytes of the chunks before it. */
  #passed = 0;
  /** The chunks behind it, from `#next` on. */
  #chunks: Uint8Array[] = [];
  #next = 0;
  /** The beginning of the line or body that is not complete. */
  #held: GrowingBytes | null = null;

  constructor(maxLine: number, allocate: Allocate, view: View) {
    this.#maxLine = maxLine;
    this.#allocate = allocate;
    this.#view = view;
  }

  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) this.#chunks.push(chunk);
    else this.#enter(chunk);
  }

  clear(): void {
    this.#chunks = [];
    this.#next = 0;
    this.#held = null;
    this.bytes = NOTHING;
    this.#enter(NOTHING);
  }

  /** A line or body has begun and is not complete. */
  get isPartial(): boolean {
    return this.#held !== null || this.#at < this.#chunk.length;
  }

  /** The byte that began the line that was read last. */
  get type(): number {
    return this.bytes[this.from - 1] as number;
  }

  /**
   * A bulk string of at most so many bytes that lies whole in the chunk, which most do: header and body in one go. It is read as
   * a body.
   *
   * @returns false when there is none; then nothing was read.
   */
  readString(most: number): boolean {
    const chunk = this.#chunk;
    let at = this.#at;
    if (chunk[at] !== BULK_STRING || this.#held !== null) return false;
    const first = ++at;
    let size = 0;
    for (; at < chunk.length; at++) {
      const digit = (chunk[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      size = size * 10 + digit;
    }
    const from = at + 2;
    const to = from + size;
    if (at === first || at - first > MOST_DIGITS || size > most || to + 2 > chunk.length) return false;
    if (chunk[at] !== CR || chunk[at + 1] !== LF || chunk[to] !== CR || chunk[to + 1] !== LF) return false;
    this.bytes = chunk;
    this.from = from;
    this.to = to;
    this.#at = to + 2;
    return true;
  }

  /** Where the next byte is, to come back to: as long as nothing but `skip` and `readString` was called. */
  get position(): number {
    return this.#at;
  }

  set position(at: number) {
    this.#at = at;
  }

  /** Passes over exactly these bytes. @returns false when others are next; then nothing was read. */
  skip(expected: Uint8Array): boolean {
    const chunk = this.#chunk;
    const at = this.#at;
    if (at + expected.length > chunk.length || this.#held !== null) return false;
    for (let i = 0; i < expected.length; i++) if (chunk[at + i] !== expected[i]) return false;
    this.#at = at + expected.length;
    return true;
  }

  /** @returns whether there is a whole line. @throws {RespError} for one that is too long, ill-formed or of no known type. */
  readLine(): boolean {
    if (this.#held !== null || !this.#readNumber()) return this.#readText();
    return true;
  }

  /** Most lines are short numbers that lie in one chunk. */
  #readNumber(): boolean {
    const chunk = this.#chunk;
    const from = this.#at + 1;
    if (from >= chunk.length || IS_TYPE[chunk[from - 1] as number] === 0) return false;
    let to = from;
    let number = 0;
    for (; to < chunk.length; to++) {
      const digit = (chunk[to] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    if (to === from || to - from > MOST_DIGITS || to + 1 >= chunk.length) return false;
    if (chunk[to] !== CR || chunk[to + 1] !== LF) return false;
    this.bytes = chunk;
    this.from = from;
    this.to = to;
    this.number = number;
    this.#at = to + 2;
    return true;
  }

  #readText(): boolean {
    while (this.#at < this.#chunk.length || this.#advance()) {
      const begin = this.#at;
      if (this.#held === null && IS_TYPE[this.#chunk[begin] as number] === 0)
        this.#failRest("unknown type byte");
      const end = this.#findLineEnd();
      if (this.#held === null && end > 0) {
        this.#at = end;
        this.#setLine(this.#chunk, begin, end);
        return true;
      }
      this.#held ??= new GrowingBytes(this.#allocate, SHORT_LINE, this.#maxLine + LINE_FRAME);
      const line = this.#hold(this.#held, end > 0 ? end : this.#chunk.length);
      if (end > 0) {
        this.#held = null;
        this.#setLine(line.memory, 0, line.length);
        return true;
      }
    }
    return false;
  }

  /** @returns the index behind the LF, or 0 when it is not in this chunk. */
  #findLineEnd(): number {
    const chunk = this.#chunk;
    const held = this.#held;
    let at = this.#at;
    if (held === null || held.memory[held.length - 1] !== CR) {
      while (at < chunk.length && chunk[at] !== CR && chunk[at] !== LF) at += 1;
      const length = (held?.length ?? 0) + at - this.#at - 1;
      if (length > this.#maxLine) this.#failRest(`line of more than ${this.#maxLine} bytes`);
      if (chunk[at] === LF) this.#failRest("LF without CR");
      at += 1;
    }
    if (at >= chunk.length) return 0;
    if (chunk[at] !== LF) this.#failRest("CR without LF");
    return at + 1;
  }

  /** @param begin of the type, @param end behind the LF. */
  #setLine(bytes: Uint8Array, begin: number, end: number): void {
    this.bytes = bytes;
    this.from = begin + 1;
    this.to = end - 2;
    this.number = parseDigits(bytes, this.from, this.to);
  }

  /** @returns whether there is a body of that size and its line end. @throws {RespError} for another end. */
  readBody(size: number): boolean {
    if (this.#held === null && this.#at + size + 2 <= this.#chunk.length) {
      this.bytes = this.#chunk;
      this.from = this.#at;
      this.#at += size + 2;
    } else if (!this.#gatherBody(size + 2)) {
      return false;
    }
    this.to = this.from + size;
    if (this.bytes[this.to] !== CR || this.bytes[this.to + 1] !== LF) {
      this.#fail("no CR and LF behind a string", 2, this.bytes.subarray(this.to));
    }
    return true;
  }

  #gatherBody(size: number): boolean {
    while (this.#at < this.#chunk.length || this.#advance()) {
      this.#held ??= new GrowingBytes(this.#allocate, size, size);
      const held = this.#hold(this.#held, Math.min(this.#chunk.length, this.#at + size - this.#held.length));
      if (held.length === size) {
        this.#held = null;
        this.bytes = held.memory;
        this.from = 0;
        return true;
      }
    }
    return false;
  }

  /** The body that was read last, as memory that others may keep. */
  view(): Uint8Array {
    const { bytes, from, to } = this;
    if (bytes !== this.#chunk) return this.#view(bytes.buffer, bytes.byteOffset + from, to - from);
    if (this.#memory === null) {
      this.#memory = bytes.buffer;
      this.#memoryOffset = bytes.byteOffset;
    }
    return this.#view(this.#memory, this.#memoryOffset + from, to - from);
  }

  /** The mistake is in the line that was read last. */
  failLine(reason: string): never {
    const size = this.to + 2 - this.from + 1;
    this.#fail(reason, size, this.bytes.subarray(this.from - 1, this.to + 2));
  }

  /** The mistake is in the body that was read last. */
  failBody(reason: string): never {
    this.#fail(reason, this.to + 2 - this.from, this.bytes.subarray(this.from, this.to));
  }

  /** The mistake ends before the next byte. */
  failNext(reason: string): never {
    this.#fail(reason, 0, this.#chunk.subarray(this.#at));
  }

  /** The mistake is in the line that begins or goes on with the bytes that are next. */
  #failRest(reason: string): never {
    const held = this.#held;
    const rest = this.#chunk.subarray(this.#at);
    if (held === null) this.#fail(reason, 0, rest);
    this.#fail(reason, held.length, held.memory.subarray(0, held.length));
  }

  /** @param back so many bytes before the next one. */
  #fail(reason: string, back: number, bytes: Uint8Array): never {
    throw new RespError(reason, this.#passed + this.#at - back, bytes);
  }

  #hold(held: GrowingBytes, to: number): GrowingBytes {
    held.add(this.#chunk, this.#at, to);
    this.#at = to;
    return held;
  }

  /** @returns whether there is another chunk. */
  #advance(): boolean {
    if (this.#next < this.#chunks.length) {
      this.#enter(this.#chunks[this.#next++] as Uint8Array);
      return true;
    }
    if (this.#next > 0) {
      this.#chunks = [];
      this.#next = 0;
    }
    // An idle connection keeps no chunk alive.
    this.#enter(NOTHING);
    this.bytes = NOTHING;
    return false;
  }

  #enter(chunk: Uint8Array): void {
    this.#passed += this.#chunk.length;
    this.#chunk = chunk;
    this.#memory = null;
    this.#at = 0;
  }
}

/** @returns -1 when it is anything but 1 to 15 digits. */
function parseDigits(bytes: Uint8Array, from: number, to: number): number {
  if (from === to || to - from > MOST_DIGITS) return -1;
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
