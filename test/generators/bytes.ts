import fc from "fast-check";
import { COPY_LIMIT } from "../../src/zmtp/index.ts";

/** What a socket reads at a time, at most. */
export const CHUNK_SIZE = 65536;

/** The borders of the short frame (255), of copying (COPY_LIMIT) and of what is read at a time, and their neighbours. */
export const NEAR_BORDERS: readonly number[] = [0, 1, 254, 255, 256, COPY_LIMIT, COPY_LIMIT + 1];
export const NEAR_CHUNK_SIZE: readonly number[] = [
  CHUNK_SIZE - 9,
  CHUNK_SIZE - 1,
  CHUNK_SIZE,
  CHUNK_SIZE + 1,
];

/** `size` bytes that differ from their neighbours and by `seed`, so that a misplaced piece shows. */
export function pattern(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) + seed) & 255;
  return bytes;
}

/** Text as its UTF-8 bytes, in a Uint8Array. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Exactly `size` bytes of any value. */
export function bytesOf(size: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: size, maxLength: size });
}

export interface BodyOptions {
  /** Default: no bodies about the size of a chunk. */
  isLarge?: boolean;
}

/**
 * The body of a frame. Sizes crowd at the borders, which uniform ones almost never hit; small bodies have any content,
 * larger ones a pattern, for that is quick to make and to shrink.
 */
export function body({ isLarge = false }: BodyOptions = {}): fc.Arbitrary<Uint8Array> {
  const patterned = (size: fc.Arbitrary<number>): fc.Arbitrary<Uint8Array> =>
    fc.tuple(size, fc.nat(255)).map(([n, seed]) => pattern(n, seed));
  return fc.oneof(
    { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 6, arbitrary: patterned(fc.constantFrom(...NEAR_BORDERS)) },
    { weight: 3, arbitrary: patterned(fc.nat(600)) },
    ...(isLarge ? [{ weight: 1, arbitrary: patterned(fc.constantFrom(...NEAR_CHUNK_SIZE)) }] : []),
  );
}

export interface MessageOptions extends BodyOptions {
  /** Default 6. */
  maxParts?: number;
}

/** The parts of a message, at least one. */
export function message({ maxParts = 6, ...bodies }: MessageOptions = {}): fc.Arbitrary<Uint8Array[]> {
  return fc.array(body(bodies), { minLength: 1, maxLength: maxParts });
}

/** Few different bytes, so that topics are prefixes of each other, and the sizes at which SUBSCRIBE becomes a long frame. */
export function topic(): fc.Arbitrary<Uint8Array> {
  const short = fc.array(fc.constantFrom(0, 1, 97, 98, 255), { maxLength: 5 });
  const long = fc.constantFrom(244, 245, 246, 254, 255, 256).map((size) => pattern(size, 97));
  return fc.oneof(
    { weight: 4, arbitrary: short.map((bytes) => Uint8Array.from(bytes)) },
    { weight: 1, arbitrary: long },
  );
}
