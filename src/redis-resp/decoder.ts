/**
 * The RESP2 and RESP3 protocols (https://redis.io/docs/latest/develop/reference/protocol-spec/). A value is
 *
 *     type line CR LF                      + - : _ # , (
 *     type length CR LF bytes CR LF        $ ! =      the last begins with three letters and a colon
 *     type count CR LF values              * ~ % | >  two values for each pair of % and |; what follows | is the value it is about
 *     $? CR LF (;length CR LF bytes CR LF)... ;0 CR LF
 *     *? CR LF values . CR LF              ~? and %? too
 */
import { ZmqError } from "../errors.ts";
import { Aggregate, toMap } from "./aggregate.ts";
import { ReplyError, RespError } from "./errors.ts";
import { type Allocate, GrowingBytes } from "./growing-bytes.ts";
import { parseBigNumber, parseDouble, parseInteger } from "./numbers.ts";
import { decodeText, TextCache } from "./text.ts";
import { RespPush, type RespValue } from "./values.ts";

export interface DecoderOptions {
  /** Aggregates within aggregates. Default 128. */
  maxDepth?: number;
  /** Bytes of one string. Default 512 MiB. */
  maxBulk?: number;
  /** Bytes of one line. Default 1 MiB. */
  maxLine?: number;
  /** Elements of one top-level value, those of nested ones included. Default 2^24. */
  maxElements?: number;
  /** A view of memory. Default: a Uint8Array. */
  view?: (memory: ArrayBufferLike, offset: number, length: number) => Uint8Array;
  /** Memory that need not be zeroed. Default: a Uint8Array. */
  allocate?: Allocate;
}

const LIMITS = { maxDepth: 128, maxBulk: 2 ** 29, maxLine: 2 ** 20, maxElements: 2 ** 24 };

const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;
const COLON = 0x3a;

const SIMPLE_STRING = 0x2b; // +
const SIMPLE_ERROR = 0x2d; // -
const INTEGER = 0x3a; // :
const NULL = 0x5f; // _
const BOOLEAN = 0x23; // #
const DOUBLE = 0x2c; // ,
const BIG_NUMBER = 0x28; // (
const BULK_STRING = 0x24; // $
const BULK_ERROR = 0x21; // !
const VERBATIM = 0x3d; // =
const ARRAY = 0x2a; // *
const SET = 0x7e; // ~
const MAP = 0x25; // %
const ATTRIBUTE = 0x7c; // |
const PUSH = 0x3e; // >
const PART = 0x3b; // ; of a streamed string
const END = 0x2e; // . of a streamed aggregate

const TYPES = new Set([..."+-:_#,($!=*~%|>;."].map((type) => type.charCodeAt(0)));

/** A length that is not said. */
const STREAMED = -1;
const ABSENT = -2;

/** What V8 allows on any machine: no text can be longer. */
const LONGEST_TEXT = 2 ** 28 - 16;

/** Memory of a line that spans chunks, to begin with; and what is around its text: type, CR and LF. */
const SHORT_LINE = 64;
const LINE_FRAME = 3;

const NOTHING = new Uint8Array(0);
/** Something was read and there is no value to hand on yet. */
const GO_ON: unique symbol = Symbol("go on");

/**
 * Turns the bytes of a connection into values: push chunks of any size, then call `next` until it returns `undefined`.
 *
 * Bulk strings are views into the chunk, or memory of their own where they span chunks, which is allocated as the bytes come.
 * Time is in proportion to the bytes however they are cut; what is incomplete is never read again.
 *
 * Attributes are checked and dropped; so is a push without a kind. Streamed strings and aggregates come whole.
 */
export class RespDecoder {
  /**
   * An array that is not inside another value and begins with a string comes as a {@link RespPush}: so a subscribed
   * connection of RESP2 gets its messages. Default false.
   */
  arraysArePushes = false;
  readonly #maxDepth: number;
  readonly #maxBulk: number;
  readonly #maxLine: number;
  readonly #maxElements: number;
  readonly #view: (memory: ArrayBufferLike, offset: number, length: number) => Uint8Array;
  readonly #allocate: Allocate;
  readonly #texts = new TextCache();

