import b from "benny";

/** That a case is sampled for. */
const SECONDS = 1;

/**
 * Compares cases with benny and prints nanoseconds per item, median and minimum over its samples.
 *
 * @param items how many of them one call of a case works through
 * @param cases by title: sets a case up and returns what is timed
 */
export async function suite(
  title: string,
  items: number,
  cases: Record<string, () => () => void>,
): Promise<void> {
  const width = Math.max(...Object.keys(cases).map((name) => name.length));
  await b.suite(
    title,
    ...Object.entries(cases).map(([name, setUp]) => b.add(name, setUp)),
    b.configure({ cases: { maxTime: SECONDS } }),
    b.complete(({ results }) => {
      for (const { name, details } of results) {
        const [median, min] = [details.median, details.min].map((seconds) =>
          ((1e9 * seconds) / items).toFixed(1),
        );
        process.stdout.write(`  ${name.padEnd(width)} ${median!.padStart(9)} ns (min ${min})\n`);
      }
    }),
  );
}
