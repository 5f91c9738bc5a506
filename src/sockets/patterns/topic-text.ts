/** So many arguments are safe for any stack. */
const CHUNK = 8192;

/**
 * Bytes as a text with one character for each: the engine keeps such a text in one byte a character, in a third of the memory
 * of a small Uint8Array.
 */
export function textOf(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return fromBytes(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += fromBytes(bytes.subarray(at, at + CHUNK));
  return text;
}

export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** How many bytes agree with a text from the beginning. */
export function agreement(bytes: Uint8Array, text: string): number {
  const most = Math.min(bytes.length, text.length);
  let end = 0;
  while (end < most && bytes[end] === text.charCodeAt(end)) end += 1;
  return end;
}

function fromBytes(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}
