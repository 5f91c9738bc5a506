import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../sockets/index.ts";
import type { Store } from "./store.ts";

/**
 * A store whose calls end, whatever the database does: with its own answer, with ETIMEDOUT after `timeout` ms, or with EBADF
 * on {@link close}. What a call that was given up does later in the database is not known.
 */
export class TimedStore implements Store {
  readonly #store: Store;
  readonly #timeout: number;
  readonly #environment: Environment;
  /** Ends the calls that are waited for. */
  readonly #waiting = new Set<(error: ZmqError) => void>();
  #closed = false;

  /** @param timeout ms for one call. */
  constructor(store: Store, timeout: number, environment: Environment) {
    this.#store = store;
    this.#timeout = timeout;
    this.#environment = environment;
  }

  getKey(table: string, key: string): Promise<string> {
    return this.#bounded("getKey", () => this.#store.getKey(table, key));
  }

  setKey(table: string, key: string, value: string): Promise<void> {
    return this.#bounded("setKey", () => this.#store.setKey(table, key, value));
  }

  createKey(table: string, key: string, value: string): Promise<void> {
    return this.#bounded("createKey", () => this.#store.createKey(table, key, value));
  }

  deleteKey(table: string, key: string): Promise<void> {
    return this.#bounded("deleteKey", () => this.#store.deleteKey(table, key));
  }

  getAllKeys(table: string): Promise<string[]> {
    return this.#bounded("getAllKeys", () => this.#store.getAllKeys(table));
  }

  /** Gives up all calls, and refuses further ones. */
  close(): void {
    this.#closed = true;
    for (const giveUp of [...this.#waiting]) giveUp(new ZmqError("EBADF", "the store is no longer used"));
  }

  #bounded<T>(name: string, call: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new ZmqError("EBADF", "the store is no longer used"));
    return new Promise((resolve, reject) => {
      const settled = (settle: () => void): void => {
        timer.cancel();
        this.#waiting.delete(giveUp);
        settle();
      };
      const giveUp = (error: ZmqError): void => settled(() => reject(error));
      const timer = this.#environment.setTimer(this.#timeout, () => {
        giveUp(new ZmqError("ETIMEDOUT", `the store did not answer ${name} within ${this.#timeout} ms`));
      });
      this.#waiting.add(giveUp);
      // A store that throws instead of rejecting is treated alike.
      Promise.resolve()
        .then(call)
        .then(
          (value) => settled(() => resolve(value)),
          (error) => settled(() => reject(error)),
        );
    });
  }
}
