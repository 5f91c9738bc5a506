const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;

/** What `\n`, `\r`... stand for between double quotes; any other character stands for itself. */
const ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ n: 10, r: 13, t: 9, b: 8, a: 7 }).map(([letter, byte]) => [letter.charCodeAt(0), byte]),
);

/**
 * Splits a command typed by hand into its arguments: blanks part them, "..." may hold escapes (`\n`, `\x41`), '...' only `\'`.
 * @param line without its LF.
 * @returns null when a quote is not closed, or is followed by something else than a blank.
 */
export function splitInline(line: Uint8Array): Uint8Array[] | null {
  const end = line.length;
  const args: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    while (at < end && isBlank(line[at])) at += 1;
    if (at === end) return args;
    const arg: number[] = [];
    while (at < end && !isBlank(line[at])) {
      const byte = line[at] as number;
      if (byte !== QUOTE && byte !== APOSTROPHE) {
        arg.push(byte);
        at += 1;
        continue;
      }
      at = byte === QUOTE ? readQuoted(line, at + 1, end, arg) : readLiteral(line, at + 1, end, arg);
      if (at < 0 || (at < end && !isBlank(line[at]))) return null;
    }
    args.push(Uint8Array.from(arg));
  }
}

/** @returns where it goes on behind the closing quote; -1: there is none. */
function readQuoted(line: Uint8Array, from: number, end: number, arg: number[]): number {
  for (let at = from; at < end; at++) {
    const byte = line[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte !== BACKSLASH || at + 1 === end) {
      arg.push(byte);
      continue;
    }
    at += 1;
    const escaped = line[at] as number;
    const code = String.fromCharCode(line[at + 1] ?? 0, line[at + 2] ?? 0);
    if (escaped === 0x78 && at + 2 < end && /^[0-9a-f]{2}$/i.test(code)) {
      arg.push(Number.parseInt(code, 16));
      at += 2;
    } else {
      arg.push(ESCAPES.get(escaped) ?? escaped);
    }
  }
  return -1;
}

function readLiteral(line: Uint8Array, from: number, end: number, arg: number[]): number {
  for (let at = from; at < end; at++) {
    if (line[at] === APOSTROPHE) return at + 1;
    if (line[at] === BACKSLASH && line[at + 1] === APOSTROPHE && at + 1 < end) at += 1;
    arg.push(line[at] as number);
  }
  return -1;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}
