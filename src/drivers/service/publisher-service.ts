import { ZmqError } from "../../errors.ts";
import { nodeContext } from "../../node.ts";
import { type Context, Emitter, type Environment } from "../../sockets/index.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { rejectUnknownOptions } from "../config/option-names.ts";
import type { EventFrames, PublisherApi, SubscriberApi } from "../driver/api.ts";
import { type OnError, reporter } from "../driver/reporter.ts";
import { SyncAnnouncer } from "../driver/sync-announcer.ts";
import { frames, type UnpackedMessage, type WireForm } from "../event/codec.ts";
import type { DbUpdate } from "../event/db-update.ts";
import type { Store } from "../store/store.ts";
import { PUBLISHER_TABLE, publisherUri } from "./publisher-row.ts";
import {
  type PublisherServiceOptions,
  SERVICE_OPTION_NAMES,
  type ServiceEvents,
  type ServiceStats,
} from "./service-api.ts";
import { serviceEnds } from "./service-drivers.ts";
import { ServiceTable } from "./service-table.ts";

/** ms between two looks at whether everything received was published, on closing. */
const DRAIN_INTERVAL = 10;
/** ms that draining may take where `linger` sets no end. */
const DRAIN_MAX = 1000;

/**
 * The one publisher of a host: takes the events of the writers' processes and publishes them for all controllers. Frames go
 * on as they came; they are decoded only to check them, and to see which table they are about.
 *
 * Nothing that goes wrong with an event, or with the database, stops the forwarding. What was lost on the way, or here, is
 * answered by a `sync` event on the topic of everybody.
 */
