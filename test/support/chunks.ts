/**
 * Cuts `bytes` at the given offsets. Each chunk is memory of its own, as chunks off a wire are; offsets past the end and
 * duplicates give empty chunks, on purpose.
 */
export function cut(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const at = [0, ...offsets.map((offset) => Math.min(offset, bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((end, i) => bytes.slice(at[i], end));
}

export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}
