import { ZmqError } from "../../errors.ts";

/**
 * Lets at most `maxRate` actions happen within any `timeUnit`, as Dragonflow's `RateLimiter`: a refused action does not
 * count, and an action is permitted again when more than `timeUnit` has passed since the oldest of the last `maxRate`.
 */
export class RateLimiter {
  readonly #maxRate: number;
  readonly #timeUnit: number;
  readonly #now: () => number;
  /** When the last `maxRate` permitted actions were, a ring. */
  readonly #times: number[] = [];
  #oldest = 0;

  /**
   * @param maxRate a whole number, at least 1. Default 3.
   * @param timeUnit in seconds. Default 1.
   * @param now milliseconds, on a clock that does not go back. Default: `performance.now`.
   * @throws {ZmqError} EINVAL.
   */
  constructor(maxRate = 3, timeUnit = 1, now: () => number = () => performance.now()) {
    if (!Number.isSafeInteger(maxRate) || maxRate < 1)
      throw new ZmqError("EINVAL", `maxRate cannot be ${maxRate}`);
    if (!Number.isFinite(timeUnit) || timeUnit < 0)
      throw new ZmqError("EINVAL", `timeUnit cannot be ${timeUnit}`);
    this.#maxRate = maxRate;
    this.#timeUnit = timeUnit * 1000;
    this.#now = now;
  }

  /** Asks before acting. @returns true when the caller must not act; false permits the action and counts it. */
  limited(): boolean {
    const now = this.#now();
    if (this.#times.length < this.#maxRate) {
      this.#times.push(now);
      return false;
    }
    if (now - this.#times[this.#oldest]! <= this.#timeUnit) return true;
    this.#times[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#maxRate;
    return false;
  }
}