export class PublisherService {
  readonly events: Emitter<ServiceEvents>;
  readonly publisher: PublisherApi;
  readonly subscriber: SubscriberApi | null;
  readonly #config: Config;
  readonly #environment: Environment;
  readonly #onError: OnError;
  readonly #announcer: SyncAnnouncer;
  readonly #table: ServiceTable | null;
  /** For what we say ourselves: the form of those we speak for. */
  #form: WireForm;
  #forwarded = 0;
  #failed = 0;
  #syncs = 0;
  #initialized: Promise<void> | null = null;
  #running: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #closed: () => void = () => {};
  readonly #untilClosed = new Promise<void>((resolve) => {
    this.#closed = resolve;
  });

  /** Opens nothing. @throws {ConfigError} for a driver that cannot serve, or an option that is none. */
  constructor(options: PublisherServiceOptions = {}) {
    rejectUnknownOptions(options, SERVICE_OPTION_NAMES);
    const { context = nodeContext(), store } = options;
    const { environment } = context;
    const config = loadConfig({ env: {}, values: options.config ?? {} });
    this.#config = config;
    this.#environment = environment;
    this.#onError = reporter(environment, "dragonflow publisher service", options.onError);
    const { publisher, subscriber } = serviceEnds(config, options, this.#onError, context);
    this.publisher = publisher;
    this.subscriber = subscriber;
    this.events = new Emitter(environment);
    this.#form = config.wireForm;
    this.#announcer = new SyncAnnouncer({
      environment,
      send: (update) => this.#sendOwn(update),
      onError: this.#onError,
      onSync: () => this.#announced(),
    });
    this.#table = store === undefined ? null : this.#serviceTable(store, options, context);
  }

  /** Where subscribers find us. With `publisher_port` 0 the port is known after {@link initialize}. */
  get uri(): string {
    const { publisherPort } = this.#config;
    return publisherUri({ ...this.#config, publisherPort: publisherPort || boundPort(this.publisher) });
  }

  /** Binds the publisher. Rejects with the system's error, e.g. EADDRINUSE; EBADF after `close`. Again: no effect. */
  initialize(): Promise<void> {
    if (this.#closing !== null) return Promise.reject(new ZmqError("EBADF"));
    this.#initialized ??= this.#initialize();
    return this.#initialized;
  }

  /**
   * Forwards until {@link close}; then it resolves. Keeps the process alive. Rejects with the system's error when it cannot
   * start, and is closed then. Again: the same promise. After `close`: starts nothing.
   */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /**
   * Final. Publishes what has been received, as long as `linger` allows, then closes everything. Never rejects. Our row stays
   * in the publisher table: who starts again within publisher_timeout is not missed there.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  stats(): ServiceStats {
    return {
      forwarded: this.#forwarded,
      failed: this.#failed,
      syncs: this.#syncs,
      table: this.#table?.stats() ?? null,
      publisher: this.publisher.stats(),
      subscriber: this.subscriber?.stats() ?? null,
    };
  }

  async #initialize(): Promise<void> {
    await this.subscriber?.initializeFrames((event, received) => this.#take(event, received));
    await this.publisher.initialize();
    this.publisher.events.on("dropped", ({ count }) => this.#dropped(count));
  }

  async #run(): Promise<void> {
    const release = this.#environment.hold();
    try {
      await this.initialize();
      await this.subscriber?.daemonize();
      if (this.#closing === null) {
        const ends = { publisher: boundTo(this.publisher), subscriber: boundTo(this.subscriber) };
        this.events.emit({ type: "listening", uri: this.uri, ...ends });
        this.#table?.start();
        // Whoever was here before may have gone with events in hand.
        if (this.publisher.isBrokered) this.#announcer.owe();
      }
      await this.#untilClosed;
    } catch (error) {
      const closing = this.#closing !== null;
      await this.close();
      if (!closing) throw error;
    } finally {
      release();
    }
  }

  /** Every event that a writer sent, and `null` for those that we have not got. */
  #take(event: UnpackedMessage | null, received: EventFrames | null): Promise<void> | undefined {
    if (event === null || received === null) {
      this.#announcer.owe();
      return undefined;
    }
    this.#form = event.form;
    // Waited for only where there is something to wait for: this is the path of every event.
    if (this.publisher.trySendFrames?.(received) !== true) return this.#forward(event, received);
    this.#forwarded += 1;
    this.#isActive(event);
    return undefined;
  }

  async #forward(event: UnpackedMessage, received: EventFrames): Promise<void> {
    try {
      await this.publisher.sendFrames(received);
      this.#forwarded += 1;
    } catch (error) {
      this.#failed += 1;
      this.#onError(error);
      this.#dropped(1);
    }
    this.#isActive(event);
  }

  /** Writing to the publisher table because of an event about it would go round in circles. */
  #isActive({ table }: UnpackedMessage): void {
    if (table !== PUBLISHER_TABLE) this.#table?.active();
  }

  #sendOwn(update: DbUpdate): Promise<void> {
    return this.publisher.sendFrames(frames(update, null, this.#form));
  }

  #dropped(count: number): void {
    this.events.emit({ type: "dropped", count });
    this.#announcer.owe();
  }

  #announced(): void {
    this.#syncs += 1;
    this.events.emit({ type: "sync" });
  }

  async #close(): Promise<void> {
    const release = this.#environment.hold();
    await this.#table?.close();
    await this.#drain();
    // What it still has, nobody will be given.
    const lost = (this.subscriber?.stats().queued ?? 0) > 0;
    await this.subscriber?.close().catch(this.#onError);
    if (lost) this.#announcer.owe();
    await this.#announcer.close();
    await this.publisher.close().catch(this.#onError);
    this.#closed();
    release();
  }

  /** Until nothing is left to forward, and nothing more has come in between two looks. */
  async #drain(): Promise<void> {
    if (!this.subscriber?.isDaemonize) return;
    const { linger } = this.#config;
    const deadline = this.#environment.now() + (linger < 0 ? DRAIN_MAX : linger);
    let before = -1;
    while (this.#environment.now() < deadline) {
      const { delivered, queued } = this.subscriber.stats();
      if (queued === 0 && delivered === before) return;
      before = queued === 0 ? delivered : -1;
      await new Promise<void>((resolve) => {
        this.#environment.setTimer(DRAIN_INTERVAL, resolve);
      });
    }
  }

  #serviceTable(store: Store, options: PublisherServiceOptions, context: Context): ServiceTable {
    return new ServiceTable({
      store,
      config: this.#config,
      uri: () => this.uri,
      ...(options.storeTimeout !== undefined && { storeTimeout: options.storeTimeout }),
      ...(options.hostName !== undefined && { hostName: options.hostName }),
      ...(options.processName !== undefined && { processName: options.processName }),
      publisher: { sendEvent: (update) => this.#sendOwn(update) },
      context,
      onError: this.#onError,
      onRegistered: (id) => this.events.emit({ type: "registered", id, uri: this.uri }),
    });
  }
}

/** Where an end is bound; null before, and where the driver does not tell. */
function boundTo(end: PublisherApi | SubscriberApi | null): string | null {
  return (end as { readonly address?: string | null } | null)?.address ?? null;
}

/** The port that the system chose; 0 when it is not known. */
function boundPort(publisher: PublisherApi): number {
  return Number(/:(\d+)$/.exec(boundTo(publisher) ?? "")?.[1] ?? 0);
}