  #chunk: Uint8Array = NOTHING;
  /** The chunk's, kept here because asking for it costs as much as a view. */
  #memory: ArrayBufferLike = NOTHING.buffer;
  #memoryOffset = 0;
  /** Bytes of the chunk that were read. */
  #at = 0;
  /** Bytes of the chunks before it. */
  #passed = 0;
  /** The chunks behind it, from `#nextChunk` on. */
  #chunks: Uint8Array[] = [];
  #nextChunk = 0;

  /** The line or the body that began in a chunk before this one. */
  #held: GrowingBytes | null = null;
  /** The line that was read last: type, text, CR and LF. */
  #line: Uint8Array = NOTHING;
  #lineFrom = 0;
  #lineTo = 0;
  /** Type and length of the body that comes; -1: none does. */
  #bodyType = 0;
  #bodySize = -1;
  /** The parts so far of a streamed string. */
  #stream: GrowingBytes | null = null;

  /** The aggregates that are not complete, the outermost first; those from `#depth` on wait to be used again. */
  readonly #aggregates: Aggregate[] = [];
  #depth = 0;
  /** Elements of the current top-level value, announced or come. */
  #elements = 0;
  /** An attribute has come, and its value has not. */
  #hasAttribute = false;
  #error: RespError | null = null;

  /** @throws {ZmqError} EINVAL for a limit that is none. */
  constructor(options: DecoderOptions = {}) {
    const { maxDepth, maxBulk, maxLine, maxElements } = { ...LIMITS, ...options };
    this.#maxDepth = checkLimit("maxDepth", maxDepth, 1000);
    this.#maxBulk = checkLimit("maxBulk", maxBulk, Number.MAX_SAFE_INTEGER);
    this.#maxLine = checkLimit("maxLine", maxLine, LONGEST_TEXT);
    this.#maxElements = checkLimit("maxElements", maxElements, 2 ** 32 - 1);
    this.#view = options.view ?? ((memory, offset, length) => new Uint8Array(memory, offset, length));
    this.#allocate = options.allocate ?? ((size) => new Uint8Array(size));
  }

  /** The chunk belongs to the decoder from here on, and to whoever gets the values. Nothing happens after an error. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#error !== null) return;
    if (this.#at < this.#chunk.length) this.#chunks.push(chunk);
    else this.#enter(chunk);
  }

  /** A value has begun and is not complete. Meaningful when `next` has returned `undefined`. */
  get isPartial(): boolean {
    return (
      this.#depth > 0 ||
      this.#held !== null ||
      this.#bodySize >= 0 ||
      this.#stream !== null ||
      this.#hasAttribute
    );
  }

  /**
   * The next value, or `undefined` until more bytes come.
   *
   * @throws {RespError} EPROTO for bytes that are no RESP or exceed a limit, and from then on again.
   */
  next(): RespValue | RespPush | undefined {
    if (this.#error !== null) throw this.#error;
    for (;;) {
      if (this.#at === this.#chunk.length && !this.#advance()) return undefined;
      let value: RespValue | RespPush | typeof GO_ON =
        this.#bodySize < 0 ? this.#readLine() : this.#readBody();
      if (value !== GO_ON) value = this.#place(value);
      if (value !== GO_ON) return value;
    }
  }

  /** @returns whether there is another chunk. */
  #advance(): boolean {
    if (this.#nextChunk < this.#chunks.length) {
      this.#enter(this.#chunks[this.#nextChunk++] as Uint8Array);
      return true;
    }
    this.#chunks = [];
    this.#nextChunk = 0;
    // An idle connection keeps no chunk alive.
    this.#enter(NOTHING);
    this.#line = NOTHING;
    return false;
  }

  #enter(chunk: Uint8Array): void {
    this.#passed += this.#chunk.length;
    this.#chunk = chunk;
    this.#memory = chunk.buffer;
    this.#memoryOffset = chunk.byteOffset;
    this.#at = 0;
  }

