import { ZmqError } from "../../errors.ts";

/** Why a sync is called. */
export type SyncReason =
  /** A connection was lost and is back, or is not back within lossGrace. */
  | "lost"
  /** An address came into force after daemonize() had resolved. */
  | "address"
  /** A topic that was registered while running came into force. */
  | "topic"
  /** An address was unregistered while something may have been missed there. */
  | "unregistered"
  /** A message was no event. */
  | "decode"
  /** The callback failed on an event. */
  | "callback"
  /** Messages were dropped, cut or refused. */
  | "dropped"
  /** A publisher's numbers show that events are missing. */
  | "sequence"
  /** syncPeriod has passed; no known loss. */
  | "period";

/** How something can be missed though no connection was lost. */
export type GapReason = "decode" | "callback" | "dropped" | "sequence";

/** A sync to be called now. */
export interface DueSync {
  /** Without repetition, in the order in which they came up. */
  readonly reasons: readonly SyncReason[];
  /** Called only because syncPeriod has passed: to be counted apart. */
  readonly periodic: boolean;
}

export interface SyncOptions {
  /** ms that daemonize() and a new address are waited for. Default 1000. */
  readonly startTimeout?: number;
  /** ms between two syncs. Default 1000. */
  readonly syncMinInterval?: number;
  /** ms: upper limit of a random delay, so that a fleet does not read the database at once. Default 0. */
  readonly syncSpread?: number;
  /** ms that a lost address is waited for. Default 30 000. */
  readonly lossGrace?: number;
  /** Seconds after the last sync at which one is called without a reason; 0: never. Default 0. */
  readonly syncPeriod?: number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** The options of a driver that are for its syncs. */
export function syncOptions(
  options: Required<Omit<SyncOptions, "random">>,
): Required<Omit<SyncOptions, "random">> {
  const { startTimeout, syncMinInterval, syncSpread, lossGrace, syncPeriod } = options;
  return { startTimeout, syncMinInterval, syncSpread, lossGrace, syncPeriod };
}

/** @throws {ZmqError} EINVAL for what is no time. */
export function time(option: string, value: number): number {
  if (typeof value !== "number" || !(value >= 0 && value < Infinity)) {
    throw new ZmqError("EINVAL", `${option} cannot be ${value}`);
  }
  return value;
}
