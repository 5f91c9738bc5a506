import { rmSync } from "node:fs";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { type Cell, cellName, cellTitle, planCells } from "./cells.ts";
import { CONTENDERS, type Contender, commandOf } from "./contenders.ts";
import type { LibzmqProgram } from "./libzmq/build.ts";
import type { BenchOptions } from "./options.ts";
import { LossyRound, Pair } from "./pair.ts";
import { summarizeProfiles } from "./profile.ts";
import { formatReport } from "./report.ts";
import { type BenchResult, type CellResult, type ContenderResult, writeResult } from "./results.ts";
import { formatCount, summarize } from "./statistics.ts";

const PROFILES = fileURLToPath(new URL("../.cache/bench/profiles", import.meta.url));
/** Seconds of the first warm-up of a contender in a cell, at least. */
const FIRST_WARMUP = 0.5;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Those of `--contenders`; all if it is empty. */
export function chooseContenders(names: readonly string[]): Contender[] {
  for (const name of names) {
    if (!CONTENDERS.some((one) => one.name === name)) throw new Error(`--contenders: there is no "${name}"`);
  }
  return CONTENDERS.filter(({ name }) => names.length === 0 || names.includes(name));
}

export interface Surroundings {
  options: BenchOptions;
  /** null: not asked for, or could not be built. */
  libzmq: LibzmqProgram | null;
  /** For sockets of ipc. */
  folder: string;
}

let started = 0;

/** An address to bind: a free port, or a path that no other has. */
function freshAddress(cell: Cell, folder: string): string {
  return cell.transport === "tcp" ? "tcp://127.0.0.1:*" : `ipc://${folder}/${++started}`;
}

function startPair(
  cell: Cell,
  contender: Contender,
  { options, libzmq, folder }: Surroundings,
): Promise<Pair> {
  const programs = contender.programs[cell.pattern]!;
  const needed = cell.pattern === "round-trip" && contender.roundTripBy === "pairs" ? 2 : 1;
  const free = Array.from({ length: needed }, () => freshAddress(cell, folder));
  const nodeOptions = options.cpuProf ? ["--cpu-prof", "--cpu-prof-dir", PROFILES] : [];
  return Pair.start(cell, contender.name, free, (end, addresses) => [
    ...(options.pin ? ["taskset", "--cpu-list", String(end)] : []),
    ...commandOf(contender, cell, programs[end], addresses, {
      libzmqBinary: libzmq?.path ?? null,
      nodeOptions,
    }),
  ]);
}

/** One contender in one cell: its processes, its figures. Once it has failed, it is out of the cell. */
class Entrant {
  readonly result: ContenderResult;
  readonly #startPair: () => Promise<Pair>;
  #pair: Pair | null = null;

  constructor(name: string, startPair: () => Promise<Pair>) {
    this.#startPair = startPair;
    this.result = { name, samples: [], lossy: [], failure: null };
  }

  /** Runs a step of this contender; whatever goes wrong in it stays with this contender. */
  async #attempt(round: number, step: () => Promise<void>): Promise<void> {
    if (this.result.failure !== null) return;
    try {
      await step();
    } catch (error) {
      await this.close();
      if (error instanceof LossyRound && round > 0) {
        this.result.lossy.push({ round, sent: error.sent, received: error.received });
      } else {
        this.result.failure = error instanceof Error ? error.message : String(error);
      }
    }
  }

  start(): Promise<void> {
    return this.#attempt(0, async () => {
      this.#pair = await this.#startPair();
    });
  }

  warmUp(seconds: number): Promise<void> {
    return this.#attempt(0, () => this.#pair!.warmUp(seconds));
  }

  measure(round: number, { warmup, seconds }: BenchOptions): Promise<void> {
    return this.#attempt(round, async () => {
      if (this.#pair === null) {
        // A lossy round has ended the pair before.
        this.#pair = await this.#startPair();
        await this.#pair.warmUp(FIRST_WARMUP);
      }
      this.result.samples.push(await this.#pair.measure(warmup, seconds));
    });
  }

  async close(): Promise<void> {
    const pair = this.#pair;
    this.#pair = null;
    await pair?.close();
  }
}

/** The contenders in turn, round by round. What goes wrong with one of them stands in its result. */
export async function runCell(
  cell: Cell,
  contenders: readonly Contender[],
  around: Surroundings,
): Promise<CellResult> {
  const { options } = around;
  const load = loadavg()[0]!;
  const entrants = contenders
    .filter(({ programs }) => programs[cell.pattern] !== undefined)
    .map((contender) => new Entrant(contender.name, () => startPair(cell, contender, around)));
  try {
    await Promise.all(entrants.map((entrant) => entrant.start()));
    for (const entrant of entrants) await entrant.warmUp(Math.max(FIRST_WARMUP, options.warmup));
    for (let round = 1; round <= options.rounds; round++) {
      // Another one begins each time, so that nobody always follows the same neighbour.
      for (let i = 0; i < entrants.length; i++) {
        await entrants[(i + round) % entrants.length]!.measure(round, options);
      }
    }
  } finally {
    await Promise.all(entrants.map((entrant) => entrant.close()));
  }
  return { cell, load, contenders: entrants.map(({ result }) => result) };
}

function progressLine({ cell, contenders }: CellResult): string {
  const figures = contenders.map(({ name, samples, failure }) => {
    if (samples.length === 0) return `${name} ${failure === null ? "lossy" : "failed"}`;
    if (cell.pattern !== "round-trip")
      return `${name} ${formatCount(summarize(samples.map(({ rate }) => rate)).median)}/s`;
    return `${name} ${summarize(samples.map(({ p50 }) => p50!)).median.toFixed(1)} µs`;
  });
  return `${cellTitle(cell)}: ${figures.join(", ")}`;
}

/** Measures the cells one after the other into `result`, prints and writes it. Rejects if a contender failed. */
export async function compare(result: BenchResult, around: Surroundings): Promise<void> {
  const { options, libzmq } = around;
  const contenders = chooseContenders(options.contenders).filter(
    ({ name }) => name !== "libzmq" || libzmq !== null,
  );
  const cells = planCells(options);
  if (cells.length === 0) throw new Error("--only leaves nothing to measure");
  rmSync(PROFILES, { recursive: true, force: true });
  for (const cell of cells) {
    result.cells.push(await runCell(cell, contenders, around));
    print(progressLine(result.cells.at(-1)!));
  }
  print(`\n${formatReport(result)}\n`);
  if (options.cpuProf) print(summarizeProfiles(PROFILES));
  else for (const file of writeResult(result, options.save)) print(`Written: ${file}`);
  const failed = result.cells.flatMap(({ cell, contenders: all }) =>
    all.filter(({ failure }) => failure !== null).map(({ name }) => `${cellName(cell)}: ${name}`),
  );
  if (failed.length > 0) throw new Error(`failed: ${failed.join("; ")}`);
}
