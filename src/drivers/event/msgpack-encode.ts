import type { JsonValue } from "./db-update.ts";

/**
 * MessagePack as msgpack-python 0.4 writes it with `use_bin_type=False`: text in the raw family only.
 *
 *   text    fixraw a0|n (n < 32), raw16 da (n < 65536), raw32 db; never str8 d9, never bin c4..c6
 *   number  the smallest integer form, float64 cb for all else
 *   others  nil c0, false c2, true c3, fixarray 90|n, array16 dc, fixmap 80|n, map16 de
 *
 * @param value checked by the caller: finite, no cycles, at most 65535 entries a container, no lone surrogates.
 * @returns memory of its own.
 */
export function encodeMsgpack(value: JsonValue): Buffer {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes();
}

/** One text, known to be ASCII, as a MessagePack message of its own. */
export function encodeAscii(text: string): Buffer {
  const { length } = text;
  const bytes = Buffer.allocUnsafe((length < 32 ? 1 : length < 0x10000 ? 3 : 5) + length);
  const at = writeRawHeader(bytes, 0, length);
  bytes.write(text, at, "latin1");
  return bytes;
}

/** @returns where the text begins. */
function writeRawHeader(bytes: Buffer, at: number, length: number): number {
  if (length < 32) {
    bytes[at] = 0xa0 | length;
    return at + 1;
  }
  if (length < 0x10000) {
    bytes[at] = 0xda;
    return bytes.writeUInt16BE(length, at + 1);
  }
  bytes[at] = 0xdb;
  return bytes.writeUInt32BE(length, at + 1);
}

class Writer {
  #buffer: Buffer = Buffer.allocUnsafe(512);
  #at = 0;

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  value(value: JsonValue): void {
    if (value === null) this.#byte(0xc0);
    else if (value === false) this.#byte(0xc2);
    else if (value === true) this.#byte(0xc3);
    else if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else if (Array.isArray(value)) this.#array(value);
    else this.#map(value as { readonly [key: string]: JsonValue });
  }

  #text(text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(5 + length);
    this.#at = writeRawHeader(this.#buffer, this.#at, length);
    this.#at += this.#buffer.write(text, this.#at, "utf8");
  }

  #array(values: readonly JsonValue[]): void {
    if (values.length < 16) this.#byte(0x90 | values.length);
    else this.#uint16(0xdc, values.length);
    for (const value of values) this.value(value);
  }

  #map(values: { readonly [key: string]: JsonValue }): void {
    const keys = Object.keys(values);
    if (keys.length < 16) this.#byte(0x80 | keys.length);
    else this.#uint16(0xde, keys.length);
    for (const key of keys) {
      this.#text(key);
      this.value(values[key]!);
    }
  }

  #number(n: number): void {
    // Beyond the safe integers JavaScript itself no longer knows the integer: only a float is true to the number.
    if (!Number.isSafeInteger(n) || Object.is(n, -0)) this.#float64(n);
    else if (n >= 0) this.#unsigned(n);
    else this.#negative(n);
  }

  #unsigned(n: number): void {
    if (n < 0x80) this.#byte(n);
    else if (n < 0x100) this.#uint8(0xcc, n);
    else if (n < 0x10000) this.#uint16(0xcd, n);
    else if (n < 0x100000000) this.#uint32(0xce, n);
    else this.#int64(0xcf, n);
  }

  #negative(n: number): void {
    if (n >= -0x20) this.#byte(n & 0xff);
    else if (n >= -0x80) this.#uint8(0xd0, n & 0xff);
    else if (n >= -0x8000) this.#uint16(0xd1, n & 0xffff);
    else if (n >= -0x80000000) this.#uint32(0xd2, n >>> 0);
    else this.#int64(0xd3, n);
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#buffer[this.#at++] = byte;
  }

  #uint8(head: number, n: number): void {
    this.#byte(head);
    this.#byte(n);
  }

  #uint16(head: number, n: number): void {
    this.#byte(head);
    this.#reserve(2);
    this.#at = this.#buffer.writeUInt16BE(n, this.#at);
  }

  #uint32(head: number, n: number): void {
    this.#byte(head);
    this.#reserve(4);
    this.#at = this.#buffer.writeUInt32BE(n, this.#at);
  }

  #int64(head: number, n: number): void {
    this.#byte(head);
    this.#reserve(8);
    this.#at = this.#buffer.writeBigInt64BE(BigInt(n), this.#at);
  }

  #float64(n: number): void {
    this.#byte(0xcb);
    this.#reserve(8);
    this.#at = this.#buffer.writeDoubleBE(n, this.#at);
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + length));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}
