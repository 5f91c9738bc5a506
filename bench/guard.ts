// Whether the data path has become much slower, by the one measure that a strange machine allows: how we compare with bare
// node:net in the same seconds. For people to read: it never fails. Needs a build.
import { type Cell, planCells } from "./cells.ts";
import { chooseContenders, runCell } from "./compare.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { verdict } from "./verdict.ts";

const ARGUMENTS = ["--rounds", "5", "--seconds", "0.1", "--warmup", "0.05", "--sizes", "100,1024"];
const ONLY = ["--only", "push-pull tcp", "--contenders", "zmtp,net"];
/** What it takes to be called slow, by the size of a body: a fraction of what is usual, for machines differ. */
const LEAST: ReadonlyMap<number, number> = new Map([
  [100, 0.03],
  [1024, 0.08],
]);

async function guard(options: BenchOptions, cells: readonly Cell[]): Promise<void> {
  const around = { options, libzmq: null, folder: "" };
  for (const cell of cells) {
    const result = await runCell(cell, chooseContenders(options.contenders), around);
    process.stdout.write(`${verdict(result, LEAST.get(cell.size)!)}\n`);
  }
}

try {
  const options = parseOptions([...ARGUMENTS, ...ONLY])!;
  await guard(options, planCells(options));
} catch (error) {
  process.stdout.write(`speed: not measured (${(error as Error).message})\n`);
}
