import { ZmqError } from "../errors.ts";
import type { Environment, Timer } from "./environment.ts";
import { Fifo } from "./fifo.ts";
import { onAbort } from "./on-abort.ts";

/** At least so many calls may wait, however low the high-water mark. */
const MIN_LIMIT = 1000;

interface Waiting<Item, Result> {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Calls that wait their turn, in order. Each keeps the process alive, and ends by its result, time, signal or `close`. */
export class WaitingLine<Item, Result> {
  readonly #environment: Environment;
  readonly #line = new Fifo<Waiting<Item, Result>>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  get length(): number {
    return this.#line.length;
  }

  /** The item of the call whose turn it is. */
  peek(): Item | undefined {
    return this.#line.peek()?.item;
  }

  /**
   * @param timeout ms, -1: without end, 0: rejects at once. Rejects with EAGAIN.
   * @param highWaterMark so many calls may wait (but see MIN_LIMIT); the next rejects with EBUSY.
   */
  wait(item: Item, timeout: number, highWaterMark: number, signal?: AbortSignal): Promise<Result> {
    if (timeout === 0) return Promise.reject(new ZmqError("EAGAIN"));
    if (this.#line.length >= Math.max(highWaterMark, MIN_LIMIT)) {
      return Promise.reject(new ZmqError("EBUSY", "Socket is busy; too many operations are waiting"));
    }
    return new Promise((resolve, reject) => {
      let timer: Timer | null = null;
      const leave = (): void => {
        release();
        timer?.cancel();
        forget();
      };
      const waiting: Waiting<Item, Result> = {
        item,
        resolve: (result) => {
          leave();
          resolve(result);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const giveUp = (error: unknown): void => {
        this.#line.remove(waiting);
        waiting.reject(error);
      };
      // First, for what is no signal throws here.
      const forget = onAbort(signal, () => giveUp(signal?.reason));
      const release = this.#environment.hold();
      if (timeout > 0) timer = this.#environment.setTimer(timeout, () => giveUp(new ZmqError("EAGAIN")));
      this.#line.push(waiting);
    });
  }

  /** The first call in line has its result. @returns false when nobody waits. */
  settle(result: Result): boolean {
    const first = this.#line.shift();
    first?.resolve(result);
    return first !== undefined;
  }

  /** All calls in line are rejected. */
  close(error: ZmqError = new ZmqError("EAGAIN")): void {
    for (let one = this.#line.shift(); one !== undefined; one = this.#line.shift()) one.reject(error);
  }
}
