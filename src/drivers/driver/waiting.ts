import type { Environment } from "../../sockets/index.ts";

interface Waiter {
  readonly done: () => boolean;
  resolve(): void;
  reject(): void;
}

/** Those who wait for something to become true. Each keeps the process alive meanwhile. */
export class Waiting {
  readonly #environment: Environment;
  readonly #waiters = new Set<Waiter>();
  #closed = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /**
   * Resolves when `done`, which is asked at once and at each {@link check}.
   *
   * @param closed what to reject with on {@link close}, and after it.
   */
  until(done: () => boolean, closed: Error): Promise<void> {
    if (this.#closed) return Promise.reject(closed);
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const release = this.#environment.hold();
      const leave = (): void => {
        this.#waiters.delete(waiter);
        release();
      };
      const waiter: Waiter = {
        done,
        resolve: () => {
          leave();
          resolve();
        },
        reject: () => {
          leave();
          reject(closed);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  check(): void {
    for (const waiter of this.#waiters) if (waiter.done()) waiter.resolve();
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) waiter.reject();
  }
}
