import type { Environment } from "../../runtime/environment.ts";
import { GrowingBytes } from "../protocol/growing-bytes.ts";
import { splitInline } from "./inline.ts";

const CR = 13;
const LF = 10;
const ASTERISK = 0x2a;
const DOLLAR = 0x24;

/** Bytes of a line: of a command typed by hand, or of a length. */
const MAX_LINE = 65_536;
const MAX_ARGUMENTS = 2 ** 31 - 1;
/** What a client that has not given the password yet may send. */
const MAX_ARGUMENTS_BEFORE_AUTH = 10;
const MAX_BULK_BEFORE_AUTH = 16_384;
/** What an argument costs besides its bytes. */
const ARGUMENT_OVERHEAD = 64;

export interface RequestLimits {
  /** Bytes of one argument. */
  readonly maxBulk: number;
  /** Bytes of one request that has not come whole yet. */
  readonly maxQueryBuffer: number;
}

/** The client broke the protocol: there is no way to find the next request, so its connection ends. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** What the server says before it closes; null: nothing. */
  readonly reply: string | null;

  constructor(reply: string | null) {
    super(reply ?? "the request is larger than the query buffer");
    this.reply = reply;
  }
}

/**
 * Reads what clients send: arrays of bulk strings, or commands typed by hand, one a line. As strict, and in two places as
 * lenient, as the server: the bytes behind a bulk string and the one behind a CR are not looked at.
 */
export class RequestParser {
  /** Small requests only, until the client has given the password. */
  authenticated = false;
  readonly #limits: RequestLimits;
  readonly #environment: Environment;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #waiting: Uint8Array[] = [];
  #args: Uint8Array[] = [];
  #missing = 0;
  /** Bytes of the argument that comes; -1: its length comes first. */
  #length = -1;
  /** The start of a line or of an argument, the rest of which is not there yet. */
  #held: GrowingBytes | null = null;
  /** Bytes of the line end behind an argument in `held` that were seen. */
  #trailer = 0;
  #size = 0;
  /** The line that was read last, from `#lineFrom` up to `#lineTo`. */
  #line: Uint8Array = this.#chunk;
  #lineFrom = 0;
  #lineTo = 0;

  constructor(limits: RequestLimits, environment: Environment) {
    this.#limits = limits;
    this.#environment = environment;
  }

  /** The chunk belongs to the parser; arguments are views of it. */
  push(chunk: Uint8Array): void {
    if (this.#at === this.#chunk.length) {
      this.#chunk = chunk;
      this.#at = 0;
    } else {
      this.#waiting.push(chunk);
    }
  }

  /**
   * @returns the arguments of the next request, at least one; null: more bytes are needed.
   * @throws {RequestError}
   */
  next(): Uint8Array[] | null {
    for (;;) {
      if (this.#at === this.#chunk.length && !this.#nextChunk()) return null;
      const args = this.#missing > 0 ? this.#readArgument() : this.#readStart();
      if (args !== null) return args;
    }
  }

  #nextChunk(): boolean {
    const chunk = this.#waiting.shift();
    if (chunk === undefined) return false;
    this.#chunk = chunk;
    this.#at = 0;
    return true;
  }

