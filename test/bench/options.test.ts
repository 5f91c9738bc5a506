import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cellName, cellTitle, planCells } from "../../bench/cells.ts";
import { parseOptions } from "../../bench/options.ts";
import { chooseScenarios, runScenario } from "../../bench/scenarios/run.ts";
import type { Scenario } from "../../bench/scenarios/scenario.ts";

function planned(...args: string[]): string[] {
  return planCells(parseOptions(args)!).map(cellName);
}

describe("bench options", () => {
  it("are short rounds unless --full asks for those of 3 s after 1 s", () => {
    expect(parseOptions([])).toMatchObject({ rounds: 5, seconds: 0.3, warmup: 0.1 });
    expect(parseOptions(["--full"])).toMatchObject({ rounds: 5, seconds: 3, warmup: 1 });
    expect(parseOptions(["--scenarios"])).toMatchObject({ rounds: 5, seconds: 1 });
    expect(parseOptions(["--scenarios", "--seconds", "2"])).toMatchObject({ seconds: 2 });
  });

  it.each([
    [["--high-water-mark", "1000,0"], "--high-water-mark: expected a number above 0, got 0"],
    [["--high-water-mark", "1000,1.5"], "--high-water-mark: expected a whole number, got 1.5"],
    [["--rounds", "many"], "--rounds: expected a number above 0, got many"],
  ])("%s is refused", (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});

describe("bench cells", () => {
  it("have the usual high-water mark of their pattern, which their names leave out", () => {
    expect(planned("--sizes", "16")).toEqual([
      "push-pull tcp 16",
      "push-pull ipc 16",
      "pub-sub tcp 16",
      "pub-sub ipc 16",
      "round-trip tcp 64",
      "round-trip ipc 64",
    ]);
  });

  it("of PUSH and PULL are planned for each mark, of PUB and SUB for the highest", () => {
    expect(planned("--sizes", "1024", "--high-water-mark", "1000,100000", "--only", "tcp 1024")).toEqual([
      "push-pull tcp 1024",
      "push-pull tcp 1024 hwm 100000",
      "pub-sub tcp 1024",
    ]);
    expect(planned("--sizes", "16", "--high-water-mark", "500", "--only", "tcp 16")).toEqual([
      "push-pull tcp 16 hwm 500",
      "pub-sub tcp 16 hwm 500",
    ]);
  });

  it("of large bodies have no mark that would hold more than 64 MiB, and none twice", () => {
    const marks = ["--sizes", "65536,1048576", "--high-water-mark", "1000,100000"];
    expect(planned(...marks, "--only", "push-pull tcp")).toEqual([
      "push-pull tcp 65536",
      "push-pull tcp 1048576 hwm 64",
    ]);
    const [pubSub] = planCells(parseOptions([...marks, "--only", "pub-sub tcp 1048576"])!);
    expect(pubSub).toMatchObject({ highWaterMark: 64, window: 32 });
  });

  it("are called by what they measure", () => {
    const cells = planCells(parseOptions(["--sizes", "1024", "--high-water-mark", "100000"])!);
    expect(cells.map(cellTitle)).toEqual([
      "PUSH to PULL, tcp, 1 KiB, hwm 100000",
      "PUSH to PULL, ipc, 1 KiB, hwm 100000",
      "PUB to SUB, tcp, 1 KiB",
      "PUB to SUB, ipc, 1 KiB",
      "round trip, tcp, 64 B",
      "round trip, ipc, 64 B",
    ]);
  });
});

describe("bench scenarios", () => {
  const figure = { what: "a", contender: "zmtp", unit: "ms", samples: [1] };
  const works: Scenario = { name: "works", title: "It works", run: async () => [figure] };
  const fails: Scenario = { name: "fails", title: "It fails", run: () => Promise.reject(new Error("oh")) };
  const folder = mkdtempSync(join(tmpdir(), "zmtp-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("are chosen by parts of their names", () => {
    expect(chooseScenarios([works, fails], [])).toEqual([works, fails]);
    expect(chooseScenarios([works, fails], ["ail"])).toEqual([fails]);
    expect(() => chooseScenarios([works, fails], ["x"])).toThrow("there are: works, fails");
  });

  it("keep what goes wrong to themselves", async () => {
    const around = { options: parseOptions(["--scenarios"])!, libzmq: null, folder };
    expect(await runScenario(works, around)).toMatchObject({ figures: [figure], failure: null });
    expect(await runScenario(fails, around)).toMatchObject({ name: "fails", figures: [], failure: "oh" });
  });
});
