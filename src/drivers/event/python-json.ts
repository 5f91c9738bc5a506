import type { JsonValue, WireFields } from "./db-update.ts";
import { MAX_DEPTH, MAX_ELEMENTS } from "./limits.ts";
import type { Sequence } from "./sequence-counter.ts";

/**
 * JSON text as Python's `json.dumps` writes it by default: `", "` and `": "`, ASCII only, floats by `repr`.
 *
 * Keys keep their order, but JavaScript puts integer-like keys first. A whole number is written without a fraction, for
 * JavaScript does not know 2 from 2.0; beyond 2^53 - 1 it is written as the float that it is.
 *
 * @param value checked by the caller: finite numbers, no cycles.
 */
export function pythonJson(value: JsonValue): string {
  if (typeof value === "string") return pythonString(value);
  if (typeof value === "number") return pythonNumber(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  const map = value as { readonly [key: string]: JsonValue };
  const entries = Object.keys(map).map((key) => `${pythonString(key)}: ${pythonJson(map[key]!)}`);
  return `{${entries.join(", ")}}`;
}

/** {@link pythonJson} of an event, its fields in Dragonflow's order, those of a sequence behind them. */
export function pythonEvent(
  { table, key, action, value, topic }: WireFields,
  sequence: Sequence | null = null,
): string {
  const tail = sequence === null ? "" : `, "pub": ${pythonString(sequence.pub)}, "seq": ${sequence.seq}`;
  return (
    `{"table": ${textOrNull(table)}, "key": ${textOrNull(key)}, "action": ${pythonString(action)}, ` +
    `"value": ${pythonJson(value)}, "topic": ${textOrNull(topic)}${tail}}`
  );
}

function textOrNull(text: string | null): string {
  return text === null ? "null" : pythonString(text);
}

const ALL_PLAIN = /^[ !#-[\]-~]*$/;
const WIDE = /[\x7f-\uffff]/;
const EACH_WIDE = /[\x7f-\uffff]/g;

/** JSON.stringify escapes what JSON demands, with Python's spellings; Python escapes DEL and all that is not ASCII too. */
function pythonString(text: string): string {
  if (ALL_PLAIN.test(text)) return `"${text}"`;
  const json = JSON.stringify(text);
  return WIDE.test(json) ? json.replace(EACH_WIDE, unicodeEscape) : json;
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Both languages print the shortest digits that read back as the same number, but differ in when they use an exponent. */
function pythonNumber(n: number): string {
  if (Object.is(n, -0)) return "-0.0";
  if (Number.isSafeInteger(n)) return String(n);
  const [digits, exponent] = n.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  const plain = String(n);
  return plain.includes(".") ? plain : `${plain}.0`;
}

/**
 * Checks a JSON text against the limits before it is parsed, so that a message of brackets does not cost a hundred times its
 * size, and refuses the numbers that JavaScript would silently round or turn into Infinity.
 *
 * @returns what is wrong, or null. Text that is no JSON at all may pass: parsing tells.
 */
export function jsonFault(text: string): string | null {
  let depth = 0;
  let elements = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) {
      at = endOfString(text, at);
    } else if (c === BRACKET || c === BRACE) {
      depth += 1;
      if (!isEmptyContainer(text, at)) elements += 1;
    } else if (c === BRACKET_END || c === BRACE_END) {
      depth -= 1;
    } else if (c === COMMA) {
      elements += 1;
    } else if (c === MINUS || (c >= ZERO && c <= NINE)) {
      const end = endOfNumber(text, at);
      if (!fits(text.slice(at, end))) return "a number is beyond what JavaScript can hold";
      at = end - 1;
    }
    if (depth > MAX_DEPTH) return `nested deeper than ${MAX_DEPTH}`;
    if (elements > MAX_ELEMENTS) return `more than ${MAX_ELEMENTS} elements`;
  }
  return null;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const BRACKET_END = 0x5d;
const BRACE = 0x7b;
const BRACE_END = 0x7d;

/** The place of the closing quote, or the end of the text. */
function endOfString(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text.charCodeAt(end) !== QUOTE)
    end += text.charCodeAt(end) === BACKSLASH ? 2 : 1;
  return end;
}

/** Elements are counted by the commas between them, and one for the container that has any. */
function isEmptyContainer(text: string, at: number): boolean {
  let next = at + 1;
  while (/[ \t\r\n]/.test(text[next] ?? "")) next += 1;
  const c = text.charCodeAt(next);
  return c === BRACKET_END || c === BRACE_END;
}

function endOfNumber(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && /[-+.eE0-9]/.test(text[end]!)) end += 1;
  return end;
}

function fits(literal: string): boolean {
  const n = Number(literal);
  return /^-?\d+$/.test(literal) ? Number.isSafeInteger(n) : Math.abs(n) !== Infinity;
}
