import { ZmqError } from "../../errors.ts";
import { nodeContext } from "../../node.ts";
import { type Context, Emitter, type Environment, type Timer } from "../../sockets/index.ts";
import { rejectUnknownOptions } from "../config/option-names.ts";
import { type OnError, reporter } from "../driver/reporter.ts";
import { DBKeyNotFoundError } from "../errors.ts";
import { DbUpdate } from "../event/db-update.ts";
import type { Store } from "../store/store.ts";
import { PUBLISHER_TABLE, type PublisherRow, parsePublisherRow } from "./publisher-row.ts";

/** The tables that Dragonflow monitors. */
export const MONITOR_TABLES: readonly string[] = ["chassis", PUBLISHER_TABLE];

/** What a monitor needs of a publisher. */
export interface EventSender {
  sendEvent(update: DbUpdate): Promise<void>;
}

export interface TableMonitorOptions {
  readonly table: string;
  readonly store: Store;
  readonly publisher: EventSender;
  /** Seconds between the end of a poll and the next, may be a fraction. Default 10; the service uses monitor_table_poll_time. */
  readonly pollingTime?: number;
  /**
   * What the first poll does with the rows that it finds: true (the default, as Dragonflow) announces each as `create`, so
   * that what changed before the monitor ran is not missed; false takes them as known.
   */
  readonly announceExisting?: boolean;
  /** Hears of every failed poll. The next comes at its usual time. Default: a process warning, at most one in ten seconds. */
  readonly onError?: OnError;
  /** The runtime. Default: the process's own. */
  readonly context?: Context;
}

const OPTION_NAMES = ["table", "store", "publisher", "pollingTime", "announceExisting", "onError", "context"];

export interface TableMonitorEvents {
  /** A change of the table was published. */
  announced: { type: "announced"; action: "create" | "set" | "delete"; key: string };
}

/** Counts since the object was made. */
export interface TableMonitorStats {
  /** Polls that have ended, those that failed included. */
  polls: number;
  /** Polls that failed. */
  failed: number;
  /** Changes that were published. */
  announced: number;
  /** Rows of the table, as far as they were announced or known from the start. */
  rows: number;
}

/**
 * Turns the changes of a table into events, by polling: `create` and `set` with the row, `delete` with null, on the topic of
 * everybody. The first poll comes one polling time after {@link daemonize}.
 *
 * A poll that fails, at the store or at the publisher, is reported and ends there. What it had announced is not announced
 * again, what it had not is announced by the next. A poll that cannot read the whole table announces nothing.
 */
export class TableMonitor {
  readonly events: Emitter<TableMonitorEvents>;
  protected readonly store: Store;
  protected readonly table: string;
  protected readonly report: OnError;
  readonly #environment: Environment;
  readonly #publisher: EventSender;
  readonly #pollingTime: number;
  /** What the receivers know: the rows as they were announced. */
  readonly #announced = new Map<string, string>();
  #announce: boolean;
  #running = false;
  #timer: Timer | null = null;
  #poll: Promise<void> = Promise.resolve();
  readonly #counts = { polls: 0, failed: 0, announced: 0 };

  /**
   * @throws {TypeError} when table is no text. {@link UnknownOptionError} for a key that means nothing. {@link ZmqError} EINVAL
   *   for a polling time that is none.
   */
  constructor(options: TableMonitorOptions) {
    rejectUnknownOptions(options, OPTION_NAMES);
    const { table, store, publisher, pollingTime = 10, announceExisting = true, onError } = options;
    if (typeof table !== "string") throw new TypeError("table must be a string");
    const { environment } = options.context ?? nodeContext();
    this.#environment = environment;
    this.events = new Emitter(environment);
    this.report = reporter(environment, `dragonflow monitor of table ${table}`, onError);
    this.table = table;
    this.store = store;
    this.#publisher = publisher;
    this.#pollingTime = milliseconds("pollingTime", pollingTime);
    this.#announce = announceExisting;
  }

