/** The peer's bytes for people to read: printable ASCII stays, the rest is escaped as `\xNN`. */
export function printable(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    text +=
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return text;
}

/** The same for a string in which each character is a byte, in quotes. */
export function quoted(text: string): string {
  return `"${printable(Uint8Array.from(text, (char) => char.charCodeAt(0)))}"`;
}
