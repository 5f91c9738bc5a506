import type { LibzmqProgram } from "../libzmq/build.ts";

/** A question about speed or memory that is not answered by the rate between two processes. */
export interface Scenario {
  /** e.g. `fan-out`: what `--only` is compared with. */
  readonly name: string;
  readonly title: string;
  run(options: ScenarioOptions): Promise<Figure[]>;
}

export interface ScenarioOptions {
  readonly rounds: number;
  /** Measured seconds of a round, where it lasts for a time. */
  readonly seconds: number;
  /** null: could not be built here. */
  readonly libzmq: LibzmqProgram | null;
  /** For sockets of ipc; empty at first. */
  readonly folder: string;
}

/** One line of the report: a row's label, whose figure it is, and what was measured in each round. */
export interface Figure {
  /** e.g. `100 subscribers, deliveries`. */
  readonly what: string;
  /** e.g. `zmtp`, `libzmq`, `net`. */
  readonly contender: string;
  /** e.g. `msg/s`, `ms`, `bytes`. */
  readonly unit: string;
  readonly samples: readonly number[];
  /** In words, e.g. `<= 8 KiB`. */
  readonly goal?: string;
}
