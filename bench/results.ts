import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cell, cellName } from "./cells.ts";
import type { Machine } from "./machine.ts";
import type { Sample } from "./pair.ts";
import type { Figure } from "./scenarios/scenario.ts";

const FOLDER: string = fileURLToPath(new URL("results", import.meta.url));
/** Overwritten by each run, and not under version control. */
const LATEST = {
  cells: "latest.json",
  scenarios: "latest-scenarios.json",
  redis: "latest-redis.json",
} as const;

/** The figures of one contender in one cell. */
export interface ContenderResult {
  name: string;
  /** One per round that counts. */
  samples: Sample[];
  /** Rounds that lost messages and so do not count. */
  lossy: { round: number; sent: number; received: number }[];
  /** Why it did not go on, if it did not. */
  failure: string | null;
}

export interface CellResult {
  cell: Cell;
  /** Load average over a minute, before the first round. Not in older files. */
  load?: number;
  contenders: ContenderResult[];
}

export interface ScenarioResult {
  name: string;
  title: string;
  /** Load average over a minute, before it. */
  load: number;
  figures: Figure[];
  /** Why there are no figures, if there are none. */
  failure: string | null;
}

/** What the scenarios about Redis were measured with. */
export interface RedisVersions {
  server: string;
  ioredis: string;
  nodeRedis: string;
}

/** What a run leaves in its JSON file. A run is of cells, of scenarios or of those about Redis. */
export interface BenchResult {
  machine: Machine;
  rounds: number;
  /** Measured and unmeasured seconds of a round. */
  seconds: number;
  warmup: number;
  /** Whether each process of a pair had a core of its own. */
  pin: boolean;
  cells: CellResult[];
  /** Not there in a run of cells. */
  scenarios?: ScenarioResult[];
  /** Only there in a run about Redis. */
  redis?: RedisVersions;
  /** What was left out, and why. */
  notes: string[];
}

export type ResultKind = keyof typeof LATEST;

export function kindOf({ scenarios, redis }: BenchResult): ResultKind {
  if (redis !== undefined) return "redis";
  return scenarios === undefined ? "cells" : "scenarios";
}

/** e.g. `2026-11-22-81a4aa87f6.json`, `2026-11-22-81a4aa87f6-scenarios.json`, `2026-11-22-81a4aa87f6-redis.json` */
function savedName(result: BenchResult): string {
  const { date, commit } = result.machine;
  const kind = kindOf(result);
  return `${date.slice(0, 10)}-${commit}${kind === "cells" ? "" : `-${kind}`}.json`;
}

export function readResult(file: string): BenchResult {
  return JSON.parse(readFileSync(file, "utf8")) as BenchResult;
}

/** Whether the figures of the two may stand in one table. */
function measuredAlike(one: BenchResult, other: BenchResult): boolean {
  const essence = ({ rounds, seconds, warmup, pin, machine, redis }: BenchResult): string => {
    const { commit, node, zeromqJs, libzmq } = machine;
    return JSON.stringify([rounds, seconds, warmup, pin, commit, node, zeromqJs, libzmq, redis]);
  };
  return essence(one) === essence(other);
}

function replaceByName<T>(old: readonly T[], fresh: readonly T[], nameOf: (one: T) => string): T[] {
  const names = new Set(fresh.map(nameOf));
  return [...old.filter((one) => !names.has(nameOf(one))), ...fresh];
}

/** `fresh` with those cells and scenarios of `old` that it has not. @throws if they were measured in different ways. */
export function mergeResults(old: BenchResult, fresh: BenchResult): BenchResult {
  if (!measuredAlike(old, fresh)) {
    throw new Error("what was saved for this day and commit was measured with other rounds or versions");
  }
  const cells = replaceByName(old.cells, fresh.cells, ({ cell }) => cellName(cell));
  const notes = [...new Set([...old.notes, ...fresh.notes])];
  if (fresh.scenarios === undefined) return { ...fresh, cells, notes };
  const scenarios = replaceByName(old.scenarios ?? [], fresh.scenarios, ({ name }) => name);
  return { ...fresh, cells, scenarios, notes };
}

function write(file: string, result: BenchResult): string {
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}

/**
 * Writes the latest result of its kind, and with `save` the one of its day and commit, which is added to.
 *
 * @returns the files
 */
export function writeResult(result: BenchResult, save: boolean, folder: string = FOLDER): string[] {
  mkdirSync(folder, { recursive: true });
  const files = [write(join(folder, LATEST[kindOf(result)]), result)];
  if (!save) return files;
  const name = savedName(result);
  const saved = join(folder, name);
  const isThere = readdirSync(folder).includes(name);
  files.push(write(saved, isThere ? mergeResults(readResult(saved), result) : result));
  return files;
}

/** The newest saved result of a kind, or null. */
export function newestSaved(kind: ResultKind, folder: string = FOLDER): BenchResult | null {
  const results = readdirSync(folder)
    .filter((name) => /^\d{4}-.*\.json$/.test(name))
    .map((name) => readResult(join(folder, name)))
    .filter((result) => kindOf(result) === kind)
    .sort((a, b) => (a.machine.date < b.machine.date ? 1 : -1));
  return results[0] ?? null;
}
