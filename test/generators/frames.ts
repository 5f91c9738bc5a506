import fc from "fast-check";
import { COMMAND, encodeFrame, LONG, MORE } from "../../src/zmtp/index.ts";
import { body, bytesOf, concat } from "./bytes.ts";
import type { Broken } from "./greetings.ts";

/** A frame as it goes over the wire; `isLong` writes 8 octets of size however small the body is, which is allowed (FR-3). */
export function frameOf(flags: number, bytes: Uint8Array, isLong = false): Uint8Array {
  if (!isLong || bytes.length > 255) return encodeFrame(flags, bytes);
  return concat([Uint8Array.of(flags | LONG, 0, 0, 0, 0, 0, 0, 0, bytes.length), bytes]);
}

export interface WireFrame {
  bytes: Uint8Array;
  /** MORE or 0, and COMMAND. */
  flags: number;
  body: Uint8Array;
}

/** Any legal frame, as a frame: what a command says need not make sense. */
export function frame(): fc.Arbitrary<WireFrame> {
  return fc
    .tuple(fc.constantFrom(0, MORE, COMMAND), body(), fc.boolean())
    .map(([flags, content, isLong]) => ({ bytes: frameOf(flags, content, isLong), flags, body: content }));
}

/** What no frame begins with: reserved flags, MORE on a command, a size that no number holds (FR-2, FR-4, FR-8). */
export function brokenFrame(): fc.Arbitrary<Broken> {
  const reserved = fc.integer({ min: 8, max: 255 }).map((flags) => Uint8Array.of(flags));
  const both = fc.constantFrom(COMMAND | MORE, COMMAND | MORE | LONG).map((flags) => Uint8Array.of(flags));
  const endless = fc
    .tuple(fc.constantFrom(0, MORE, COMMAND), fc.integer({ min: 1, max: 255 }), bytesOf(7))
    .map(([flags, high, rest]) => concat([Uint8Array.of(flags | LONG, high), rest]));
  return fc.oneof(reserved, both, endless).map((bytes) => ({ bytes, code: "ERR_ZMTP_FRAME" }));
}

/** Bytes that look like frames more often than chance has it, and mostly are none. */
export function almostFrames(maxLength = 200): fc.Arbitrary<Uint8Array> {
  const byte = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 6), fc.nat(12), fc.nat(255));
  return fc.array(byte, { maxLength }).map((bytes) => Uint8Array.from(bytes));
}
