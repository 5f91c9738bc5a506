import { bullets, table } from "../markdown.ts";
import { describeRun } from "../report.ts";
import type { BenchResult, ScenarioResult } from "../results.ts";
import type { Figure } from "../scenarios/scenario.ts";
import { formatSpread, median } from "../statistics.ts";
import { type ClientName, TITLES } from "./contenders.ts";

/** A scenario with its clients side by side, and how ours compares with each of the others. */
export function formatComparison({ title, load, figures, failure }: ScenarioResult): string {
  const head = `**${title}** (load before: ${load.toFixed(1)})`;
  if (failure !== null) return `${head}\n\nFailed: ${failure}`;
  const clients = (Object.keys(TITLES) as ClientName[]).filter((name) =>
    figures.some(({ contender }) => contender === name),
  );
  const others = clients.filter((name) => name !== "zmtp");
  const titles = [...clients.map((name) => TITLES[name]), ...others.map((name) => `zmtp : ${TITLES[name]}`)];
  const heads = ["", "unit", ...titles, "goal"];
  const rows = rowsOf(figures).map((row) => {
    const samples = (name: ClientName): readonly number[] =>
      row.find(({ contender }) => contender === name)?.samples ?? [];
    const { what, unit } = row[0]!;
    const goal = row.find((figure) => figure.goal !== undefined)?.goal ?? "";
    const ratios = others.map((name) => ratio(samples("zmtp"), samples(name)));
    return [what, unit, ...clients.map((name) => spread(samples(name))), ...ratios, goal];
  });
  const align = heads.map((_, i) => (i < 2 || i === heads.length - 1 ? "l" : "r"));
  return `${head}\n\n${table([heads, ...rows], align)}`;
}

/** The figures of one row: the same thing in the same unit. */
function rowsOf(figures: readonly Figure[]): Figure[][] {
  const rows = new Map<string, Figure[]>();
  for (const figure of figures) {
    const key = `${figure.what}|${figure.unit}`;
    rows.set(key, [...(rows.get(key) ?? []), figure]);
  }
  return [...rows.values()];
}

function spread(samples: readonly number[]): string {
  return samples.length === 0 ? "" : formatSpread(samples);
}

function ratio(ours: readonly number[], theirs: readonly number[]): string {
  const value = median(ours) / median(theirs);
  return Number.isFinite(value) ? `${value.toPrecision(2)}x` : "";
}

/** All scenarios of a result as markdown. */
export function formatComparisons(result: BenchResult): string {
  const parts = [describeRun(result), ...(result.scenarios ?? []).map(formatComparison)];
  if (result.notes.length > 0) parts.push(bullets(result.notes));
  return parts.join("\n\n");
}
