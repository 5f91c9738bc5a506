const INTEGER = /^[+-]?[0-9]+$/;
/** Up to here no integer is beyond what a number holds. */
const SAFE_LENGTH = 15;
const DOUBLE = /^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
/** Redis before 7.2 prints what its C library prints: `-nan`, `NAN`, `nan(chars)`. */
const NOT_A_NUMBER = /^[+-]?nan(?:\([0-9a-z_]*\))?$/i;

/** A big number: any number of digits. @returns null when it is none. */
export function parseBigNumber(text: string): bigint | null {
  if (!INTEGER.test(text)) return null;
  return BigInt(text.startsWith("+") ? text.slice(1) : text);
}

/** A signed integer of 64 bits: a number as long as that is exact. @returns null when it is none. */
export function parseInteger(text: string): number | bigint | null {
  // Adding 0 makes 0 of -0.
  if (text.length <= SAFE_LENGTH) return INTEGER.test(text) ? Number(text) + 0 : null;
  const integer = parseBigNumber(text);
  if (integer === null || BigInt.asIntN(64, integer) !== integer) return null;
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

/** @returns null when it is no double. */
export function parseDouble(text: string): number | null {
  if (DOUBLE.test(text)) return Number(text);
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return NOT_A_NUMBER.test(text) ? Number.NaN : null;
}
