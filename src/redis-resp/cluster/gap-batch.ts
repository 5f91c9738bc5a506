import type { Environment } from "../../runtime/environment.ts";
import type { Gap, GapReason } from "../pubsub/losses.ts";

/** Joins the gaps of one turn: many slots are lost together and found again together. */
export class GapBatch {
  readonly #environment: Environment;
  readonly #onGap: (gap: Gap) => void;
  #gaps: Gap[] = [];

  constructor(environment: Environment, onGap: (gap: Gap) => void) {
    this.#environment = environment;
    this.#onGap = onGap;
  }

  add(gap: Gap): void {
    this.#gaps.push(gap);
    if (this.#gaps.length === 1) this.#environment.endOfTurn(() => this.#tell());
  }

  #tell(): void {
    const byReason = new Map<GapReason, Gap[]>();
    for (const gap of this.#gaps.splice(0)) {
      const same = byReason.get(gap.reason);
      if (same === undefined) byReason.set(gap.reason, [gap]);
      else same.push(gap);
    }
    for (const [reason, gaps] of byReason) {
      this.#onGap({
        reason,
        since: gaps.reduce((least, { since }) => Math.min(least, since), Number.POSITIVE_INFINITY),
        subscriptions: gaps.flatMap(({ subscriptions }) => subscriptions),
      });
    }
  }
}
