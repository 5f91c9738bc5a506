import fc from "fast-check";

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

/** Offsets to cut at, for fast-check. */
export function cuts(max = 4000): fc.Arbitrary<number[]> {
  return fc.array(fc.oneof(fc.nat(max), fc.nat(20), fc.constantFrom(64, 65, 254, 255, 256, 257)), {
    maxLength: 12,
  });
}

/** Bodies whose sizes are about the border of the short form, which uniform sizes almost never hit. */
export function body(): fc.Arbitrary<Uint8Array> {
  const sizes = [0, 1, 254, 255, 256, 2048, 2049].map((size) =>
    fc.uint8Array({ minLength: size, maxLength: size }),
  );
  return fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 600 }), ...sizes);
}

export function parts(): fc.Arbitrary<Uint8Array[]> {
  return fc.array(body(), { minLength: 1, maxLength: 6 });
}
