import { ZmqError } from "../../errors.ts";
import { type Context, Emitter, type Environment } from "../../sockets/index.ts";
import { TopicSet } from "../event/topics.ts";
import { SyncSchedule } from "../sync/sync.ts";
import { syncOptions } from "../sync/sync-options.ts";
import type {
  DbChangesCallback,
  FramesCallback,
  SubscriberApi,
  SubscriberStats,
  TopicOptions,
} from "./api.ts";
import type { DriverEvents } from "./driver-events.ts";
import type { ResolvedDriverOptions } from "./driver-options.ts";
import { EventStream } from "./event-stream.ts";
import { type OnError, reporter } from "./reporter.ts";

export interface DriverSubscriberSetup {
  /** In reports. */
  readonly name: string;
  readonly options: ResolvedDriverOptions;
  readonly context: Context;
  /** Every message is wanted, whatever its topic. */
  readonly hearsAll?: boolean;
}

/**
 * A subscriber as its user sees it, wherever the messages come from: a callback, addresses and topics, a
 * start and an end. What a driver does about them is in `start`, `stop` and the methods that tell of changes.
 */
export abstract class DriverSubscriber implements SubscriberApi {
  readonly events: Emitter<DriverEvents>;
  protected readonly environment: Environment;
  protected readonly onError: OnError;
  protected readonly stream: EventStream;
  protected readonly topics: TopicSet = new TopicSet();
  readonly #addresses = new Set<string>();
  #started: Promise<void> | null = null;
  #isClosed = false;
  #closed: Promise<void> | null = null;

  protected constructor({ name, options, context, hearsAll = false }: DriverSubscriberSetup) {
    const { environment } = context;
    this.environment = environment;
    this.onError = reporter(environment, name, options.onError);
    this.events = new Emitter(environment);
    this.stream = new EventStream({
      environment,
      events: this.events,
      onError: this.onError,
      schedule: new SyncSchedule({ ...syncOptions(options), random: environment.random }),
      wants: hearsAll ? () => true : (topic) => this.topics.matches(topic),
      sequenceNumbers: options.sequenceNumbers,
    });
  }

  async initialize(callback: DbChangesCallback): Promise<void> {
    this.assertOpen();
    this.stream.listen(callback);
  }

  async initializeFrames(callback: FramesCallback): Promise<void> {
    this.assertOpen();
    this.stream.listenToFrames(callback);
  }

  registerListenAddress(uri: string): boolean {
    this.assertOpen();
    if (typeof uri !== "string") throw new TypeError("Address must be a string");
    this.checkAddress(uri);
    if (this.#addresses.has(uri)) return false;
    this.#addresses.add(uri);
    this.addressAdded(uri);
    return true;
  }

  unregisterListenAddress(uri: string): boolean {
    this.assertOpen();
    if (!this.#addresses.delete(uri)) return false;
    this.addressRemoved(uri);
    return true;
  }

  registerTopic(topic: string, options: TopicOptions = {}): boolean {
    this.assertOpen();
    const { sync = true, match = "exact" } = options;
    if (!this.topics.add(topic, match)) return false;
    this.topicAdded(topic, { sync, match });
    return true;
  }

  unregisterTopic(topic: string): boolean {
    this.assertOpen();
    if (!this.topics.delete(topic)) return false;
    this.topicRemoved(topic);
    return true;
  }

  /** Rejects when it cannot be started, and can be called again then. */
  daemonize(): Promise<void> {
    this.assertOpen();
    if (!this.stream.isListenedTo) throw new ZmqError("EFSM", "initialize() comes before daemonize()");
    this.#started ??= this.start().catch((error) => {
      this.#started = null;
      throw error;
    });
    return this.#started;
  }

  get isDaemonize(): boolean {
    return this.#started !== null && !this.#isClosed;
  }

  async settled(): Promise<void> {
    this.assertOpen();
    await this.stream.settled(new ZmqError("EBADF"));
  }

  close(): Promise<void> {
    if (this.#closed === null) {
      this.#isClosed = true;
      this.stream.close();
      this.#closed = this.stop();
    }
    return this.#closed;
  }

  stats(): SubscriberStats {
    return this.stream.stats();
  }

  protected get isClosed(): boolean {
    return this.#isClosed;
  }

  protected get addresses(): Iterable<string> {
    return this.#addresses;
  }

  protected assertOpen(): void {
    if (this.#isClosed) throw new ZmqError("EBADF");
  }

  /** Begins to receive what is registered; resolves when `daemonize` shall. */
  protected abstract start(): Promise<void>;

  /** Ends all that `start` began. */
  protected abstract stop(): Promise<void>;

  /** @throws {ZmqError} for what is no address of this driver. */
  protected checkAddress(_uri: string): void {}

  protected addressAdded(_uri: string): void {}

  protected addressRemoved(_uri: string): void {}

  protected topicAdded(_topic: string, _options: Required<TopicOptions>): void {}

  protected topicRemoved(_topic: string): void {}
}
