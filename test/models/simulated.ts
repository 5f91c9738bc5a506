import fc from "fast-check";
import { Model } from "./model.ts";
import { SimulatedSite } from "./site.ts";
import { type Kind, type Start, type Step, start, stepsOf } from "./steps.ts";

/** One run over the simulated network. */
export async function simulate(kind: Kind, start: Start, steps: readonly Step[]): Promise<Model> {
  const model = new Model(kind, start, new SimulatedSite(start.seed, start.capacity, start.maxChunk));
  await model.run(steps);
  return model;
}

export function simulated(kind: Kind): fc.IAsyncProperty<[Start, Step[]]> {
  return fc.asyncProperty(start, stepsOf(kind), async (start, steps) => {
    await simulate(kind, start, steps);
  });
}

/** How often what matters has happened in some runs. */
export async function reached(kind: Kind, runs: number): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const [first, steps] of fc.sample(fc.tuple(start, stepsOf(kind)), { numRuns: runs, seed: 1 })) {
    const model = await simulate(kind, first, steps);
    for (const [name, count] of Object.entries(model.reached)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}
