import { mkdtempSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import type { Surroundings } from "../compare.ts";
import { type BenchResult, type ScenarioResult, writeResult } from "../results.ts";
import type { Scenario } from "./scenario.ts";

/** Those whose name has one of `only` in it; all if it is empty. @throws if there are none */
export function chooseScenarios(scenarios: readonly Scenario[], only: readonly string[]): Scenario[] {
  const chosen = scenarios.filter(
    ({ name }) => only.length === 0 || only.some((part) => name.includes(part)),
  );
  if (chosen.length === 0) {
    throw new Error(`no scenario to measure; there are: ${scenarios.map(({ name }) => name).join(", ")}`);
  }
  return chosen;
}

/** Runs one, with a folder of its own below that of the surroundings. What goes wrong in it stays with it. */
export async function runScenario(
  scenario: Scenario,
  { options, libzmq, folder }: Surroundings,
): Promise<ScenarioResult> {
  const { name, title } = scenario;
  const load = loadavg()[0]!;
  const own = mkdtempSync(join(folder, "s"));
  try {
    const { rounds, seconds } = options;
    const figures = await scenario.run({ rounds, seconds, libzmq, folder: own });
    return { name, title, load, figures, failure: null };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { name, title, load, figures: [], failure };
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** Runs the scenarios one after the other into `result`, prints and writes it. Rejects if one failed. */
export async function runScenarios(
  scenarios: readonly Scenario[],
  format: (result: ScenarioResult) => string,
  result: BenchResult,
  around: Surroundings,
): Promise<void> {
  const done: ScenarioResult[] = [];
  for (const scenario of chooseScenarios(scenarios, around.options.only)) {
    const one = await runScenario(scenario, around);
    done.push(one);
    process.stdout.write(`${format(one)}\n\n`);
  }
  result.scenarios = done;
  for (const file of writeResult(result, around.options.save)) process.stdout.write(`Written: ${file}\n`);
  const failed = done.filter(({ failure }) => failure !== null).map(({ name }) => name);
  if (failed.length > 0) throw new Error(`failed: ${failed.join(", ")}`);
}
