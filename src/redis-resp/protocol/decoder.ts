/**
 * The RESP2 and RESP3 protocols (https://redis.io/docs/latest/develop/reference/protocol-spec/). A value is
 *
 *     type line CR LF                      + - : _ # , (
 *     type length CR LF bytes CR LF        $ ! =      the last begins with three letters and a colon
 *     type count CR LF values              * ~ % | >  two values for each pair of % and |; what follows | is the value it is about
 *     $? CR LF (;length CR LF bytes CR LF)... ;0 CR LF
 *     *? CR LF values . CR LF              ~? and %? too
 */
import { ZmqError } from "../../errors.ts";
import { Aggregate, toMap } from "./aggregate.ts";
import { ReplyError } from "./errors.ts";
import { type Allocate, GrowingBytes } from "./growing-bytes.ts";
import { Input, type View } from "./input.ts";
import { parseBigNumber, parseDouble, parseInteger } from "./numbers.ts";
import { decodeText, TextCache } from "./text.ts";
import { UsualPush } from "./usual-push.ts";
import { RespPush, type RespValue } from "./values.ts";

export interface DecoderOptions {
  /** Aggregates within aggregates. Default 128, at most 1000. */
  maxDepth?: number;
  /** Bytes of one string. Default 512 MiB. */
  maxBulk?: number;
  /** Bytes of one line. Default 1 MiB, at least 32. */
  maxLine?: number;
  /** Elements of one top-level value, those of nested ones included. Default 2^24. */
  maxElements?: number;
  /** A view of memory. Default: a Uint8Array. */
  view?: View;
  /** Memory that need not be zeroed. Default: a Uint8Array. */
  allocate?: Allocate;
}

const LIMITS = { maxDepth: 128, maxBulk: 2 ** 29, maxLine: 2 ** 20, maxElements: 2 ** 24 };

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

const COLON = 0x3a;

/** A length that is not said. */
const STREAMED = -1;
const ABSENT = -2;

/** Every number has its place in a line. */
const SHORTEST_LINE = 32;
/** What V8 allows on any machine: no text can be longer. */
const LONGEST_TEXT = 2 ** 28 - 16;
/** Memory of a streamed string, to begin with. */
const SHORT_STREAM = 64;

/** Something was read and there is no value to hand on yet. */
const GO_ON: unique symbol = Symbol("go on");

