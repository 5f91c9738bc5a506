/** Pairs of a bucket's index and its count: what of a histogram travels between processes. */
export type Counts = readonly (readonly [bucket: number, count: number])[];

/** Buckets to each power of two: a value is off by 1/32 of itself at most. */
const PER_OCTAVE = 32;
/** 2^36 us are 19 hours. */
const OCTAVES = 32;
const BUCKETS = PER_OCTAVE * OCTAVES;

/** Counts durations in buckets that grow with them, from 1 us to 19 hours, in 8 KiB. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;

  /** @param milliseconds below 0 counts as 0. */
  record(milliseconds: number): void {
    this.#add(bucketOf(Math.max(0, Math.floor(milliseconds * 1000))), 1);
  }

  merge(counts: Counts): void {
    for (const [bucket, count] of counts) this.#add(bucket, count);
  }

  /** What was counted so far, and starts anew. */
  take(): Counts {
    const taken: [number, number][] = [];
    for (const [bucket, count] of this.#counts.entries()) if (count > 0) taken.push([bucket, count]);
    this.#counts.fill(0);
    this.#total = 0;
    return taken;
  }

  /**
   * @param fraction in (0, 1], e.g. 0.99.
   * @returns ms that so many of the durations did not exceed, rounded up to the end of a bucket; null when there are none.
   */
  quantile(fraction: number): number | null {
    if (this.#total === 0) return null;
    let left = Math.ceil(fraction * this.#total);
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return endOf(bucket) / 1000;
    }
    return endOf(BUCKETS - 1) / 1000;
  }

  #add(bucket: number, count: number): void {
    this.#counts[bucket]! += count;
    this.#total += count;
  }
}

/** One bucket per us below 32 us; from there 32 to each power of two. */
function bucketOf(microseconds: number): number {
  if (microseconds < PER_OCTAVE) return microseconds;
  const exponent = Math.floor(Math.log2(microseconds));
  const step = 2 ** (exponent - 5);
  const bucket = (exponent - 4) * PER_OCTAVE + Math.floor(microseconds / step) - PER_OCTAVE;
  return Math.min(bucket, BUCKETS - 1);
}

/** us: where the next bucket begins. */
function endOf(bucket: number): number {
  if (bucket < PER_OCTAVE) return bucket + 1;
  const exponent = Math.floor(bucket / PER_OCTAVE) + 4;
  return ((bucket % PER_OCTAVE) + PER_OCTAVE + 1) * 2 ** (exponent - 5);
}
