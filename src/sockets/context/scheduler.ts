import type { Environment, Timer } from "../../runtime/environment.ts";
import { throwUncaught } from "../../runtime/uncaught.ts";

/** Something with a deadline. `wakeAt` may move later at any time; when it moves earlier, `schedule` is called again. */
export interface Timed {
  /** ms in the environment's clock; Infinity: nothing due. */
  readonly wakeAt: number;
  tick(now: number): void;
}

/** Deadlines closer together than this share one wake-up, so that ten thousand connections do not cost ten thousand. */
const GRAIN = 10;
/** The longest that a timer can be set for; what is due later is looked at again then. */
const LONGEST = 2 ** 31 - 1;

/** One timer for all deadlines of a context. */
export class Scheduler {
  readonly #environment: Environment;
  readonly #waiting = new Set<Timed>();
  #timer: Timer | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  schedule(item: Timed): void {
    const wakeAt = item.wakeAt;
    if (wakeAt === Number.POSITIVE_INFINITY) return;
    this.#waiting.add(item);
    if (wakeAt < this.#timerAt) this.#setTimer(wakeAt);
  }

  forget(item: Timed): void {
    this.#waiting.delete(item);
    if (this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #setTimer(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    const delay = Math.min(Math.max(0, at - this.#environment.now()) + GRAIN, LONGEST);
    this.#timer = this.#environment.setTimer(delay, () => this.#wake());
  }

  #wake(): void {
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#environment.now();
    let next = Number.POSITIVE_INFINITY;
    for (const item of this.#waiting) {
      try {
        if (item.wakeAt <= now) item.tick(now);
      } catch (error) {
        throwUncaught(this.#environment, error);
      }
      if (item.wakeAt === Number.POSITIVE_INFINITY) this.#waiting.delete(item);
      else next = Math.min(next, item.wakeAt);
    }
    if (next < this.#timerAt) this.#setTimer(next);
  }
}
