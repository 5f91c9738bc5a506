import { bullets, table } from "../markdown.ts";
import { describeRun } from "../report.ts";
import type { BenchResult, ScenarioResult } from "../results.ts";
import { formatSpread } from "../statistics.ts";

/** One scenario: its title and a table of its figures. */
export function formatScenario({ title, load, figures, failure }: ScenarioResult): string {
  const head = `**${title}** (load before: ${load.toFixed(1)})`;
  if (failure !== null) return `${head}\n\nFailed: ${failure}`;
  const rows = figures.map(({ what, contender, samples, unit, goal = "" }) => [
    what,
    contender,
    samples.length === 0 ? "none" : formatSpread(samples),
    unit,
    goal,
  ]);
  return `${head}\n\n${table([["", "contender", "median (min..max)", "unit", "goal"], ...rows], ["l", "l", "r", "l", "l"])}`;
}

/** All scenarios of a result as markdown. */
export function formatScenarios(result: BenchResult): string {
  const parts = [describeRun(result), ...(result.scenarios ?? []).map(formatScenario)];
  if (result.notes.length > 0) parts.push(bullets(result.notes));
  return parts.join("\n\n");
}
