import fc from "fast-check";
import { CHUNK_SIZE } from "./bytes.ts";

/**
 * How a stream of bytes, however long, comes in chunks: the sizes of the chunks, over and over. `[]`: all at once;
 * `[1]`: byte by byte; a 0 gives an empty chunk.
 */
export type Chunking = readonly number[];

/** The bytes in chunks, each of them memory of its own, as chunks off a wire are. */
export function chunked(bytes: Uint8Array, chunking: Chunking): Uint8Array[] {
  if (!chunking.some((size) => size > 0)) return [bytes.slice()];
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = chunking[i % chunking.length] as number;
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}

/** Cuts everywhere, and more often where something ends: a greeting, a header, a short frame, what is read at a time. */
export function chunking(): fc.Arbitrary<Chunking> {
  const size = fc.oneof(
    { weight: 4, arbitrary: fc.nat(20) },
    { weight: 3, arbitrary: fc.nat(4000) },
    { weight: 2, arbitrary: fc.constantFrom(9, 10, 11, 63, 64, 65, 254, 255, 256, 257) },
    { weight: 1, arbitrary: fc.constantFrom(CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1) },
  );
  return fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom<Chunking>([], [1], [1, 0], [2], [64, 1]) },
    { weight: 4, arbitrary: fc.array(size, { minLength: 1, maxLength: 12 }) },
  );
}
