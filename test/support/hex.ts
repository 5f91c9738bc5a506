/**
 * Bytes spelled by hand: pairs of hex digits, and text in double quotes as ASCII. Blanks and line ends do not count.
 *
 *     hex('04 1A 05 "READY"')
 */
export function hex(spelled: string): Uint8Array {
  const bytes: number[] = [];
  for (const [, text, pair, wrong] of spelled.matchAll(/"([^"]*)"|([0-9a-fA-F]{2})|(\S)/g)) {
    if (wrong !== undefined) throw new Error(`not hex: ${wrong} in ${spelled}`);
    if (pair !== undefined) bytes.push(Number.parseInt(pair, 16));
    else for (const char of text as string) bytes.push(char.charCodeAt(0));
  }
  return Uint8Array.from(bytes);
}

export function join(...pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Each character as its code, for topics and bodies in tests. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The bytes as a plain string, for comparing and for messages of failed tests. */
export function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** `size` bytes that differ from their neighbours, so that a misplaced piece shows. */
export function filled(size: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + seed) & 255;
  return bytes;
}