type Result = RespValue | RespPush | typeof GO_ON;

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
  readonly #maxElements: number;
  readonly #allocate: Allocate;
  readonly #input: Input;
  readonly #texts = new TextCache();
  /** Type and size of the body that comes; a size of -1: none does. */
  #bodyType = 0;
  #bodySize = -1;
  /** The parts so far of a streamed string. */
  #stream: GrowingBytes | null = null;
  /** The innermost of the aggregates that are not complete. */
  #innermost: Aggregate | null = null;
  /** Elements of the current top-level value, announced or come. */
  #elements = 0;
  /** An attribute has come, and its value has not. */
  #hasAttribute = false;
  #usual: UsualPush | null = null;
  #lastKind = "";
  #error: unknown = null;

  /** @throws {ZmqError} EINVAL for a limit that is none. */
  constructor(options: DecoderOptions = {}) {
    const { maxDepth, maxBulk, maxLine, maxElements } = { ...LIMITS, ...options };
    this.#maxDepth = checkLimit("maxDepth", maxDepth, 1, 1000);
    this.#maxBulk = checkLimit("maxBulk", maxBulk, 1, Number.MAX_SAFE_INTEGER);
    this.#maxElements = checkLimit("maxElements", maxElements, 1, 2 ** 32 - 1);
    this.#allocate = options.allocate ?? ((size) => new Uint8Array(size));
    const view: View = options.view ?? ((memory, offset, length) => new Uint8Array(memory, offset, length));
    this.#input = new Input(
      checkLimit("maxLine", maxLine, SHORTEST_LINE, LONGEST_TEXT),
      this.#allocate,
      view,
    );
  }

  /** The chunk belongs to the decoder from here on, and to whoever gets the values. Nothing happens after an error. */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0 && this.#error === null) this.#input.push(chunk);
  }

  /** A value has begun and is not complete. Meaningful when `next` has returned `undefined`. */
  get isPartial(): boolean {
    return (
      this.#input.isPartial ||
      this.#innermost !== null ||
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
    try {
      return this.#next();
    } catch (error) {
      this.#error = error;
      this.#input.clear();
      this.#stream = null;
      this.#innermost = null;
      throw error;
    }
  }

  #next(): RespValue | RespPush | undefined {
    const input = this.#input;
    const push = this.#readUsual();
    if (push !== null) return push;
    for (;;) {
      let result: Result;
      if (this.#bodySize < 0) {
        if (this.#stream === null && input.readString(this.#maxBulk)) {
          result = this.#bulkString();
        } else {
          if (!input.readLine()) return undefined;
          result = this.#endLine();
        }
      } else {
        if (!input.readBody(this.#bodySize)) return undefined;
        result = this.#endBody();
      }
      if (result !== GO_ON) result = this.#place(result);
      if (result !== GO_ON) return result;
    }
  }

  #readUsual(): RespPush | null {
    const usual = this.#usual;
    if (usual === null || this.#innermost !== null || this.#bodySize >= 0) return null;
    if (this.#stream !== null || this.#hasAttribute) return null;
    if (usual.type !== PUSH && !this.arraysArePushes) return null;
    return usual.read(this.#input, this.#maxBulk);
  }

  /** Two in a row of one kind, with nothing but bytes in them, are likely to be followed by more. */
  #expectMore(type: number, kind: string, items: readonly RespValue[]): void {
    const isSecond = kind === this.#lastKind;
    this.#lastKind = kind;
    if (!isSecond || (this.#usual?.kind === kind && this.#usual.type === type)) return;
    if (!/^[!-~]+$/.test(kind)) return;
    if (items.every((item) => item instanceof Uint8Array))
      this.#usual = new UsualPush(type, kind, items.length);
  }

  #endLine(): Result {
    const input = this.#input;
    const type = input.type;
    if (this.#stream !== null && type !== PART) input.failLine("no part of the streamed string");
    if (type === END) return this.#endStreamed();
    this.#hasAttribute = false;
    switch (type) {
      case BULK_STRING:
      case BULK_ERROR:
      case VERBATIM:
      case PART:
        return this.#beginBody(type);
      case INTEGER:
        return input.number >= 0
          ? input.number
          : (parseInteger(this.#text()) ?? input.failLine("no integer"));
      case SIMPLE_STRING:
        return this.#texts.decode(input.bytes, input.from, input.to);
      case SIMPLE_ERROR:
        return new ReplyError(this.#text());
      case DOUBLE:
        return parseDouble(this.#text()) ?? input.failLine("no double");
      case BIG_NUMBER:
        return parseBigNumber(this.#text()) ?? input.failLine("no big number");
      case BOOLEAN:
        return this.#readBoolean();
      case NULL:
        return this.#text() === "" ? null : input.failLine("no null");
      default:
        return this.#beginAggregate(type);
    }
  }

  #text(): string {
    return decodeText(this.#input.bytes, this.#input.from, this.#input.to);
  }

  #readBoolean(): boolean {
    const text = this.#text();
    if (text !== "t" && text !== "f") this.#input.failLine("no boolean");
    return text === "t";
  }

  /** The line as a length or count; STREAMED for `?`, ABSENT for `-1`. */
  #length(type: number): number {
    const { number } = this.#input;
    if (number >= 0) return number;
    const text = this.#text();
    const isArray = type === ARRAY;
    if (text === "-1" && (isArray || type === BULK_STRING)) return ABSENT;
    if (text === "?" && (isArray || type === BULK_STRING || type === SET || type === MAP)) return STREAMED;
    return this.#input.failLine("no length");
  }

  #beginBody(type: number): Result {
    const size = this.#length(type);
    if (size === ABSENT) return null;
    if (size === STREAMED) {
      this.#stream = new GrowingBytes(this.#allocate, SHORT_STREAM, this.#maxBulk);
      return GO_ON;
    }
    if (size > this.#maxBulk - (this.#stream?.length ?? 0)) {
      this.#input.failLine(`string of more than ${this.#maxBulk} bytes`);
    }
    if (type === PART && size === 0) return this.#endStream();
    if (type === PART && this.#stream === null) this.#input.failLine("a part of no streamed string");
    if (type !== BULK_STRING && size > LONGEST_TEXT) {
      this.#input.failLine("text longer than any string can be");
    }
    this.#bodyType = type;
    this.#bodySize = size;
    return GO_ON;
  }

  #endStream(): Uint8Array {
    const stream = this.#stream ?? this.#input.failLine("a part of no streamed string");
    this.#stream = null;
    const bytes = this.#allocate(stream.length);
    bytes.set(stream.memory.subarray(0, stream.length));
    return bytes;
  }

  #endBody(): Result {
    const input = this.#input;
    const { bytes, from, to } = input;
    this.#bodySize = -1;
    switch (this.#bodyType) {
      case BULK_STRING:
        return this.#bulkString();
      case PART:
        this.#stream?.add(bytes, from, to);
        return GO_ON;
      case BULK_ERROR:
        return new ReplyError(decodeText(bytes, from, to));
      default:
        if (to - from < 4 || bytes[from + 3] !== COLON) input.failBody("no format before a verbatim string");
        return decodeText(bytes, from + 4, to);
    }
  }

  #bulkString(): RespValue {
    const input = this.#input;
    this.#hasAttribute = false;
    const isKind = this.#innermost?.awaitsKind === true;
    return isKind ? this.#texts.decode(input.bytes, input.from, input.to) : input.view();
  }

  #beginAggregate(type: number): Result {
    const length = this.#length(type);
    if (length === ABSENT) return null;
    const outer = this.#innermost;
    if (type === PUSH && outer !== null) this.#input.failLine("a push inside another value");
    if (outer === null) this.#elements = 0;
    else if (outer.depth === this.#maxDepth)
      this.#input.failLine(`aggregates more than ${this.#maxDepth} deep`);
    const size = length > 0 && (type === MAP || type === ATTRIBUTE) ? length * 2 : length;
    if (size > this.#maxElements - this.#elements) this.#input.failLine(this.#tooMany());
    if (size > 0) this.#elements += size;
    const mayBePush = type === PUSH || (type === ARRAY && this.arraysArePushes && outer === null);
    const aggregate = new Aggregate(type, size, outer, mayBePush);
    this.#innermost = aggregate;
    return size === 0 ? this.#endAggregate(aggregate) : GO_ON;
  }

  /** A streamed aggregate is told its end. */
  #endStreamed(): Result {
    const aggregate = this.#innermost;
    if (aggregate === null || aggregate.size >= 0) {
      return this.#input.failLine("an end without a streamed aggregate");
    }
    if (aggregate.type === MAP && aggregate.count % 2 === 1) this.#input.failLine("a key without a value");
    if (this.#hasAttribute) this.#input.failLine("an attribute without a value");
    return this.#endAggregate(aggregate);
  }

  /** Puts a value into the aggregate it belongs to. @returns the value at the top, once it is complete. */
  #place(value: RespValue | RespPush): Result {
    let whole: Result = value;
    for (;;) {
      const aggregate = this.#innermost;
      if (aggregate === null || whole === GO_ON) return whole;
      if (aggregate.size < 0) this.#countStreamed();
      // A push is never inside another value.
      if (!aggregate.add(whole as RespValue)) return GO_ON;
      whole = this.#endAggregate(aggregate);
    }
  }

  #endAggregate(aggregate: Aggregate): Result {
    const { type, kind, items } = aggregate;
    this.#innermost = aggregate.outer;
    if (kind !== null) {
      this.#expectMore(type, kind, items);
      return new RespPush(kind, items);
    }
    switch (type) {
      case PUSH:
        return GO_ON;
      case MAP:
        return toMap(items);
      case ATTRIBUTE:
        this.#hasAttribute = true;
        return GO_ON;
      default:
        return items;
    }
  }

  #countStreamed(): void {
    this.#elements += 1;
    if (this.#elements > this.#maxElements) this.#input.failNext(this.#tooMany());
  }

  #tooMany(): string {
    return `value of more than ${this.#maxElements} elements`;
  }
}

function checkLimit(name: string, limit: number, least: number, most: number): number {
  if (Number.isInteger(limit) && limit >= least && limit <= most) return limit;
  throw new ZmqError("EINVAL", `${name} has to be a whole number from ${least} to ${most}: ${limit}`);
}
