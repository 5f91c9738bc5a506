/** One that takes part: measures rounds of about so many messages. */
export interface Racer {
  readonly name: string;
  /** @returns messages per second */
  run(count: number): Promise<Sample>;
  close(): Promise<void>;
}

export interface Sample {
  /** Messages per second. */
  readonly rate: number;
  /** Microseconds of processor time per message, user and system; null: not known. */
  readonly cpu: number | null;
}

const FIRST_COUNT = 2000;
const WARM_UP_MS = 1000;

/** Rounds of all racers in turn, each of about `seconds`; another one begins each time, so that nobody follows the same. */
export async function race(
  racers: readonly Racer[],
  { rounds, seconds }: { rounds: number; seconds: number },
  note: (racer: Racer, sample: Sample) => void,
): Promise<void> {
  try {
    const rates = new Map<Racer, number>();
    for (const racer of racers) rates.set(racer, await warmUp(racer, seconds));
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < racers.length; i++) {
        const racer = racers[(i + round) % racers.length]!;
        const sample = await racer.run(countFor(rates.get(racer)! * seconds));
        rates.set(racer, sample.rate);
        note(racer, sample);
      }
    }
  } finally {
    await Promise.all(racers.map((racer) => racer.close()));
  }
}

async function warmUp(racer: Racer, seconds: number): Promise<number> {
  let rate = 0;
  let count = FIRST_COUNT;
  for (const until = performance.now() + WARM_UP_MS; performance.now() < until; ) {
    ({ rate } = await racer.run(count));
    count = countFor(Math.min(count * 4, rate * seconds));
  }
  return rate;
}

/** Whole batches. */
function countFor(messages: number): number {
  return Math.max(1, Math.round(messages / 1000)) * 1000;
}
