import fc from "fast-check";

/** Few bytes, so that topics share prefixes, and differ in any bit. */
export const topic: fc.Arbitrary<Uint8Array> = fc
  .array(fc.constantFrom(0, 1, 97, 98, 255), { maxLength: 8 })
  .map((bytes) => Uint8Array.from(bytes));

/** The same text for the same bytes. */
export function key(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
