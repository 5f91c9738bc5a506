import { bytesOf } from "./bytes.ts";

/** Bulk strings up to that size are copied; larger ones go by reference. */
const MOST_COPIED = 4096;
const CR = 0x0d;
const LF = 0x0a;
const DOLLAR = 0x24;
const ZERO = 0x30;
const END: Uint8Array = bytesOf("\r\n");

/** `$5\r\n`, `*3\r\n`... */
export function header(type: string, count: number | bigint): Uint8Array {
  return bytesOf(`${type}${count}\r\n`);
}

/**
 * A head that is written already, and bulk strings behind it.
 * @returns one chunk; where one of the bulk strings is large, several, that one itself among them.
 */
export function encodeBulks(
  allocate: (size: number) => Uint8Array,
  head: Uint8Array,
  bulks: readonly Uint8Array[],
): Uint8Array[] {
  let size = head.length;
  for (const bulk of bulks) size += digitsOf(bulk.length) + bulk.length + 5;
  if (size > MOST_COPIED) return [head, ...bulks.flatMap((bulk) => [header("$", bulk.length), bulk, END])];
  const encoded = allocate(size);
  encoded.set(head);
  let at = head.length;
  for (const bulk of bulks) {
    at = writeLength(encoded, at, bulk.length);
    encoded.set(bulk, at);
    at = writeEnd(encoded, at + bulk.length);
  }
  return [encoded];
}

/** `$length\r\n`. @returns where it goes on. */
function writeLength(bytes: Uint8Array, from: number, length: number): number {
  bytes[from] = DOLLAR;
  const end = from + 1 + digitsOf(length);
  for (let at = end - 1, rest = length; at > from; at--, rest = Math.floor(rest / 10)) {
    bytes[at] = ZERO + (rest % 10);
  }
  return writeEnd(bytes, end);
}

function writeEnd(bytes: Uint8Array, at: number): number {
  bytes[at] = CR;
  bytes[at + 1] = LF;
  return at + 2;
}

function digitsOf(length: number): number {
  let digits = 1;
  for (let most = 10; length >= most; most *= 10) digits += 1;
  return digits;
}
