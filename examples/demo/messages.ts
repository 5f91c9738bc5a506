import type { StreamState } from "./accounting.ts";
import type { Counts } from "./histogram.ts";
import type { DemoOptions } from "./options.ts";

/** What every process is given when it starts. */
export interface Setup {
  /** Where all files of this run are. */
  readonly folder: string;
  /** Of the publisher service, or of the Redis broker. */
  readonly port: number;
  readonly options: DemoOptions;
  /** Which of the writers or controllers it is, from 0. */
  readonly index: number;
}

/**
 * What a process is asked; each is answered once.
 * - `start`, `stop`: a writer starts, stops writing.
 * - `drop`: a controller ignores the next event.
 * - `settle`: a controller answers when all its subscriptions are in force.
 * - `report`: what it counted. A controller compares its copy with the store.
 * - `end`: closes all it has open; the process then ends by itself.
 */
export type Question = "start" | "stop" | "drop" | "settle" | "report" | "end";

export interface WriterReport {
  /** By topic. `sent`: calls of `sendEvent`; `refused`: those that rejected. */
  readonly topics: Readonly<Record<string, { readonly sent: number; readonly refused: number }>>;
}

export interface ControllerReport {
  readonly topics: readonly string[];
  readonly streams: readonly StreamState[];
  readonly syncs: number;
  /** Rows in which its copy and the store differ. */
  readonly differences: number;
}

/** Told a few times a second; counts since the process started. */
export interface WriterFigures {
  readonly sent: number;
  readonly refused: number;
}

/** Told a few times a second; counts since the process started, latencies since the last figures. */
export interface ControllerFigures {
  readonly topics: readonly string[];
  readonly received: number;
  readonly syncs: number;
  /** From `sendEvent` to the callback. */
  readonly latencies: Counts;
}

export type FromChild =
  | { readonly type: "ready" }
  | { readonly type: "figures"; readonly figures: WriterFigures | ControllerFigures }
  | { readonly type: "answer"; readonly question: Question; readonly answer?: unknown }
  | { readonly type: "failed"; readonly message: string };
