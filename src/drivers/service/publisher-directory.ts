import { nodeContext } from "../../node.ts";
import { type Context, Emitter } from "../../sockets/index.ts";
import { rejectUnknownOptions } from "../config/option-names.ts";
import type { SubscriberApi } from "../driver/api.ts";
import { type OnError, reporter } from "../driver/reporter.ts";
import { DBKeyNotFoundError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { TimedStore } from "../store/timed-store.ts";
import { AddressBook, type AddressEvents } from "./address-book.ts";
import { PUBLISHER_TABLE, parsePublisherRow } from "./publisher-row.ts";

export interface PublisherDirectoryOptions {
  /** Where publishers are registered and unregistered. It remains the caller's to start and to close. */
  subscriber: Pick<SubscriberApi, "registerListenAddress" | "unregisterListenAddress">;
  /** Where the publisher table is. Without it there are the configured addresses only. */
  store?: Store;
  /** The configured publishers, e.g. `tcp://10.0.0.1:8866`; see {@link configuredAddresses}. */
  addresses?: readonly string[];
  /** Seconds without activity after which a row is stale: publisher_timeout. Default 300. */
  publisherTimeout?: number;
  /** The address under which this host's own publisher stands in the table, so that it is the same as 127.0.0.1: local_ip. */
  localIp?: string;
  /** ms that one call of the store may take. Default 5000. */
  storeTimeout?: number;
  /** Hears of rows that are no publishers. Default: a process warning, at most one in ten seconds. */
  onError?: OnError;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  now?: () => number;
  /** The runtime. Default: the process's own. */
  context?: Context;
}

const OPTION_NAMES = [
  "subscriber",
  "store",
  "addresses",
  "publisherTimeout",
  "localIp",
  "storeTimeout",
  "onError",
  "now",
  "context",
];

export interface PublisherDirectoryStats {
  /** Addresses registered with the subscriber. */
  registered: number;
  /** Publishers of the table among them, several at one address included. */
  publishers: number;
  /** Rows that were stale when they were read. */
  stale: number;
  /** Rows that were no publishers. */
  refused: number;
}

const DONE = Promise.resolve();

/**
 * Which publishers a subscriber listens to: those that are configured and those in the publisher table, each once, however
 * many ways it is known. A publisher that leaves the table stays when it is also configured; one that moves is left at its old
 * address. Hand every event to {@link handle}.
 */
export class PublisherDirectory {
  readonly events: Emitter<AddressEvents>;
  readonly #store: TimedStore | null;
  readonly #configured: readonly string[];
  readonly #book: AddressBook;
  readonly #maxAge: number;
  readonly #now: () => number;
  readonly #onError: OnError;
  #stale = 0;
  #refused = 0;
  /** What is done to the book, in order. */
  #turn: Promise<void> = DONE;

  constructor(options: PublisherDirectoryOptions) {
    rejectUnknownOptions(options, OPTION_NAMES);
    const { context = nodeContext(), store, storeTimeout = 5000, subscriber } = options;
    const { environment } = context;
    this.events = new Emitter(environment);
    this.#store = store === undefined ? null : new TimedStore(store, storeTimeout, environment);
    this.#configured = [...(options.addresses ?? [])];
    this.#book = new AddressBook(subscriber, this.events, options.localIp ?? null);
    this.#maxAge = (options.publisherTimeout ?? 300) * 1000;
    this.#now = options.now ?? Date.now;
    this.#onError = reporter(environment, "dragonflow publisher directory", options.onError);
  }

  /** The addresses that are registered with the subscriber. */
  get addresses(): string[] {
    return this.#book.addresses;
  }

  stats(): PublisherDirectoryStats {
    return {
      registered: this.#book.addresses.length,
      publishers: this.#book.publishers.length,
      stale: this.#stale,
      refused: this.#refused,
    };
  }

  /**
   * Registers the configured addresses, then reads the table. Best before the subscriber's `daemonize()`, which then waits for
   * them all.
   *
   * @throws {ZmqError} by rejection: a configured address that is none; ETIMEDOUT, or what the store reports, when the table
   *   cannot be read. The configured addresses are registered all the same, and the next `sync` reads the table again.
   */
  async start(): Promise<void> {
    for (const uri of this.#configured) this.#book.configure(uri);
    await this.#inTurn(() => this.#readTable());
  }

  /**
   * An event, as a subscriber's callback is given it: one about the table `publisher` changes what is registered, a `sync` has
   * the table read, and all others are none of ours.
   *
   * @returns resolves when that was done. Rejects when the store cannot be read; a callback that passes this on will be called
   *   with `sync` again.
   */
  handle(table: string | null, key: string | null, action: string, value?: unknown): Promise<void> {
    if (action === "sync") return this.#inTurn(() => this.#readTable());
    if (table !== PUBLISHER_TABLE || key === null || action === "log") return DONE;
    return this.#inTurn(() => this.#change(key, action, value ?? null));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {}); // reported to whoever asked for it
    return done;
  }

  async #change(key: string, action: string, value: unknown): Promise<void> {
    if (action === "delete") return this.#book.remove(key);
    // Events of the json form come without the value.
    const row = value ?? (await this.#row(key));
    if (row === null) this.#book.remove(key);
    else this.#enter(key, row);
  }

  async #readTable(): Promise<void> {
    if (this.#store === null) return;
    const rows = new Map<string, string>();
    for (const key of await this.#store.getAllKeys(PUBLISHER_TABLE)) {
      const row = await this.#row(key);
      if (row !== null) rows.set(key, row);
    }
    for (const [key, row] of rows) this.#enter(key, row);
    for (const key of this.#book.publishers) if (!rows.has(key)) this.#book.remove(key);
  }

  /** null when there is none, or no longer. */
  async #row(key: string): Promise<string | null> {
    try {
      return (await this.#store?.getKey(PUBLISHER_TABLE, key)) ?? null;
    } catch (error) {
      if (error instanceof DBKeyNotFoundError) return null;
      throw error;
    }
  }

  /**
   * A row that cannot be used costs nobody else anything. One that has become stale only leaves things as they are: a publisher
   * whose database is out of reach still has its events to tell.
   */
  #enter(key: string, row: unknown): void {
    try {
      const { uri, last_activity_timestamp } = parsePublisherRow(key, row);
      if (last_activity_timestamp * 1000 < this.#now() - this.#maxAge) this.#stale += 1;
      else this.#book.enter(key, uri);
    } catch (error) {
      this.#refused += 1;
      this.#onError(error);
    }
  }
}
