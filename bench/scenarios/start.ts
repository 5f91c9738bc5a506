import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Figures } from "./figures.ts";
import type { Figure, Scenario, ScenarioOptions } from "./scenario.ts";

const run = promisify(execFile);
const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const TIMES = 5;

/** What a process says of itself at its end; `ms` is the time of its own for the import. */
const REPORT = "console.log(performance.now() - started, process.memoryUsage.rss());";

const PROGRAMS: readonly (readonly [name: string, flags: string[], code: string])[] = [
  ["node", ["--input-type=module"], ""],
  ["import zmtp", ["--input-type=module"], `await import("file://${DIST}index.js");`],
  ["require zmtp", ["--input-type=commonjs"], `require("${DIST}index.cjs");`],
  ["import zmtp/dragonflow", ["--input-type=module"], `await import("file://${DIST}dragonflow.js");`],
];

async function startOnce(flags: readonly string[], code: string): Promise<[ms: number, rss: number]> {
  const { stdout } = await run(process.execPath, [
    ...flags,
    "--eval",
    `const started = performance.now(); ${code} ${REPORT}`,
  ]);
  const [ms, rss] = stdout.split(" ").map(Number);
  return [ms as number, rss as number];
}

export const start: Scenario = {
  name: "start",
  title: "What it takes to load the package, beside node alone",
  async run({ rounds }: ScenarioOptions): Promise<Figure[]> {
    const figures = new Figures();
    for (let round = 0; round < rounds * TIMES; round += 1) {
      let bare = 0;
      for (const [name, flags, code] of PROGRAMS) {
        const [ms, rss] = await startOnce(flags, code);
        if (code === "") {
          bare = rss;
          figures.add(name, "process memory", "MiB", rss / 2 ** 20);
        } else {
          const isGoal = name !== "import zmtp/dragonflow";
          figures.add(name, "time", "ms", ms, isGoal ? "<= 15" : undefined);
          figures.add(
            name,
            "process memory over node's",
            "MiB",
            (rss - bare) / 2 ** 20,
            isGoal ? "<= 5" : undefined,
          );
        }
      }
    }
    return figures.all();
  },
};