  /** Starts polling; again, after {@link stop}. Does nothing when it is running. The timer does not keep the process alive. */
  daemonize(): void {
    if (this.#running) return;
    this.#running = true;
    this.#schedule();
  }

  /** Stops polling. Resolves when a poll that is running has ended; nothing is announced after that. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    await this.#poll;
  }

  stats(): TableMonitorStats {
    return { ...this.#counts, rows: this.#announced.size };
  }

  /** Runs before each poll. */
  protected async beforePoll(): Promise<void> {}

  /** Takes a row as announced, so that its end is announced as well. */
  protected known(key: string, value: string): void {
    if (!this.#announced.has(key)) this.#announced.set(key, value);
  }

  #schedule(): void {
    this.#timer = this.#environment.setTimer(this.#pollingTime, () => {
      // Behind a poll that outlived a stop() and a second daemonize().
      this.#poll = this.#poll.then(() => this.#pollOnce());
    });
  }

  async #pollOnce(): Promise<void> {
    if (!this.#running) return;
    try {
      await this.beforePoll();
      await this.#compare(await this.#read());
    } catch (error) {
      this.#counts.failed += 1;
      this.report(error);
    } finally {
      this.#counts.polls += 1;
      if (this.#running) this.#schedule();
    }
  }

  async #read(): Promise<Map<string, string>> {
    const rows = new Map<string, string>();
    for (const key of await this.store.getAllKeys(this.table)) {
      const value = await ifFound(this.store.getKey(this.table, key));
      // A row may be deleted between the two reads; some databases say so with null.
      if (value !== undefined && value !== null) rows.set(key, value);
    }
    return rows;
  }

  async #compare(rows: Map<string, string>): Promise<void> {
    if (!this.#announce) {
      this.#announce = true;
      for (const [key, value] of rows) this.known(key, value);
    }
    for (const [key, value] of rows) {
      const known = this.#announced.get(key);
      if (known !== value) await this.#send(key, known === undefined ? "create" : "set", value);
    }
    for (const key of [...this.#announced.keys()]) {
      if (!rows.has(key)) await this.#send(key, "delete", null);
    }
  }

  async #send(key: string, action: "create" | "set" | "delete", value: string | null): Promise<void> {
    if (!this.#running) return;
    await this.#publisher.sendEvent(new DbUpdate({ table: this.table, key, action, value }));
    if (value === null) this.#announced.delete(key);
    else this.#announced.set(key, value);
    this.#counts.announced += 1;
    this.events.emit({ type: "announced", action, key });
  }
}

export interface StalePublisherMonitorOptions extends Omit<TableMonitorOptions, "table"> {
  /** Seconds of inactivity after which a publisher is taken for dead: publisher_timeout. */
  readonly timeout: number;
  /** The id of the publisher that monitors. Its own row is never deleted. */
  readonly id: string;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * A monitor of the publisher table, which first deletes the rows of other publishers that have been inactive for too long
 * and so announces them as deleted. Rows that cannot be read are reported, and stay.
 */
export class StalePublisherMonitor extends TableMonitor {
  readonly #timeout: number;
  readonly #id: string;
  readonly #now: () => number;

  constructor({ timeout, id, now = Date.now, ...options }: StalePublisherMonitorOptions) {
    super({ ...options, table: PUBLISHER_TABLE });
    this.#timeout = milliseconds("timeout", timeout);
    this.#id = id;
    this.#now = now;
  }

  protected override async beforePoll(): Promise<void> {
    const oldest = this.#now() - this.#timeout;
    for (const key of await this.store.getAllKeys(this.table)) {
      const row = await ifFound(this.store.getKey(this.table, key));
      if (row === undefined || row === null) continue;
      const publisher = this.#parse(key, row);
      if (publisher === null || publisher.id === this.#id) continue;
      if (publisher.last_activity_timestamp * 1000 >= oldest) continue;
      this.known(key, row);
      await ifFound(this.store.deleteKey(this.table, key));
    }
  }

  #parse(key: string, row: string): PublisherRow | null {
    try {
      return parsePublisherRow(key, row);
    } catch (error) {
      this.report(error);
      return null;
    }
  }
}

async function ifFound<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof DBKeyNotFoundError) return undefined;
    throw error;
  }
}

function milliseconds(option: string, seconds: number): number {
  // setTimeout takes 31 bits, and anything beyond as 1 ms.
  if (typeof seconds !== "number" || !(seconds > 0 && seconds < 2_147_483)) {
    throw new ZmqError("EINVAL", `${option} cannot be ${seconds} seconds`);
  }
  return seconds * 1000;
}
