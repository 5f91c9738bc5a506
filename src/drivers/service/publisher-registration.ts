import type { Environment, Timer } from "../../sockets/index.ts";
import type { OnError } from "../driver/reporter.ts";
import { DBKeyNotFoundError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { PUBLISHER_TABLE, type PublisherRow } from "./publisher-row.ts";
import { RateLimiter } from "./rate-limiter.ts";

export interface PublisherRegistrationOptions {
  /** Its calls have to end: a write that hangs is the last one. */
  readonly store: Store;
  readonly id: string;
  readonly uri: string;
  /** Seconds after which others take the row for stale: publisher_timeout. */
  readonly timeout: number;
  /** At most so many refreshes by traffic ... */
  readonly rateLimitCount: number;
  /** ... in so many seconds. */
  readonly rateLimitTimeout: number;
  readonly environment: Environment;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly onError: OnError;
  /** The row was created: at the start, and again whenever it had gone. */
  readonly onRegistered: () => void;
}

/** ms until a write that failed is tried again; doubles up to the heartbeat's period. */
const RETRY_MIN = 1000;

/**
 * Keeps a publisher's row in the table `publisher` fresh: by a heartbeat, four in every `timeout`, and in between when there
 * is traffic. One write at a time; none is waited for by anybody.
 */
export class PublisherRegistration {
  readonly #options: PublisherRegistrationOptions;
  readonly #limiter: RateLimiter;
  /** ms since the last good write after which the next is due. */
  readonly #period: number;
  #timer: Timer | null = null;
  #retry = RETRY_MIN;
  #created = false;
  #writing = false;
  #running = false;
  #refreshes = 0;

  constructor(options: PublisherRegistrationOptions) {
    const { timeout, rateLimitCount, rateLimitTimeout, environment } = options;
    this.#options = options;
    this.#limiter = new RateLimiter(rateLimitCount, rateLimitTimeout, () => environment.now());
    // A timer takes 31 bits.
    this.#period = Math.min((timeout * 1000) / 4, 2 ** 31 - 1);
  }

  /** The row was written at least once. */
  get registered(): boolean {
    return this.#created;
  }

  /** Good writes so far. */
  get refreshes(): number {
    return this.#refreshes;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#write();
  }

  /** There was traffic. */
  active(): void {
    if (this.#running && !this.#writing && !this.#limiter.limited()) this.#write();
  }

  /** The row stays, until others take it for stale: who starts again within that time is found again. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
  }

  #write(): void {
    this.#timer?.cancel();
    this.#writing = true;
    this.#put().then(
      () => {
        this.#refreshes += 1;
        this.#retry = RETRY_MIN;
        this.#written(this.#period);
      },
      (error) => {
        if (this.#running) this.#options.onError(error);
        this.#written(Math.min(this.#retry, this.#period));
        this.#retry = Math.min(this.#retry * 2, this.#period);
      },
    );
  }

  #written(next: number): void {
    this.#writing = false;
    if (!this.#running) return;
    this.#timer = this.#options.environment.setTimer(next, () => this.#write());
  }

  async #put(): Promise<void> {
    const { store, id, uri, wallClock } = this.#options;
    const fields: PublisherRow = { id, uri, last_activity_timestamp: wallClock() / 1000 };
    const row = JSON.stringify(fields);
    if (this.#created && (await this.#set(row))) return;
    await store.createKey(PUBLISHER_TABLE, id, row);
    this.#created = true;
    if (this.#running) this.#options.onRegistered();
  }

  /** @returns false when the row has gone. */
  async #set(row: string): Promise<boolean> {
    try {
      await this.#options.store.setKey(PUBLISHER_TABLE, this.#options.id, row);
      return true;
    } catch (error) {
      if (error instanceof DBKeyNotFoundError) return false;
      throw error;
    }
  }
}
