import { ZmqError } from "../../errors.ts";
import type { Context } from "../../sockets/index.ts";
import type { Config } from "../config/config.ts";
import type { OnError } from "../driver/reporter.ts";
import type { Store } from "../store/store.ts";
import { TimedStore } from "../store/timed-store.ts";
import { fullyQualifiedName, publisherId } from "./publisher-id.ts";
import { PublisherRegistration } from "./publisher-registration.ts";
import { type EventSender, StalePublisherMonitor } from "./table-monitor.ts";

export interface ServiceTableOptions {
  readonly store: Store;
  /** ms that one call of the store may take. Default 5000. */
  readonly storeTimeout?: number;
  readonly config: Config;
  /** Asked when the publisher is bound. */
  readonly uri: () => string;
  readonly hostName?: string;
  readonly processName?: string;
  /** Publishes the changes of the table. */
  readonly publisher: EventSender;
  readonly context: Context;
  readonly onError: OnError;
  readonly onRegistered: (id: string) => void;
}

export interface ServiceTableStats {
  /** Our row was written at least once. */
  registered: boolean;
  /** How often our row was written. */
  refreshes: number;
}

const STORE_TIMEOUT = 5000;

/**
 * A publisher service's part in the table `publisher`: keeps its own row, and deletes and announces the rows of others that
 * have gone stale. All in the background: whoever forwards events never waits for the database, nor for the resolver.
 */
export class ServiceTable {
  readonly #options: ServiceTableOptions;
  readonly #store: TimedStore;
  #registration: PublisherRegistration | null = null;
  #monitor: StalePublisherMonitor | null = null;
  #started = false;
  #closed = false;

  constructor(options: ServiceTableOptions) {
    const { store, storeTimeout = STORE_TIMEOUT, context } = options;
    if (!Number.isFinite(storeTimeout) || storeTimeout <= 0)
      throw new ZmqError("EINVAL", `storeTimeout cannot be ${storeTimeout}`);
    this.#options = options;
    this.#store = new TimedStore(store, storeTimeout, context.environment);
  }

  start(): void {
    if (this.#started || this.#closed) return;
    this.#started = true;
    this.#start().catch(this.#options.onError);
  }

  /** There was traffic. */
  active(): void {
    this.#registration?.active();
  }

  stats(): ServiceTableStats {
    const { registered = false, refreshes = 0 } = this.#registration ?? {};
    return { registered, refreshes };
  }

  /** Gives up what the store has not answered yet. Nothing is announced after it has resolved. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#registration?.stop();
    const stopped = this.#monitor?.stop();
    this.#store.close();
    await stopped;
  }

  async #start(): Promise<void> {
    const { config, uri, hostName, processName, publisher, context, onRegistered } = this.#options;
    const id = publisherId(hostName ?? (await fullyQualifiedName()), processName);
    if (this.#closed) return;
    const onError: OnError = (error) => {
      if (!this.#closed) this.#options.onError(error); // what close() has cut short is no news
    };
    const store = this.#store;
    this.#registration = new PublisherRegistration({
      store,
      id,
      uri: uri(),
      timeout: config.publisherTimeout,
      rateLimitCount: config.publisherRateLimitCount,
      rateLimitTimeout: config.publisherRateLimitTimeout,
      environment: context.environment,
      wallClock: Date.now,
      onError,
      onRegistered: () => onRegistered(id),
    });
    this.#monitor = new StalePublisherMonitor({
      store,
      publisher,
      id,
      timeout: config.publisherTimeout,
      pollingTime: config.monitorTablePollTime,
      onError,
      context,
    });
    this.#registration.start();
    this.#monitor.daemonize();
  }
}
