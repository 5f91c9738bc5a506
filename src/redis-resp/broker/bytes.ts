/** Bytes as a key of a Map, and as text to compare: one character per byte. */
export function keyOf(bytes: Uint8Array): string {
  if (bytes.length <= CHARACTERS) return String.fromCharCode.apply(null, bytes as unknown as number[]);
  let text = "";
  for (let at = 0; at < bytes.length; at += CHARACTERS) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHARACTERS) as unknown as number[]);
  }
  return text;
}

/** The bytes of a key or of a text in ASCII. */
export function bytesOf(key: string): Uint8Array {
  const bytes = new Uint8Array(key.length);
  for (let at = 0; at < key.length; at++) bytes[at] = key.charCodeAt(at);
  return bytes;
}

/** What an engine takes as arguments of one call. */
const CHARACTERS = 1024;

const SMALLEST = -(2n ** 63n);
const LARGEST = 2n ** 63n - 1n;

/** A whole number of 64 bits, written as the server itself writes it: no blank, no plus, no leading zero. */
export function integerOf(bytes: Uint8Array): bigint | null {
  if (bytes.length > 20) return null;
  const text = keyOf(bytes);
  if (!/^(0|-?[1-9][0-9]*)$/.test(text)) return null;
  const value = BigInt(text);
  return value >= SMALLEST && value <= LARGEST ? value : null;
}
