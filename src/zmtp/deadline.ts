/** How much later than due a deadline is judged, in ms: at least one read turn of any event loop. */
const READ_TURN = 10;

/**
 * A moment by which something must have come, in the caller's clock.
 *
 * It is judged at the second tick after it has passed, not at the first: when the process was blocked or stopped, the bytes
 * that would have saved it may wait to be read.
 */
export class Deadline {
  /** When to tick; Infinity when not armed. */
  wakeAt: number = Number.POSITIVE_INFINITY;
  #isOver = false;

  arm(at: number): void {
    this.wakeAt = at;
    this.#isOver = false;
  }

  disarm(): void {
    this.wakeAt = Number.POSITIVE_INFINITY;
    this.#isOver = false;
  }

  /** @returns whether the deadline is missed. Calling too early is harmless. */
  tick(now: number): boolean {
    if (now < this.wakeAt) return false;
    if (this.#isOver) return true;
    this.#isOver = true;
    this.wakeAt = now + READ_TURN;
    return false;
  }
}
