/** The middle value, or the mean of the two in the middle. NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Summary {
  median: number;
  min: number;
  max: number;
}

export function summarize(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Three significant digits with the unit's letter: 2.31 M, 187 k, 950, 0.0412. */
export function formatCount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  if (value >= 999.5) return `${(value / 1e3).toPrecision(3)} k`;
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

/** e.g. `2.31 M (2.02 M..2.40 M)`: median, least and most. Just the value, if there is only one. */
export function formatSpread(
  values: readonly number[],
  format: (value: number) => string = formatCount,
): string {
  const { median: middle, min, max } = summarize(values);
  return values.length === 1 ? format(middle) : `${format(middle)} (${format(min)}..${format(max)})`;
}
