import { ZmqError } from "../errors.ts";
import type { Allocate } from "./byte-queue.ts";
import { headerSize, MORE, PART_OVERHEAD, writeHeader } from "./frame.ts";

/** A body of up to so many bytes is copied on its way out, a larger one is passed by reference. */
export const COPY_LIMIT = 1024;

/**
 * One message on its way out, to one peer or to many.
 *
 * The parts are held by reference: until `wire` has been called none of them may change, afterwards none of more
 * than COPY_LIMIT bytes, until it is written.
 */
export class OutgoingMessage {
  readonly parts: readonly Uint8Array[];
  /** What the message counts against byte limits: the sum over its parts of size + 64. */
  readonly size: number;
  #wire: readonly Uint8Array[] | null = null;

  /**
   * @param parts one per frame, at least one; each may be empty.
   * @throws {ZmqError} EINVAL when there are no parts. @throws {TypeError} when one is no Uint8Array.
   */
  constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
    this.size = checkParts(parts);
  }

  get isEncoded(): boolean {
    return this.#wire !== null;
  }

  /**
   * The message's frames as the NULL mechanism sends them, computed at the first call. Headers and small bodies are joined,
   * bodies of more than COPY_LIMIT bytes are chunks of their own.
   */
  wire(allocate: Allocate): readonly Uint8Array[] {
    this.#wire ??= encodeChunks(this.parts, allocate);
    return this.#wire;
  }
}

/** @returns the sum over the parts of size + 64. */
export function checkParts(parts: readonly Uint8Array[]): number {
  if (parts.length === 0) throw new ZmqError("EINVAL", "A message needs at least one part");
  let size = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (!(part instanceof Uint8Array)) throw new TypeError("Every part of a message must be a Uint8Array");
    size += part.length + PART_OVERHEAD;
  }
  return size;
}

function encodeChunks(parts: readonly Uint8Array[], allocate: Allocate): readonly Uint8Array[] {
  let copied = 0;
  for (const part of parts) copied += headerSize(part.length) + (part.length > COPY_LIMIT ? 0 : part.length);
  const joined = allocate(copied);
  const chunks: Uint8Array[] = [];
  let from = 0;
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Uint8Array;
    at = writeHeader(joined, at, i < parts.length - 1 ? MORE : 0, part.length);
    if (part.length > COPY_LIMIT) {
      chunks.push(joined.subarray(from, at), part);
      from = at;
    } else {
      joined.set(part, at);
      at += part.length;
    }
  }
  if (from === 0) return [joined];
  if (from < at) chunks.push(joined.subarray(from, at));
  return chunks;
}
