import type { Figure } from "./scenario.ts";

/** What was measured so far, the samples of each figure together. */
export class Figures {
  readonly #figures = new Map<string, { figure: Figure; samples: number[] }>();

  add(contender: string, what: string, unit: string, sample: number, goal?: string): void {
    const key = `${contender}|${what}|${unit}`;
    const samples = this.#figures.get(key)?.samples ?? [];
    samples.push(sample);
    const figure = { what, contender, unit, samples, ...(goal !== undefined && { goal }) };
    this.#figures.set(key, { figure, samples });
  }

  all(): Figure[] {
    return [...this.#figures.values()].map(({ figure }) => figure);
  }
}
