import { ZmqError } from "../../errors.ts";
import type { JsonValue } from "./db-update.ts";
import { MAX_DEPTH, MAX_ELEMENTS } from "./limits.ts";

/**
 * Checks that a value can be sent as it is.
 *
 * @param depth of the containers that it is in, which have so many `elements`.
 * @throws {TypeError} for what JSON cannot say: undefined, functions, symbols, bigints, class instances.
 * @throws {ZmqError} EINVAL for NaN, infinities, lone surrogates, and values over the limits, cycles included.
 */
export function checkJsonValue(value: unknown, depth = 0, elements = 0): asserts value is JsonValue {
  check(value, { elements }, depth);
}

function check(value: unknown, seen: { elements: number }, depth: number): void {
  if (value === null || typeof value === "boolean") return;
  if (typeof value === "string") {
    checkText(value);
    return;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new ZmqError("EINVAL", `JSON has no number ${value}`);
    return;
  }
  if (!isPlain(value)) throw new TypeError(`cannot be sent: ${describe(value)} is no JSON value`);
  if (depth === MAX_DEPTH) throw new ZmqError("EINVAL", `nested deeper than ${MAX_DEPTH}`);
  const entries = Array.isArray(value) ? value : Object.values(value);
  seen.elements += entries.length;
  if (seen.elements > MAX_ELEMENTS) throw new ZmqError("EINVAL", `more than ${MAX_ELEMENTS} elements`);
  if (!Array.isArray(value)) for (const key of Object.keys(value)) checkText(key);
  for (const entry of entries) check(entry, seen, depth + 1);
}

/** A lone surrogate has no UTF-8: it would arrive as another text. */
export function checkText(text: string): void {
  if (!text.isWellFormed())
    throw new ZmqError("EINVAL", "the text has a lone surrogate, which UTF-8 cannot carry");
}

function isPlain(value: unknown): value is readonly unknown[] | Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  return (value as { constructor?: { name?: string } }).constructor?.name ?? "object";
}
