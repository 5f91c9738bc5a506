import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Cell, cellName } from "../../bench/cells.ts";
import { cellsOf, plotThroughput, pointsOf } from "../../bench/plot.ts";
import { formatComparison, formatComparisons } from "../../bench/redis/report.ts";
import { formatReport } from "../../bench/report.ts";
import {
  type BenchResult,
  type CellResult,
  mergeResults,
  newestSaved,
  readResult,
  type ScenarioResult,
  writeResult,
} from "../../bench/results.ts";
import { formatScenario, formatScenarios } from "../../bench/scenarios/report.ts";
import { formatCount, formatSpread } from "../../bench/statistics.ts";
import { verdict } from "../../bench/verdict.ts";

const machine = {
  date: "2026-01-02T03:04:05.678Z",
  commit: "0123456789",
  cpu: "A CPU",
  cores: 2,
  memoryGiB: 8,
  kernel: "6.1.0",
  node: "v20.0.0",
  zeromqJs: "6.8.0 (libzmq 4.3.5)",
  libzmq: "4.3.4",
  loadAverage: [0.5, 0.25, 0.125],
};

const sample = (rate: number) => ({ rate, cpuSender: 0.25, cpuReceiver: 0.5 });

/** Ours with rates of 1, 2 and 3 million, libzmq at a million, if nothing else is said. */
function cell(
  size: number,
  rates: readonly number[] = [1e6, 2e6, 3e6],
  more: Partial<Cell> = {},
): CellResult {
  const contenders = [
    { name: "zmtp", samples: rates.map(sample), lossy: [], failure: null },
    { name: "libzmq", samples: [sample(1e6)], lossy: [], failure: null },
  ];
  const what = { pattern: "push-pull", transport: "tcp", size, highWaterMark: 1000, window: 0 } as const;
  return { cell: { ...what, ...more }, load: 1.25, contenders };
}

const run = (...cells: CellResult[]): BenchResult => ({
  machine,
  rounds: 3,
  seconds: 0.5,
  warmup: 0.1,
  pin: false,
  cells,
  notes: [],
});

function scenario(name: string, more: Partial<ScenarioResult> = {}): ScenarioResult {
  const figure = {
    what: "1 peer",
    contender: "zmtp",
    unit: "msg/s",
    samples: [2e6, 1e6, 4e6],
    goal: ">= 1 M",
  };
  return { name, title: `The ${name}`, load: 0.5, figures: [figure], failure: null, ...more };
}

const scenarios = (...all: ScenarioResult[]): BenchResult => ({ ...run(), scenarios: all });

const redis = (...all: ScenarioResult[]): BenchResult => ({
  ...scenarios(...all),
  redis: { server: "7.0.15", ioredis: "6.0.0", nodeRedis: "6.3.1" },
});

/** The cells of a row of a markdown table. */
function row(report: string, start: string): string[] {
  const line = report.split("\n").find((one) => one.startsWith(`| ${start}`));
  return (line ?? "").split("|").map((part) => part.trim());
}

describe("bench figures", () => {
  it.each([
    [0, "0"],
    [100, "100"],
    [0.01234, "0.0123"],
    [12.34, "12.3"],
    [999.4, "999"],
    [999.6, "1.00 k"],
    [12_345, "12.3 k"],
    [2_345_678, "2.35 M"],
  ])("%d is %s", (value, text) => expect(formatCount(value)).toBe(text));

  it("are a median between the least and the most, or alone", () => {
    expect(formatSpread([3, 1, 2])).toBe("2 (1..3)");
    expect(formatSpread([7])).toBe("7");
  });
});

