import type { Environment, Timer } from "../../sockets/index.ts";
import { DbUpdate } from "../event/db-update.ts";
import type { OnError } from "./reporter.ts";

/** Tells everybody to read the database again: a controller that receives it treats it as a `sync` of its own. */
export function syncEvent(): DbUpdate {
  return new DbUpdate({ table: null, key: null, action: "sync" });
}

/** ms between two announcements: every one of them has all controllers read the database. */
const MIN_INTERVAL = 1000;
/** ms, for an announcement that fails; doubles from MIN_INTERVAL up to this. */
const RETRY_MAX = 30_000;

export interface SyncAnnouncerOptions {
  readonly send: (update: DbUpdate) => Promise<void>;
  readonly environment: Environment;
  readonly onError: OnError;
  /** One was sent. */
  readonly onSync: () => void;
}

/**
 * Answers losses with `sync` events: the first at once, what is lost within a second after it by one more at the end of
 * that second. Delayed, never dropped: one that cannot be sent is tried again.
 */
export class SyncAnnouncer {
  readonly #options: SyncAnnouncerOptions;
  #owed = false;
  #sending: Promise<void> | null = null;
  #interval: Timer | null = null;
  #delay = MIN_INTERVAL;
  #closed = false;

  constructor(options: SyncAnnouncerOptions) {
    this.#options = options;
  }

  /** Something was lost just now. */
  owe(): void {
    if (this.#closed) return;
    this.#owed = true;
    if (this.#sending === null && this.#interval === null) this.#send();
  }

  /** Sends what is owed, once more, without waiting for the interval. Nothing is sent after it has resolved. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#interval?.cancel();
    await this.#sending;
    if (this.#owed) this.#send();
    await this.#sending;
  }

  #send(): void {
    this.#owed = false;
    this.#sending = this.#attempt().then((sent) => {
      this.#sending = null;
      this.#owed ||= !sent;
      this.#delay = sent ? MIN_INTERVAL : Math.min(this.#delay * 2, RETRY_MAX);
      if (!this.#closed) this.#rest();
    });
  }

  async #attempt(): Promise<boolean> {
    try {
      await this.#options.send(syncEvent());
    } catch (error) {
      this.#options.onError(error);
      return false;
    }
    this.#options.onSync();
    return true;
  }

  #rest(): void {
    this.#interval = this.#options.environment.setTimer(this.#delay, () => {
      this.#interval = null;
      if (this.#owed) this.#send();
    });
  }
}
