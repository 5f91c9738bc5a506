/** What one receiver has had of one sender, whose messages are numbered from 0 on. */
export interface Entry {
  count: number;
  /** Numbers that came more than once. */
  repeated: number;
  /** Numbers that came after a higher one. */
  disorder: number;
  /** The numbers that came, from and to, both included, in order and apart. */
  ranges: [number, number][];
}

/** Keeps the books of a receiver, by sender. Small as long as little is lost. */
export class Book {
  readonly entries: Record<string, Entry> = {};

  take(sender: string, number: number): void {
    this.entries[sender] ??= { count: 0, repeated: 0, disorder: 0, ranges: [] };
    const entry = this.entries[sender];
    entry.count += 1;
    const { ranges } = entry;
    const last = ranges.at(-1);
    if (last === undefined || number > last[1] + 1) ranges.push([number, number]);
    else if (number === last[1] + 1) last[1] = number;
    else if (isIn(ranges, number)) entry.repeated += 1;
    else {
      entry.disorder += 1;
      entry.ranges = merged([...ranges, [number, number]]);
    }
  }
}

function isIn(ranges: readonly [number, number][], number: number): boolean {
  return ranges.some(([from, to]) => from <= number && number <= to);
}

/** Joins what touches. @throws {Error} for what overlaps: a number that came twice. */
export function merged(ranges: readonly [number, number][]): [number, number][] {
  const joined: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) throw new Error(`number ${from} came twice`);
    if (last !== undefined && from === last[1] + 1) last[1] = to;
    else joined.push([from, to]);
  }
  return joined;
}