describe("bench report", () => {
  it("has rates, ratios, load and processor time of every cell", () => {
    const report = formatReport(run(cell(16), cell(1024, [5e5, 5e5, 5e5])));
    expect(report).toContain("A CPU, 2 cores, 8 GiB, Linux 6.1.0; load average before: 0.5, 0.25, 0.125.");
    expect(row(report, "messages/s")).toEqual([
      "",
      "messages/s",
      "zmtp",
      "libzmq in C",
      "zmtp : libzmq",
      "load, 2 cores",
      "",
    ]);
    expect(row(report, "PUSH to PULL, tcp, 16 B")).toEqual([
      "",
      "PUSH to PULL, tcp, 16 B",
      "2.00 M (1.00 M..3.00 M)",
      "1.00 M",
      "2.0x",
      "1.3",
      "",
    ]);
    const cpu = report.slice(report.indexOf("| CPU, µs per message"));
    for (const size of ["16 B", "1 KiB"]) {
      expect(row(cpu, `PUSH to PULL, tcp, ${size}`).slice(2, 5)).toEqual([
        "0.25 + 0.50",
        "0.25 + 0.50",
        "1.0x",
      ]);
    }
    expect(report).toContain(
      "libzmq uses two threads a process (also inside zeromq.js) and gains from more cores.",
    );
  });

  it("shows a scenario's figures, or why there are none", () => {
    const report = formatScenarios(
      scenarios(scenario("walk"), scenario("run", { figures: [], failure: "oh" })),
    );
    expect(report).toContain("**The walk** (load before: 0.5)");
    expect(row(report, "1 peer")).toEqual([
      "",
      "1 peer",
      "zmtp",
      "2.00 M (1.00 M..4.00 M)",
      "msg/s",
      ">= 1 M",
      "",
    ]);
    expect(report).toContain("**The run** (load before: 0.5)\n\nFailed: oh");
    const none = { what: "1 peer", contender: "net", unit: "ms", samples: [] };
    expect(row(formatScenario(scenario("walk", { figures: [none] })), "1 peer")).toContain("none");
  });
});

describe("bench report about Redis", () => {
  const figure = (contender: string, ...samples: number[]) => ({
    what: "16 B",
    unit: "msg/s",
    contender,
    samples,
  });
  const goal = { goal: ">= 2x" };

  it("has the clients side by side, and how ours compares with each", () => {
    const figures = [
      { ...figure("zmtp", 3e6, 1e6, 2e6), ...goal },
      figure("ioredis", 2.5e5),
      figure("node-redis-0", 8e5),
      { ...figure("zmtp", 0.5), unit: "µs" },
    ];
    const report = formatComparison(scenario("walk", { figures }));
    expect(report).toContain("**The walk** (load before: 0.5)");
    expect(row(report, "   ")).toEqual([
      ...["", "", "unit", "zmtp", "ioredis", "node-redis, timeout: 0"],
      ...["zmtp : ioredis", "zmtp : node-redis, timeout: 0", "goal", ""],
    ]);
    expect(row(report, "16 B | msg/s")).toEqual([
      ...["", "16 B", "msg/s", "2.00 M (1.00 M..3.00 M)", "250 k", "800 k", "8.0x", "2.5x", ">= 2x", ""],
    ]);
    expect(row(report, "16 B | µs").slice(3)).toEqual(["0.500", "", "", "", "", "", ""]);
  });

  it("names the versions and what failed", () => {
    const report = formatComparisons(redis(scenario("walk", { figures: [], failure: "oh" })));
    expect(report).toContain(
      "Node v20.0.0, ioredis 6.0.0, node-redis 6.3.1, redis-server 7.0.15; zmtp at commit 0123456789",
    );
    expect(report).toContain("**The walk** (load before: 0.5)\n\nFailed: oh");
  });
});

