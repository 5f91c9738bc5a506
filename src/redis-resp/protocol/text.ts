/** A byte order mark is text like any other. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Up to here a loop is faster than a TextDecoder. */
const SHORT = 32;

/** UTF-8 bytes as a string; what is none becomes U+FFFD. */
export function decodeText(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > SHORT) return utf8.decode(bytes.subarray(from, to));
  let text = "";
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) return utf8.decode(bytes.subarray(from, to));
    text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * Decodes the short texts that come again and again, such as `OK` and `message`, without making another string: the last one
 * of each length is kept.
 */
export class TextCache {
  readonly #last: string[] = new Array<string>(SHORT + 1).fill("");

  decode(bytes: Uint8Array, from: number, to: number): string {
    const length = to - from;
    if (length > SHORT) return decodeText(bytes, from, to);
    const last = this.#last[length] as string;
    if (isText(last, bytes, from, length)) return last;
    const text = decodeText(bytes, from, to);
    if (text.length === length) this.#last[length] = text;
    return text;
  }
}

function isText(text: string, bytes: Uint8Array, from: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
