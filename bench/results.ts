import type { Cell } from "./cells.ts";
import type { Machine } from "./machine.ts";
import type { Sample } from "./pair.ts";

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
  contenders: ContenderResult[];
}

/** What a run leaves in its JSON file. */
export interface BenchResult {
  machine: Machine;
  rounds: number;
  /** Measured and unmeasured seconds of a round. */
  seconds: number;
  warmup: number;
  /** Whether each process of a pair had a core of its own. */
  pin: boolean;
  cells: CellResult[];
  /** What was left out, and why. */
  notes: string[];
}
