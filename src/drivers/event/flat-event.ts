import type { WireFields } from "./db-update.ts";
import { isSequence, type Sequence } from "./sequence-counter.ts";

/*
 * The `json` form of nearly all events: five fields in the order of Dragonflow's `to_dict()`, with Python's spaces, each null
 * or a text of printable ASCII, and the two of a sequence where there is one. Written and read byte by byte, which takes a half
 * and three quarters of the time of JSON.stringify and JSON.parse with the checks that those need. All other events are left
 * to them.
 *
 *   da <length, 2 bytes> {"table": "lport", "key": "p1", "action": "set", "value": null, "topic": "D"}
 *   da <length, 2 bytes> {"table": "lport", "key": "p1", "action": "set", "value": null, "topic": "D", "pub": "1f", "seq": 7}
 */

/** As an event is read. */
export interface FlatEvent extends WireFields {
  readonly sequence?: Sequence;
}

const HEADER = 3;
const RAW_16 = 0xda;
const LONGEST = 0xffff;
const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const BRACE_END = 0x7d;

/** In place of where something ends: this is no flat event. */
const NOT_FLAT = -1;
/** In place of where a text ends: there is none, the field is null. */
const IS_NULL = -2;

/** What stands before each value. */
const TABLE: Buffer = Buffer.from('{"table": ');
const KEY: Buffer = Buffer.from(', "key": ');
const ACTION: Buffer = Buffer.from(', "action": ');
const VALUE: Buffer = Buffer.from(', "value": ');
const TOPIC: Buffer = Buffer.from(', "topic": ');
const LABELS: readonly Buffer[] = [TABLE, KEY, ACTION, VALUE, TOPIC];
/** What stands before those of a sequence. */
const PUB: Buffer = Buffer.from(', "pub": ');
const SEQ: Buffer = Buffer.from(', "seq": ');
/** Digits of the largest number that is exact. */
const SEQ_DIGITS = 16;
const NULL: Buffer = Buffer.from("null");

/** By byte: 1 for what stands in a string as it is. */
const PLAIN: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/**
 * Where an event is written. A constant, which makes writing a tenth faster than memory taken for the first event would; the
 * system gives pages only when they are written to.
 */
const event: Buffer = Buffer.allocUnsafeSlow(HEADER + LONGEST);
/** One for all events, made for the first one. */
let reader: Reader | null = null;

/**
 * @param fields of the right kinds.
 * @returns memory of its own; null when this is no flat event.
 */
export function packFlatEvent(
  { table, key, action, value, topic }: WireFields,
  sequence: Sequence | null = null,
): Buffer | null {
  if (value !== null && typeof value !== "string") return null;
  let at = write(HEADER, TABLE, table);
  if (at !== NOT_FLAT) at = write(at, KEY, key);
  if (at !== NOT_FLAT) at = write(at, ACTION, action);
  if (at !== NOT_FLAT) at = write(at, VALUE, value);
  if (at !== NOT_FLAT) at = write(at, TOPIC, topic);
  if (at !== NOT_FLAT && sequence !== null) at = writeSequence(at, sequence);
  if (at === NOT_FLAT || at === event.length) return null;
  event[at++] = BRACE_END;
  event[0] = RAW_16;
  event[1] = (at - HEADER) >> 8;
  event[2] = (at - HEADER) & 0xff;
  const packed = Buffer.allocUnsafe(at);
  event.copy(packed, 0, 0, at);
  return packed;
}

/** @returns null when this is no flat event, though it may be another. */
export function unpackFlatEvent(bytes: Uint8Array): FlatEvent | null {
  reader ??= new Reader();
  return reader.unpack(bytes);
}

/** @returns where it ends; NOT_FLAT also when it does not fit. */
function write(from: number, label: Buffer, text: string | null): number {
  const length = text === null ? NULL.length : 2 * text.length + 2;
  if (from + label.length + length > event.length) return NOT_FLAT;
  let at = copy(label, from);
  if (text === null) return copy(NULL, at);
  event[at++] = QUOTE;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (PLAIN[code] !== 1) {
      if (code !== QUOTE && code !== BACKSLASH) return NOT_FLAT;
      event[at++] = BACKSLASH;
    }
    event[at++] = code;
  }
  event[at++] = QUOTE;
  return at;
}

/** @returns where it ends, NOT_FLAT when it does not fit. */
function writeSequence(from: number, { pub, seq }: Sequence): number {
  const at = write(from, PUB, pub);
  const digits = String(seq);
  if (at === NOT_FLAT || at + SEQ.length + digits.length > event.length) return NOT_FLAT;
  const end = copy(SEQ, at);
  return end + event.write(digits, end, "latin1");
}