  #readStart(): Uint8Array[] | null {
    const first = this.#held === null ? this.#chunk[this.#at] : this.#held.memory[0];
    if (first !== ASTERISK) return this.#readInline();
    if (!this.#readLine(CR, "too big mbulk count string")) return null;
    const count = lengthOf(this.#line, this.#lineFrom, this.#lineTo);
    if (Number.isNaN(count) || count > MAX_ARGUMENTS) throw protocolError("invalid multibulk length");
    if (count > MAX_ARGUMENTS_BEFORE_AUTH && !this.authenticated) {
      throw protocolError("unauthenticated multibulk length");
    }
    this.#missing = Math.max(0, count);
    return null;
  }

  #readInline(): Uint8Array[] | null {
    if (!this.#readLine(LF, "too big inline request")) return null;
    const args = splitInline(this.#line.subarray(this.#lineFrom, this.#lineTo));
    if (args === null) throw protocolError("unbalanced quotes in request");
    return args.length > 0 ? args : null;
  }

  #readArgument(): Uint8Array[] | null {
    if (this.#length < 0) {
      if (this.#readLine(CR, "too big bulk count string")) this.#length = this.#checkedLength();
      return null;
    }
    const arg = this.#readBulk(this.#length);
    if (arg === null) return null;
    this.#args.push(arg);
    this.#length = -1;
    this.#missing -= 1;
    if (this.#missing > 0) return null;
    const args = this.#args;
    this.#args = [];
    this.#size = 0;
    return args;
  }

  /** The length in the line that was read last. */
  #checkedLength(): number {
    const type = this.#lineFrom < this.#lineTo ? (this.#line[this.#lineFrom] as number) : CR;
    if (type !== DOLLAR) throw protocolError(`expected '$', got '${String.fromCharCode(type)}'`);
    const length = lengthOf(this.#line, this.#lineFrom, this.#lineTo);
    if (!(length >= 0 && length <= this.#limits.maxBulk)) throw protocolError("invalid bulk length");
    if (length > MAX_BULK_BEFORE_AUTH && !this.authenticated)
      throw protocolError("unauthenticated bulk length");
    this.#count(ARGUMENT_OVERHEAD);
    return length;
  }

  #readBulk(length: number): Uint8Array | null {
    const chunk = this.#chunk;
    const at = this.#at;
    if (this.#held === null) {
      if (chunk.length - at >= length + 2) {
        this.#at = at + length + 2;
        this.#count(length);
        return this.#environment.view(chunk.buffer, chunk.byteOffset + at, length);
      }
      this.#held = new GrowingBytes(this.#environment.allocate, length, length);
    }
    const held = this.#held;
    const to = Math.min(chunk.length, at + length - held.length);
    held.add(chunk, at, to);
    this.#count(to - at);
    const trailer = Math.min(2 - this.#trailer, chunk.length - to);
    this.#at = to + trailer;
    this.#trailer += trailer;
    if (this.#trailer < 2) return null;
    this.#held = null;
    this.#trailer = 0;
    return held.memory;
  }

  /** Reads up to a line's end, which is an LF, or a CR and whatever byte follows. @returns false: more bytes are needed. */
  #readLine(end: typeof CR | typeof LF, tooBig: string): boolean {
    const held = this.#held;
    const chunk = this.#chunk;
    const from = this.#at;
    if (end === CR && held !== null && held.memory[held.length - 1] === CR) {
      this.#at = from + 1;
      return this.#takeHeldLine(held, held.length - 1);
    }
    const behind = end === CR ? 1 : 0;
    let to = from;
    while (to < chunk.length && chunk[to] !== end) to += 1;
    if ((held?.length ?? 0) + to - from > MAX_LINE) throw protocolError(tooBig);
    if (to + behind >= chunk.length) {
      this.#held ??= new GrowingBytes(this.#environment.allocate, 32, MAX_LINE + 1);
      this.#held.add(chunk, from, chunk.length);
      this.#at = chunk.length;
      return false;
    }
    this.#at = to + behind + 1;
    if (held !== null) {
      held.add(chunk, from, to);
      return this.#takeHeldLine(held, held.length);
    }
    this.#line = chunk;
    this.#lineFrom = from;
    this.#lineTo = to;
    return true;
  }

  #takeHeldLine(held: GrowingBytes, length: number): true {
    this.#held = null;
    this.#line = held.memory;
    this.#lineFrom = 0;
    this.#lineTo = length;
    return true;
  }

  #count(bytes: number): void {
    this.#size += bytes;
    if (this.#size > this.#limits.maxQueryBuffer) throw new RequestError(null);
  }
}

function protocolError(what: string): RequestError {
  return new RequestError(`Protocol error: ${what}`);
}

/** The number behind a type byte, written as the server itself would; NaN: there is none. */
function lengthOf(line: Uint8Array, from: number, to: number): number {
  const isNegative = line[from + 1] === 0x2d;
  const first = isNegative ? from + 2 : from + 1;
  if (to === from + 2 && line[first] === 0x30) return 0;
  if (to <= first || to > first + 15 || line[first] === 0x30) return Number.NaN;
  let value = 0;
  for (let at = first; at < to; at++) {
    const digit = (line[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}
