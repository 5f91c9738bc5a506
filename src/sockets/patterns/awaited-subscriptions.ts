import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { onAbort } from "../../runtime/on-abort.ts";

/** So many calls may wait. */
const LIMIT = 1000;

interface Awaited {
  readonly topic: Uint8Array;
  readonly count: number;
  settle(error: unknown): void;
}

/** Calls that wait for subscribers. Each keeps the process alive. */
export class AwaitedSubscriptions {
  readonly #environment: Environment;
  readonly #count: (topic: Uint8Array) => number;
  readonly #awaited = new Set<Awaited>();

  /** @param count how many peers hold a prefix of a topic. */
  constructor(environment: Environment, count: (topic: Uint8Array) => number) {
    this.#environment = environment;
    this.#count = count;
  }

  /** @param topic must not change. */
  wait(topic: Uint8Array, count: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#count(topic) >= count) return Promise.resolve();
    if (this.#awaited.size >= LIMIT)
      return Promise.reject(new ZmqError("EBUSY", "Socket is busy; too many operations are waiting"));
    return new Promise((resolve, reject) => {
      const awaited: Awaited = {
        topic,
        count,
        settle: (error) => {
          this.#awaited.delete(awaited);
          release();
          forget();
          if (error === null) resolve();
          else reject(error);
        },
      };
      // First, for what is no signal throws here.
      const forget = onAbort(signal, () => awaited.settle(signal?.reason));
      const release = this.#environment.hold();
      this.#awaited.add(awaited);
    });
  }

  /** Somebody has subscribed. */
  subscribed(): void {
    for (const awaited of this.#awaited) {
      if (this.#count(awaited.topic) >= awaited.count) awaited.settle(null);
    }
  }

  close(): void {
    for (const awaited of this.#awaited) awaited.settle(new ZmqError("EAGAIN"));
  }
}
