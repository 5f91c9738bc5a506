import { DecodeError } from "../errors.ts";
import { asBuffer } from "./bytes.ts";
import type { JsonValue } from "./db-update.ts";
import { MAX_DEPTH, MAX_ELEMENTS } from "./limits.ts";

/*
 * A strict decoder of our own. @msgpack/msgpack 3 allocates arrays from the lengths that the peer declares (a nest of 12
 * headers cost it 3 GB and 12 s), knows no limit of depth nor of elements in all, accepts ill-formed UTF-8 and the timestamp
 * extension, rounds 64-bit integers, and reports truncation as RangeError. A walker in front of it that refuses all that
 * would be this file already.
 */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** What Buffer's decoder puts in the place of ill-formed UTF-8. */
const REPLACEMENT = "\ufffd";
/** Bytes of a text that is looked through here: a longer one is decoded faster as it comes. */
const SHORT = 64;

/**
 * Decodes one MessagePack value that fills `bytes` to the end. Text may come in the raw/str family only and must be
 * UTF-8; map keys must be text; a key that comes twice has its last value, as in Python.
 *
 * @throws {DecodeError} and nothing else: truncation, trailing bytes, ill-formed UTF-8, bin and extension types, numbers
 *   that JSON or JavaScript cannot hold, more than 16 levels or 1024 elements.
 */
export function decodeMsgpack(bytes: Uint8Array): JsonValue {
  return new Reader(bytes).message();
}

/** Whether the message is one text (the raw/str family), told by its first byte. */
export function isRaw(bytes: Uint8Array): boolean {
  const head = bytes[0];
  return head !== undefined && ((head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb));
}

class Reader {
  /** As it was given, for errors. */
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  #at = 0;
  #elements = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#buffer = asBuffer(bytes);
  }

  message(): JsonValue {
    const value = this.#value(0);
    if (this.#at !== this.#buffer.length)
      this.#fail(`${this.#buffer.length - this.#at} bytes follow the value`);
    return value;
  }

  #value(depth: number): JsonValue {
    const head = this.#buffer.readUInt8(this.#take(1));
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head < 0x90) return this.#map(head & 0x0f, depth);
    if (head < 0xa0) return this.#array(head & 0x0f, depth);
    if (head < 0xc0) return this.#text(head & 0x1f);
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.#finite(this.#buffer.readFloatBE(this.#take(4)));
      case 0xcb:
        return this.#finite(this.#buffer.readDoubleBE(this.#take(8)));
      case 0xcc:
        return this.#buffer.readUInt8(this.#take(1));
      case 0xcd:
        return this.#buffer.readUInt16BE(this.#take(2));
      case 0xce:
        return this.#buffer.readUInt32BE(this.#take(4));
      case 0xcf:
        return this.#safe(this.#buffer.readBigUInt64BE(this.#take(8)));
      case 0xd0:
        return this.#buffer.readInt8(this.#take(1));
      case 0xd1:
        return this.#buffer.readInt16BE(this.#take(2));
      case 0xd2:
        return this.#buffer.readInt32BE(this.#take(4));
      case 0xd3:
        return this.#safe(this.#buffer.readBigInt64BE(this.#take(8)));
      case 0xd9:
        return this.#text(this.#buffer.readUInt8(this.#take(1)));
      case 0xda:
        return this.#text(this.#buffer.readUInt16BE(this.#take(2)));
      case 0xdb:
        return this.#text(this.#buffer.readUInt32BE(this.#take(4)));
      case 0xdc:
        return this.#array(this.#buffer.readUInt16BE(this.#take(2)), depth);
      case 0xdd:
        return this.#array(this.#buffer.readUInt32BE(this.#take(4)), depth);
      case 0xde:
        return this.#map(this.#buffer.readUInt16BE(this.#take(2)), depth);
      case 0xdf:
        return this.#map(this.#buffer.readUInt32BE(this.#take(4)), depth);
      default:
        return this.#fail(`type 0x${head.toString(16)} is not accepted`);
    }
  }

  #array(length: number, depth: number): JsonValue[] {
    this.#enter(length, depth);
    const values: JsonValue[] = [];
    for (let i = 0; i < length; i++) values.push(this.#value(depth + 1));
    return values;
  }

  #map(length: number, depth: number): { [key: string]: JsonValue } {
    this.#enter(length, depth);
    const map: { [key: string]: JsonValue } = {};
    for (let i = 0; i < length; i++) {
      const key = this.#value(MAX_DEPTH);
      if (typeof key !== "string") this.#fail("a map key is no text");
      const value = this.#value(depth + 1);
      // An assignment to this one would reach the prototype.
      if (key === "__proto__")
        Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
      else map[key] = value;
    }
    return map;
  }

  #enter(length: number, depth: number): void {
    if (depth === MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH}`);
    this.#elements += length;
    if (this.#elements > MAX_ELEMENTS) this.#fail(`more than ${MAX_ELEMENTS} elements`);
  }

  #text(length: number): string {
    const start = this.#take(length);
    const end = start + length;
    if (length < SHORT && this.#isAscii(start, end)) return this.#buffer.toString("latin1", start, end);
    const text = this.#decode(start, end);
    // What was no UTF-8, or this very character. Asking the strict decoder every time would cost much more.
    if (text.includes(REPLACEMENT)) this.#checkUtf8(start, end);
    return text;
  }

  #isAscii(start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (this.#buffer[at]! >= 0x80) return false;
    return true;
  }

  #decode(start: number, end: number): string {
    try {
      return this.#buffer.toString("utf8", start, end);
    } catch (cause) {
      throw new DecodeError(`MessagePack: ${end - start} bytes cannot be a string`, this.#bytes, { cause });
    }
  }

  #checkUtf8(start: number, end: number): void {
    try {
      utf8.decode(this.#buffer.subarray(start, end));
    } catch (cause) {
      throw new DecodeError("MessagePack: ill-formed UTF-8", this.#bytes, { cause });
    }
  }

  #finite(n: number): number {
    return Number.isFinite(n) ? n : this.#fail(`${n} is no JSON value`);
  }

  #safe(n: bigint): number {
    const number = Number(n);
    return Number.isSafeInteger(number) ? number : this.#fail(`the integer ${n} is beyond 2^53 - 1`);
  }

  /** Steps over `length` bytes and gives the place where they begin. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#buffer.length - start) this.#fail("truncated");
    this.#at = start + length;
    return start;
  }

  #fail(why: string): never {
    throw new DecodeError(`MessagePack: ${why}`, this.#bytes);
  }
}
