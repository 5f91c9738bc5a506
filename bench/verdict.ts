import { cellTitle } from "./cells.ts";
import type { CellResult } from "./results.ts";
import { median } from "./statistics.ts";

/**
 * How our rate in a cell compares with that of bare node:net.
 *
 * @param least the ratio below which it is called slow
 * @returns e.g. `speed: PUSH to PULL, tcp, 100 B: 0.18 of bare node:net (slow below 0.05)`
 */
export function verdict({ cell, contenders }: CellResult, least: number): string {
  const rates = ["zmtp", "net"].map((name) => {
    const samples = contenders.find((one) => one.name === name)?.samples ?? [];
    return median(samples.map(({ rate }) => rate));
  });
  const ratio = rates[0]! / rates[1]!;
  if (Number.isNaN(ratio)) {
    const failures = contenders.flatMap(({ name, failure }) =>
      failure === null ? [] : [`${name}: ${failure}`],
    );
    return `speed: ${cellTitle(cell)}: not measured (${failures.join("; ") || "no rounds"})`;
  }
  const judgement = ratio < least ? "SLOW, expected at least" : "slow below";
  return `speed: ${cellTitle(cell)}: ${ratio.toFixed(2)} of bare node:net (${judgement} ${least})`;
}