  #readLine(): RespValue | RespPush | typeof GO_ON {
    if (this.#held === null && !TYPES.has(this.#chunk[this.#at] as number)) {
      this.#fail("unknown type byte", this.#passed + this.#at, this.#chunk.subarray(this.#at));
    }
    return this.#takeLine() ? this.#readValue() : GO_ON;
  }

  /** @returns whether the line is complete, up to its LF. */
  #takeLine(): boolean {
    const chunk = this.#chunk;
    const from = this.#at;
    const held = this.#held;
    const hasCR = held !== null && held.memory[held.length - 1] === CR;
    const cr = hasCR ? from - 1 : findLineEnd(chunk, from);
    const lf = cr + 1;
    // Type, CR and LF do not count.
    if ((held?.length ?? 0) + cr - from > this.#maxLine + 1)
      this.#failLine(`line of more than ${this.#maxLine} bytes`);
    if (cr >= from && chunk[cr] === LF) this.#failLine("LF without CR");
    if (lf < chunk.length && chunk[lf] !== LF) this.#failLine("CR without LF");
    const isWhole = lf < chunk.length;
    const to = isWhole ? lf + 1 : chunk.length;
    if (isWhole && held === null) {
      this.#setLine(chunk, from, to);
    } else {
      const bytes = held ?? new GrowingBytes(this.#allocate, SHORT_LINE, this.#maxLine + LINE_FRAME);
      bytes.add(chunk, from, to);
      this.#held = isWhole ? null : bytes;
      if (isWhole) this.#setLine(bytes.memory, 0, bytes.length);
    }
    this.#at = to;
    return isWhole;
  }

  #setLine(line: Uint8Array, from: number, to: number): void {
    this.#line = line;
    this.#lineFrom = from;
    this.#lineTo = to;
  }

  #readValue(): RespValue | RespPush | typeof GO_ON {
    const type = this.#line[this.#lineFrom] as number;
    if (this.#stream !== null && type !== PART) this.#failHere("no part of the streamed string");
    if (type === END) return this.#endAggregate();
    this.#hasAttribute = false;
    switch (type) {
      case SIMPLE_STRING:
        return this.#texts.decode(this.#line, this.#lineFrom + 1, this.#lineTo - 2);
      case SIMPLE_ERROR:
        return new ReplyError(this.#text());
      case INTEGER:
        return parseInteger(this.#text()) ?? this.#failHere("no integer");
      case DOUBLE:
        return parseDouble(this.#text()) ?? this.#failHere("no double");
      case BIG_NUMBER:
        return parseBigNumber(this.#text()) ?? this.#failHere("no big number");
      case BOOLEAN:
        return this.#readBoolean();
      case NULL:
        return this.#text() === "" ? null : this.#failHere("no null");
      case BULK_STRING:
      case BULK_ERROR:
      case VERBATIM:
      case PART:
        return this.#beginBody(type);
      default:
        return this.#beginAggregate(type);
    }
  }

  #text(): string {
    return decodeText(this.#line, this.#lineFrom + 1, this.#lineTo - 2);
  }

  #readBoolean(): boolean {
    const text = this.#text();
    if (text !== "t" && text !== "f") this.#failHere("no boolean");
    return text === "t";
  }

  /** The line as a length or count; STREAMED for `?`, ABSENT for `-1`. */
  #length(): number {
    const line = this.#line;
    const end = this.#lineTo - 2;
    let length = 0;
    for (let at = this.#lineFrom + 1; at < end; at++) {
      const digit = (line[at] as number) - ZERO;
      if (digit < 0 || digit > 9) return this.#specialLength();
      length = length * 10 + digit;
    }
    return this.#lineFrom + 1 < end ? length : this.#failHere("no length");
  }

  #specialLength(): number {
    const type = this.#line[this.#lineFrom];
    const text = this.#text();
    const isArray = type === ARRAY;
    if (text === "-1" && (isArray || type === BULK_STRING)) return ABSENT;
    if (text === "?" && (isArray || type === BULK_STRING || type === SET || type === MAP)) return STREAMED;
    return this.#failHere("no length");
  }

  #beginBody(type: number): null | Uint8Array | typeof GO_ON {
    const size = this.#length();
    if (size === ABSENT) return null;
    if (size === STREAMED) {
      this.#stream = new GrowingBytes(this.#allocate, SHORT_LINE, this.#maxBulk);
      return GO_ON;
    }
    if (type === PART) return this.#beginPart(size);
    if (size > this.#maxBulk) this.#failHere(`string of more than ${this.#maxBulk} bytes`);
    if (type !== BULK_STRING && size > LONGEST_TEXT) this.#failHere("text longer than any string can be");
    this.#bodyType = type;
    this.#bodySize = size;
    return GO_ON;
  }

  /** Of a streamed string; an empty part ends it. */
  #beginPart(size: number): Uint8Array | typeof GO_ON {
    const stream = this.#stream ?? this.#failHere("a part of no streamed string");
    if (stream.length + size > this.#maxBulk) this.#failHere(`string of more than ${this.#maxBulk} bytes`);
    if (size > 0) {
      this.#bodyType = PART;
      this.#bodySize = size;
      return GO_ON;
    }
    this.#stream = null;
    const bytes = this.#allocate(stream.length);
    bytes.set(stream.memory.subarray(0, stream.length));
    return bytes;
  }

  #readBody(): RespValue | typeof GO_ON {
    const size = this.#bodySize;
    const chunk = this.#chunk;
    const from = this.#at;
    if (this.#held === null && from + size + 2 <= chunk.length) {
      this.#at = from + size + 2;
      return this.#endBody(chunk, this.#memory, this.#memoryOffset, from);
    }
    this.#held ??= new GrowingBytes(this.#allocate, size + 2, size + 2);
    const held = this.#held;
    const to = Math.min(chunk.length, from + size + 2 - held.length);
    held.add(chunk, from, to);
    this.#at = to;
    if (held.length < size + 2) return GO_ON;
    this.#held = null;
    return this.#endBody(held.memory, held.memory.buffer, held.memory.byteOffset, 0);
  }

  /** The body lies in `bytes`, which are at `offset` of `memory`. */
  #endBody(
    bytes: Uint8Array,
    memory: ArrayBufferLike,
    offset: number,
    from: number,
  ): RespValue | typeof GO_ON {
    const size = this.#bodySize;
    const to = from + size;
    if (bytes[to] !== CR || bytes[to + 1] !== LF) {
      this.#fail("no CR and LF behind a string", this.#passed + this.#at - 2, bytes.subarray(to));
    }
    this.#bodySize = -1;
    switch (this.#bodyType) {
      case BULK_STRING:
        if (this.#isKind()) return this.#texts.decode(bytes, from, to);
        return this.#view(memory, offset + from, size);
      case PART:
        (this.#stream as GrowingBytes).add(bytes, from, to);
        return GO_ON;
      case BULK_ERROR:
        return new ReplyError(decodeText(bytes, from, to));
      default:
        if (size < 4 || bytes[from + 3] !== COLON) {
          const offset = this.#passed + this.#at - size - 2;
          this.#fail("no format before a verbatim string", offset, bytes.subarray(from));
        }
        return decodeText(bytes, from + 4, to);
    }
  }

  /** What comes next is the kind of a push. */
  #isKind(): boolean {
    if (this.#depth !== 1) return false;
    const outermost = this.#aggregates[0] as Aggregate;
    return outermost.mayBePush && outermost.count === 0;
  }

  #beginAggregate(type: number): RespValue | RespPush | typeof GO_ON {
    const length = this.#length();
    if (length === ABSENT) return null;
    if (type === PUSH && this.#depth > 0) this.#failHere("a push inside another value");
    if (this.#depth === this.#maxDepth) this.#failHere(`aggregates more than ${this.#maxDepth} deep`);
    if (this.#depth === 0) this.#elements = 0;
    const isPairs = type === MAP || type === ATTRIBUTE;
    const size = isPairs && length !== STREAMED ? length * 2 : length;
    if (size > this.#maxElements - this.#elements) this.#failHere(this.#tooMany());
    if (size > 0) this.#elements += size;
    const mayBePush = type === PUSH || (type === ARRAY && this.arraysArePushes && this.#depth === 0);
    this.#aggregates[this.#depth] ??= new Aggregate();
    const aggregate = this.#aggregates[this.#depth++] as Aggregate;
    aggregate.begin(type, size, mayBePush);
    return size === 0 ? this.#complete(aggregate) : GO_ON;
  }

  #endAggregate(): RespValue | RespPush | typeof GO_ON {
    const aggregate = this.#depth > 0 ? (this.#aggregates[this.#depth - 1] as Aggregate) : null;
    if (aggregate?.size !== STREAMED) this.#failHere("an end without a streamed aggregate");
    if (aggregate.type === MAP && aggregate.count % 2 === 1) this.#failHere("a key without a value");
    if (this.#hasAttribute) this.#failHere("an attribute without a value");
    return this.#complete(aggregate);
  }

  /** Puts a value into the aggregate it belongs to. @returns the value at the top, once it is complete. */
  #place(value: RespValue | RespPush): RespValue | RespPush | typeof GO_ON {
    let whole: RespValue | RespPush | typeof GO_ON = value;
    while (this.#depth > 0 && whole !== GO_ON) {
      const aggregate = this.#aggregates[this.#depth - 1] as Aggregate;
      if (aggregate.size === STREAMED) this.#countStreamed();
      // A push is never inside another value.
      whole = aggregate.add(whole as RespValue) ? this.#complete(aggregate) : GO_ON;
    }
    return whole;
  }

  #complete(aggregate: Aggregate): RespValue | RespPush | typeof GO_ON {
    this.#depth -= 1;
    const { type, first, count } = aggregate;
    const items = aggregate.end();
    if (type === MAP) return toMap(items);
    if (type === ATTRIBUTE) {
      this.#hasAttribute = true;
      return GO_ON;
    }
    if (!aggregate.mayBePush) return items;
    if (typeof first === "string") return new RespPush(first, items);
    if (first instanceof Uint8Array) return new RespPush(decodeText(first, 0, first.length), items);
    if (type === PUSH) return GO_ON;
    if (count > 0) items.unshift(first);
    return items;
  }

  #countStreamed(): void {
    this.#elements += 1;
    if (this.#elements > this.#maxElements)
      this.#fail(this.#tooMany(), this.#passed + this.#at, this.#chunk.subarray(this.#at));
  }

  #tooMany(): string {
    return `value of more than ${this.#maxElements} elements`;
  }

  /** The mistake is in the line that was read last, right before the next byte. */
  #failHere(reason: string): never {
    const line = this.#line.subarray(this.#lineFrom, this.#lineTo);
    this.#fail(reason, this.#passed + this.#at - line.length, line);
  }

  /** The mistake is in the line that is being read. */
  #failLine(reason: string): never {
    const held = this.#held;
    const offset = this.#passed + this.#at - (held?.length ?? 0);
    this.#fail(reason, offset, held?.memory.subarray(0, held.length) ?? this.#chunk.subarray(this.#at));
  }

  #fail(reason: string, offset: number, bytes: Uint8Array): never {
    this.#error = new RespError(reason, offset, bytes);
    this.#chunks = [];
    this.#enter(NOTHING);
    this.#line = NOTHING;
    this.#held = null;
    this.#stream = null;
    this.#aggregates.length = 0;
    throw this.#error;
  }
}

/** @returns the index of the first CR or LF from `at` on, or the length. */
function findLineEnd(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end] !== CR && bytes[end] !== LF) end += 1;
  return end;
}

function checkLimit(name: string, limit: number, most: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw new ZmqError("EINVAL", `${name} has to be a whole number from 1 to ${most}: ${limit}`);
}
