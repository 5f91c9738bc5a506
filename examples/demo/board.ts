import { type Counts, Histogram } from "./histogram.ts";

/** What is shown of a run while it lasts. */
export interface Figures {
  /** Seconds since the writers started. */
  readonly elapsed: number;
  /** Events per second since the last figures: sent by all writers, received by all controllers. */
  readonly sentRate: number;
  readonly receivedRate: number;
  readonly refused: number;
  /** ms from `sendEvent` to the callback since the last figures; null: nothing was received. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly kills: number;
  readonly controllers: readonly {
    readonly topics: readonly string[];
    readonly received: number;
    readonly syncs: number;
  }[];
}

/** Counts at one moment, from the beginning. */
export interface Totals {
  readonly sent: number;
  readonly refused: number;
  readonly kills: number;
  readonly controllers: Figures["controllers"];
}

/** Makes figures of totals. */
export class Board {
  /** Latencies of the whole run. */
  readonly latencies: Histogram = new Histogram();
  readonly #recent = new Histogram();
  readonly #startedAt: number;
  #last: { at: number; sent: number; received: number };

  /** @param now ms. */
  constructor(now: number) {
    this.#startedAt = now;
    this.#last = { at: now, sent: 0, received: 0 };
  }

  addLatencies(counts: Counts): void {
    this.latencies.merge(counts);
    this.#recent.merge(counts);
  }

  figures(now: number, totals: Totals): Figures {
    const { sent, refused, kills, controllers } = totals;
    const received = controllers.reduce((all, one) => all + one.received, 0);
    const seconds = Math.max(now - this.#last.at, 1) / 1000;
    const figures: Figures = {
      elapsed: (now - this.#startedAt) / 1000,
      sentRate: (sent - this.#last.sent) / seconds,
      receivedRate: (received - this.#last.received) / seconds,
      refused,
      p50: this.#recent.quantile(0.5),
      p99: this.#recent.quantile(0.99),
      kills,
      controllers,
    };
    this.#recent.take();
    this.#last = { at: now, sent, received };
    return figures;
  }
}
