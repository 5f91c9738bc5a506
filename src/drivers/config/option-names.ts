import { UnknownOptionError } from "../errors.ts";

/**
 * Checks the keys of an options object: a mistyped option must not be ignored.
 *
 * @throws {UnknownOptionError} naming the first key that is not among `known`, and the nearest one that is.
 */
export function rejectUnknownOptions(given: object, known: readonly string[]): void {
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) throw new UnknownOptionError(key, nearestName(key, known));
  }
}

/** The most similar of `names`, or null when more than half of the letters would have to change. */
export function nearestName(name: string, names: readonly string[]): string | null {
  let nearest: string | null = null;
  let least = Math.floor(name.length / 2) + 1;
  for (const candidate of names) {
    const distance = editDistance(normalized(name), normalized(candidate));
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** `publisher_port`, `publisher-port` and `publisherPort` are the same name to somebody who mistypes. */
function normalized(name: string): string {
  return name.slice(0, 100).replace(/[-_]/g, "").toLowerCase();
}

/** Levenshtein: how many letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
