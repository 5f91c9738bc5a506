import { ZmqError } from "../../errors.ts";

/** When a value that is set takes effect: at once, for what is bound or dialled from then on, or not at all. */
export type Effect = "now" | "next" | "never";

/** What one option takes, and what becomes of it. */
export interface OptionRule<T = unknown> {
  readonly initial: T;
  /** For people: `int32`, `boolean`... */
  readonly kind: string;
  /** For people: the values that are no error. */
  readonly range: string;
  /** `ms`, `bytes`...; empty where there is none. */
  readonly unit: string;
  readonly effect: Effect;
  /** libzmq's option, without `ZMQ_`; empty for one that only we have. */
  readonly libzmq: string;
  /**
   * @param warn is told of a value that is taken, but hardly meant.
   * @returns the value as it is kept. @throws {TypeError} for the wrong kind, {ZmqError} EINVAL for one out of range.
   */
  check(name: string, value: unknown, warn: (message: string) => void): T;
}

/** The rules of a group of options, by name. */
export type OptionTable<Options> = { readonly [Name in keyof Options]: OptionRule<Options[Name]> };

interface About<T> {
  initial: T;
  effect: Effect;
  libzmq?: string;
  unit?: string;
}

interface Bounds extends About<number> {
  min?: number;
  max?: number;
  /** In place of what `min` and `max` say. */
  range?: string;
  /** What is kept is the largest multiple of this that is not larger. */
  step?: number;
}

const INT32_MAX = 2 ** 31 - 1;
const UINT64_MAX = 2 ** 64;

/** An int32 of libzmq's. Fractions are cut off, as zeromq.js has it. */
export function int32<T extends number = number>(bounds: Bounds & { initial: T }): OptionRule<T> {
  return integer("int32", { min: -1, max: INT32_MAX, ...bounds }) as OptionRule<T>;
}

/** An int64 of libzmq's, as far as a number is exact. */
export function int64(bounds: Bounds): OptionRule<number> {
  return integer("int64", { min: -1, max: Number.MAX_SAFE_INTEGER, ...bounds });
}

/** An uint64 of libzmq's; what lies beyond is taken for the nearest, as zeromq.js has it. */
export function uint64(about: About<number>): OptionRule<number> {
  return {
    ...described("uint64", "0 to 2^64 - 1", about),
    check(name, value, warn) {
      const number = Math.min(whole(name, value), UINT64_MAX);
      if (number > Number.MAX_SAFE_INTEGER) warn(ROUNDED);
      return Math.max(0, number);
    },
  };
}

export function bool(about: About<boolean>): OptionRule<boolean> {
  return {
    ...described("boolean", "true, false", about),
    check(_name, value) {
      if (typeof value !== "boolean") throw new TypeError("Option value must be a boolean");
      return value;
    },
  };
}

/** Text, given as such or as bytes; up to the first NUL. Empty is the same as null. */
export function text(about: About<string | null>): OptionRule<string | null> {
  return {
    ...described("string", "text, bytes, null", about),
    check(_name, value) {
      if (value === null) return null;
      if (typeof value !== "string" && !(value instanceof Uint8Array))
        throw new TypeError("Option value must be a string or buffer");
      const given = typeof value === "string" ? value : new TextDecoder().decode(value);
      return given.split("\0", 1)[0] || null;
    },
  };
}

export function choice<T extends string>(values: readonly T[], about: About<NoInfer<T>>): OptionRule<T> {
  return {
    ...described("string", values.map((value) => `"${value}"`).join(", "), about),
    check(name, value) {
      if (typeof value !== "string") throw new TypeError("Option value must be a string");
      if (!values.includes(value as T)) throw outOfRange(name, value);
      return value as T;
    },
  };
}

const ROUNDED = "Value is larger than Number.MAX_SAFE_INTEGER and may have been rounded inaccurately.";

function integer(kind: string, bounds: Bounds & { min: number; max: number }): OptionRule<number> {
  const { min, max, step = 1 } = bounds;
  const isOpen = max === INT32_MAX || max === Number.MAX_SAFE_INTEGER;
  const range = bounds.range ?? (isOpen ? `>= ${min}` : `${min} to ${max}`);
  return {
    ...described(kind, range, bounds),
    check(name, value) {
      const number = whole(name, value);
      if (number < min || number > max) throw outOfRange(name, value);
      return Math.floor(number / step) * step;
    },
  };
}

/** The number without its fraction; never -0. */
function whole(name: string, value: unknown): number {
  if (typeof value !== "number") throw new TypeError("Option value must be a number");
  if (Number.isNaN(value)) throw outOfRange(name, value);
  return Math.trunc(value) + 0;
}

function described<T>(kind: string, range: string, about: About<T>): Omit<OptionRule<T>, "check"> {
  const { initial, effect, libzmq = "", unit = "" } = about;
  return { kind, range, initial, effect, libzmq, unit };
}

function outOfRange(name: string, value: unknown): ZmqError {
  return new ZmqError("EINVAL", `Invalid argument: ${name} = ${String(value)}`);
}