/** @returns where the copy ends. */
function copy(bytes: Buffer, at: number): number {
  for (let i = 0; i < bytes.length; i++) event[at + i] = bytes[i]!;
  return at + bytes.length;
}

/** What has been read of texts, without their escapes. */
class Texts {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(LONGEST);
  length = 0;

  take(): string {
    return this.bytes.toString("latin1", 0, this.length);
  }
}

class Reader {
  /**
   * Slices of one string, which costs less than strings of their own. The value is not among them: it may be large, and a name
   * that is kept keeps that string.
   */
  readonly #names: Texts = new Texts();
  readonly #values: Texts = new Texts();
  /** Where each field's text is in `#names` or `#values`; null ends at IS_NULL. */
  readonly #begins: Int32Array = new Int32Array(LABELS.length);
  readonly #ends: Int32Array = new Int32Array(LABELS.length);

  unpack(bytes: Uint8Array): FlatEvent | null {
    if (bytes.length < HEADER || bytes[0] !== RAW_16) return null;
    if (bytes[1]! * 256 + bytes[2]! !== bytes.length - HEADER) return null;
    this.#names.length = 0;
    this.#values.length = 0;
    let at = HEADER;
    for (let i = 0; i < LABELS.length; i++) {
      at = this.#read(bytes, at, i);
      if (at === NOT_FLAT) return null;
    }
    if (this.#ends[2] === IS_NULL) return null;
    if (at === bytes.length - 1 && bytes[at] === BRACE_END) return this.#fields(this.#names.take());
    return this.#numbered(bytes, at);
  }

  #fields(names: string): WireFields {
    const [begins, ends] = [this.#begins, this.#ends];
    return {
      table: this.#name(names, 0),
      key: this.#name(names, 1),
      action: names.slice(begins[2], ends[2]),
      value: ends[3] === IS_NULL ? null : this.#values.take(),
      topic: this.#name(names, 4),
    };
  }

  /** Reads the two fields of a sequence, and no more may follow. */
  #numbered(bytes: Uint8Array, from: number): FlatEvent | null {
    const quote = from + PUB.length;
    if (!isAt(bytes, from, PUB) || bytes[quote] !== QUOTE) return null;
    const begin = this.#names.length;
    const end = readText(bytes, quote + 1, this.#names);
    if (end === NOT_FLAT || !isAt(bytes, end, SEQ)) return null;
    const seq = readNumber(bytes, end + SEQ.length);
    const names = this.#names.take();
    const pub = names.slice(begin);
    if (!isSequence(pub, seq)) return null;
    const { table, key, action, value, topic } = this.#fields(names);
    return { table, key, action, value, topic, sequence: { pub, seq } };
  }

  /** Reads the field with this number. @returns where it ends. */
  #read(bytes: Uint8Array, from: number, field: number): number {
    const label = LABELS[field]!;
    if (!isAt(bytes, from, label)) return NOT_FLAT;
    const quote = from + label.length;
    if (bytes[quote] !== QUOTE) {
      this.#ends[field] = IS_NULL;
      return isAt(bytes, quote, NULL) ? quote + NULL.length : NOT_FLAT;
    }
    const texts = label === VALUE ? this.#values : this.#names;
    this.#begins[field] = texts.length;
    const end = readText(bytes, quote + 1, texts);
    this.#ends[field] = texts.length;
    return end;
  }

  #name(names: string, field: number): string | null {
    const end = this.#ends[field]!;
    return end === IS_NULL ? null : names.slice(this.#begins[field], end);
  }
}

/** Reads up to the closing quote. @returns what follows it. */
function readText(bytes: Uint8Array, from: number, texts: Texts): number {
  const to = texts.bytes;
  let length = texts.length;
  for (let at = from; at < bytes.length; at++) {
    let byte = bytes[at]!;
    if (PLAIN[byte] !== 1) {
      if (byte === QUOTE) {
        texts.length = length;
        return at + 1;
      }
      if (byte !== BACKSLASH) return NOT_FLAT;
      byte = bytes[++at] ?? 0;
      if (byte !== QUOTE && byte !== BACKSLASH && byte !== SLASH) return NOT_FLAT;
    }
    to[length++] = byte;
  }
  return NOT_FLAT;
}

/** Reads digits up to the end of the event. @returns 0 when there is anything else. */
function readNumber(bytes: Uint8Array, from: number): number {
  const end = bytes.length - 1;
  if (bytes[end] !== BRACE_END || end - from > SEQ_DIGITS || bytes[from] === ZERO) return 0;
  let n = 0;
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte < ZERO || byte > NINE) return 0;
    n = 10 * n + (byte - ZERO);
  }
  return n;
}

function isAt(bytes: Uint8Array, at: number, expected: Buffer): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
  return true;
}