describe("bench results", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zmtp-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("are kept under date and commit only when asked to, each kind apart", () => {
    writeResult(run(cell(16)), false, folder);
    writeResult(scenarios(scenario("walk")), false, folder);
    expect(readdirSync(folder)).toEqual(["latest-scenarios.json", "latest.json"]);
    expect(newestSaved("cells", folder)).toBeNull();
    writeResult(run(cell(16)), true, folder);
    writeResult(scenarios(scenario("walk")), true, folder);
    writeResult(redis(scenario("run")), true, folder);
    expect(readdirSync(folder)).toEqual([
      "2026-01-02-0123456789-redis.json",
      "2026-01-02-0123456789-scenarios.json",
      "2026-01-02-0123456789.json",
      "latest-redis.json",
      "latest-scenarios.json",
      "latest.json",
    ]);
    expect(newestSaved("scenarios", folder)?.scenarios?.map(({ name }) => name)).toEqual(["walk"]);
    expect(newestSaved("redis", folder)?.scenarios?.map(({ name }) => name)).toEqual(["run"]);
  });

  it("that are saved add to those of the same day and commit, and replace what was measured again", () => {
    writeResult(run(cell(16, [1]), cell(100, [1])), true, folder);
    const [, saved] = writeResult(run(cell(100, [2]), cell(1024, [2])), true, folder);
    const { cells } = readResult(saved!);
    expect(cells.map((one) => [cellName(one.cell), one.contenders[0]!.samples[0]!.rate])).toEqual([
      ["push-pull tcp 16", 1],
      ["push-pull tcp 100", 2],
      ["push-pull tcp 1024", 2],
    ]);
    writeResult(scenarios(scenario("walk"), scenario("run", { load: 1 })), true, folder);
    writeResult(scenarios(scenario("run", { load: 2 })), true, folder);
    expect(newestSaved("scenarios", folder)!.scenarios!.map(({ name, load }) => [name, load])).toEqual([
      ["walk", 0.5],
      ["run", 2],
    ]);
  });

  it.each([
    ["rounds", { rounds: 4 }],
    ["pinning", { pin: true }],
    ["Node", { machine: { ...machine, node: "v24.0.0" } }],
  ])("measured with other %s are not mixed", (_, difference) => {
    expect(() => mergeResults(run(cell(16)), { ...run(cell(100)), ...difference })).toThrow("other rounds");
  });

  it("for the README are the newest", () => {
    const later = { ...machine, date: "2026-01-03T00:00:00.000Z", commit: "00" };
    writeResult({ ...run(cell(16)), machine: later }, true, folder);
    writeResult(run(cell(16)), true, folder);
    expect(newestSaved("cells", folder)?.machine.commit).toBe("00");
  });
});

describe("bench plot", () => {
  it("takes the cells of a pattern over tcp by size, with the lowest high-water mark", () => {
    const cells = [
      cell(100, [3]),
      cell(16, [9], { highWaterMark: 100_000 }),
      cell(16, [1, 2, 3]),
      cell(16, [5], { transport: "ipc" }),
      cell(16, [6], { pattern: "pub-sub" }),
      cell(1024, []),
    ];
    const chosen = cellsOf(cells, { pattern: "push-pull" });
    expect(pointsOf(chosen, "zmtp")).toEqual([
      [16, 2],
      [100, 3],
    ]);
    expect(pointsOf(chosen, "net")).toEqual([]);
  });

  it("is an SVG with a legend of the contenders measured, or nothing", () => {
    const svg = plotThroughput(run(cell(16), cell(1024)))!;
    expect(svg).toMatch(/^<svg width="960"/);
    for (const text of ["PUSH to PULL, tcp", "libzmq in C", ">zmtp<", "1 KiB", "10 M", 'fill="#ffffff"']) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toContain("zeromq.js");
    expect(svg).not.toMatch(/NaN|undefined/);
    expect(plotThroughput(run(cell(16, [1], { transport: "ipc" })))).toBeNull();
  });
});

describe("the speed guard", () => {
  const withNet = (rates: readonly number[], net: readonly number[]): CellResult => {
    const { contenders, ...rest } = cell(100, rates);
    const failure = net.length === 0 ? "it ended with 1" : null;
    const other = { name: "net", samples: net.map(sample), lossy: [], failure };
    return { ...rest, contenders: [...contenders, other] };
  };

  it("compares our median with that of bare node:net, and says when it is low", () => {
    expect(verdict(withNet([1, 2, 9], [10, 4, 90]), 0.1)).toBe(
      "speed: PUSH to PULL, tcp, 100 B: 0.20 of bare node:net (slow below 0.1)",
    );
    expect(verdict(withNet([1, 2, 9], [10, 4, 90]), 0.25)).toBe(
      "speed: PUSH to PULL, tcp, 100 B: 0.20 of bare node:net (SLOW, expected at least 0.25)",
    );
  });

  it("says when there was nothing to compare", () => {
    expect(verdict(withNet([1], []), 0.1)).toBe(
      "speed: PUSH to PULL, tcp, 100 B: not measured (net: it ended with 1)",
    );
  });
});
