/** ms that a writer makes up for after it was held up; what is older is left out. */
const CATCH_UP = 500;

/** How many events are due, so that a rate is kept over time. */
export class Pace {
  readonly #perMillisecond: number;
  #last: number;
  #due = 0;

  /** @param now ms. */
  constructor(perSecond: number, now: number) {
    this.#perMillisecond = perSecond / 1000;
    this.#last = now;
  }

  /** Whole events that are due now and were not before. */
  due(now: number): number {
    this.#due += Math.min(now - this.#last, CATCH_UP) * this.#perMillisecond;
    this.#last = now;
    const whole = Math.floor(this.#due);
    this.#due -= whole;
    return whole;
  }
}
