// npm run bench [-- options]; see options.ts.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chooseContenders, compare } from "./compare.ts";
import { buildLibzmqProgram, INSTALL_COMMAND, type LibzmqProgram } from "./libzmq/build.ts";
import { describeMachine } from "./machine.ts";
import { runMicroBenchmarks } from "./micro.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { REDIS_SCENARIOS } from "./redis/index.ts";
import { formatComparison } from "./redis/report.ts";
import { redisVersions } from "./redis/versions.ts";
import { describeRun } from "./report.ts";
import type { BenchResult } from "./results.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { formatScenario } from "./scenarios/report.ts";
import { runScenarios } from "./scenarios/run.ts";

function buildOurs(): void {
  const { status } = spawnSync("npm", ["run", "--silent", "build"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error("npm run build failed");
}

async function findLibzmq(notes: string[]): Promise<LibzmqProgram | null> {
  try {
    return await buildLibzmqProgram();
  } catch (error) {
    const cause = (error as Error).message.trim().split("\n").at(-1);
    notes.push(`libzmq in C was left out (${cause}). To have it: ${INSTALL_COMMAND}`);
    return null;
  }
}

async function run(options: BenchOptions): Promise<void> {
  if (options.micro) return runMicroBenchmarks(options.only);
  const { rounds, seconds, warmup, pin, scenarios, redis } = options;
  const contenders = chooseContenders(options.contenders);
  const notes: string[] = [];
  const isNeeded = !redis && contenders.some(({ name }) => name === "libzmq");
  const libzmq = isNeeded ? await findLibzmq(notes) : null;
  if (contenders.some(({ name }) => name.startsWith("zmtp"))) buildOurs();
  const machine = describeMachine(libzmq?.version ?? null);
  const result: BenchResult = { machine, rounds, seconds, warmup, pin, notes, cells: [] };
  if (scenarios || redis) result.scenarios = [];
  if (redis) result.redis = redisVersions();
  process.stdout.write(`${describeRun(result)}\n\n`);
  const folder = mkdtempSync(join(tmpdir(), "zmtp-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const around = { options, libzmq, folder };
  if (redis) await runScenarios(REDIS_SCENARIOS, formatComparison, result, around);
  else if (scenarios) await runScenarios(SCENARIOS, formatScenario, result, around);
  else await compare(result, around);
}

// By way of "exit", where what was started is ended.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

try {
  const options = parseOptions(process.argv.slice(2));
  if (options !== null) await run(options);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
