import { ZmqError } from "../errors.ts";
import { type Context, Emitter } from "../sockets/index.ts";
import type {
  DbChangesCallback,
  FramesCallback,
  SubscriberApi,
  SubscriberStats,
  TopicOptions,
} from "./api.ts";
import { topicFrame } from "./codec.ts";
import type { DriverEvents } from "./driver-events.ts";
import { EventStream } from "./event-stream.ts";
import { type OnError, reporter } from "./reporter.ts";
import { SyncSchedule } from "./sync.ts";
import { syncOptions } from "./sync-options.ts";
import { TopicSet } from "./topics.ts";
import { ZmqLink } from "./zmq-link.ts";
import { checkTransport, type ResolvedZmqOptions } from "./zmq-options.ts";

/** The network subscriber: a SUB connection to each publisher. */
export class ZmqSubscriber implements SubscriberApi {
  readonly events: Emitter<DriverEvents>;
  readonly #options: ResolvedZmqOptions;
  readonly #context: Context;
  readonly #onError: OnError;
  readonly #topics = new TopicSet();
  /** By address; null until daemonize(). */
  readonly #links = new Map<string, ZmqLink | null>();
  readonly #stream: EventStream;
  #started: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: ResolvedZmqOptions, context: Context) {
    const { environment } = context;
    this.#options = options;
    this.#context = context;
    this.#onError = reporter(environment, "dragonflow subscriber", options.onError);
    this.events = new Emitter(environment);
    this.#stream = new EventStream({
      environment,
      events: this.events,
      onError: this.#onError,
      schedule: new SyncSchedule({ ...syncOptions(options), random: environment.random }),
      wants: (topic) => this.#topics.matches(topic),
      sequenceNumbers: options.sequenceNumbers,
    });
  }

  async initialize(callback: DbChangesCallback): Promise<void> {
    this.#assertOpen();
    this.#stream.listen(callback);
  }

  async initializeFrames(callback: FramesCallback): Promise<void> {
    this.#assertOpen();
    this.#stream.listenToFrames(callback);
  }

  registerListenAddress(uri: string): boolean {
    this.#assertOpen();
    this.#checkAddress(uri);
    if (this.#links.has(uri)) return false;
    this.#links.set(uri, null);
    this.#stream.schedule.addressAdded(uri, this.#stream.now);
    if (this.isDaemonize) this.#link(uri);
    this.#stream.update();
    return true;
  }

  unregisterListenAddress(uri: string): boolean {
    this.#assertOpen();
    const link = this.#links.get(uri);
    if (link === undefined) return false;
    this.#links.delete(uri);
    this.#stream.schedule.addressRemoved(uri, this.#stream.now);
    void link?.close();
    this.#stream.update();
    return true;
  }

  registerTopic(topic: string, { sync = true, match = "exact" }: TopicOptions = {}): boolean {
    this.#assertOpen();
    if (!this.#topics.add(topic, match)) return false;
    this.#stream.schedule.topicAdded(this.#stream.now, { sync });
    for (const link of this.#links.values()) {
      link?.subscribe(topicFrame(topic));
      link?.confirm();
    }
    this.#stream.update();
    return true;
  }

  unregisterTopic(topic: string): boolean {
    this.#assertOpen();
    if (!this.#topics.delete(topic)) return false;
    for (const link of this.#links.values()) link?.unsubscribe(topicFrame(topic));
    this.#stream.topicsRemoved();
    return true;
  }

  daemonize(): Promise<void> {
    this.#assertOpen();
    if (!this.#stream.isListenedTo) throw new ZmqError("EFSM", "initialize() comes before daemonize()");
    this.#started ??= this.#start();
    return this.#started;
  }

  get isDaemonize(): boolean {
    return this.#started !== null && this.#closed === null;
  }

  async settled(): Promise<void> {
    this.#assertOpen();
    await this.#stream.settled(new ZmqError("EBADF"));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  stats(): SubscriberStats {
    return this.#stream.stats();
  }

  #start(): Promise<void> {
    const started = this.#stream.daemonize(new ZmqError("EBADF"));
    for (const uri of this.#links.keys()) this.#link(uri);
    return started;
  }

  async #close(): Promise<void> {
    this.#stream.close();
    await Promise.all([...this.#links.values()].map((link) => link?.close()));
  }

  #link(uri: string): void {
    const topics = this.#topics.topics.map(topicFrame);
    const setup = {
      context: this.#context,
      options: this.#options,
      stream: this.#stream,
      events: this.events,
      onError: this.#onError,
    };
    this.#links.set(uri, new ZmqLink(uri, topics, setup));
  }

  #checkAddress(uri: string): void {
    if (typeof uri !== "string") throw new TypeError("Address must be a string");
    const scheme = /^([^:]+):\/\/./.exec(uri)?.[1];
    if (scheme === undefined) throw new ZmqError("EINVAL", undefined, { address: uri });
    checkTransport(scheme);
    this.#context.environment.transports[scheme]?.check(uri, "connect");
  }

  #assertOpen(): void {
    if (this.#closed !== null) throw new ZmqError("EBADF");
  }
}
