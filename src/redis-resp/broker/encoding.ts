import { bytesOf } from "./bytes.ts";

/** Bulk strings up to that size are copied; larger ones go by reference. */
const MOST_COPIED = 4096;
const CR = 13;
const LF = 10;
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
  for (const bulk of bulks) size += bulk.length + 16;
  if (size > MOST_COPIED) return [head, ...bulks.flatMap((bulk) => [header("$", bulk.length), bulk, END])];
  const encoded = allocate(size);
  encoded.set(head);
  let at = head.length;
  for (const bulk of bulks) {
    at = writeLength(encoded, at, bulk.length);
    if (bulk.length < 32)
      for (let from = 0; from < bulk.length; from++) encoded[at + from] = bulk[from] as number;
    else encoded.set(bulk, at);
    at += bulk.length;
    encoded[at] = CR;
    encoded[at + 1] = LF;
    at += 2;
  }
  return [encoded.subarray(0, at)];
}

/** `$length\r\n`. @returns where it goes on. */
function writeLength(bytes: Uint8Array, from: number, length: number): number {
  bytes[from] = 0x24;
  let at = from + 1;
  let unit = 1;
  while (unit * 10 <= length) unit *= 10;
  for (; unit >= 1; unit /= 10) bytes[at++] = 0x30 + (Math.floor(length / unit) % 10);
  bytes[at] = CR;
  bytes[at + 1] = LF;
  return at + 2;
}
