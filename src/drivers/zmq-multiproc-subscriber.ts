import { ZmqError } from "../errors.ts";
import { type Context, Emitter, Pull } from "../sockets/index.ts";
import type {
  DbChangesCallback,
  FramesCallback,
  SubscriberApi,
  SubscriberStats,
  TopicOptions,
} from "./api.ts";
import type { DriverEvents } from "./driver-events.ts";
import { EventStream, type Source } from "./event-stream.ts";
import { reporter } from "./reporter.ts";
import { SyncSchedule } from "./sync.ts";
import { syncOptions } from "./sync-options.ts";
import { TopicSet } from "./topics.ts";
import type { ResolvedZmqOptions } from "./zmq-options.ts";

/**
 * The publisher service's ear for the writers of its host: a PULL that binds a Unix socket. It hears everything; addresses and topics
 * are remembered and change nothing.
 */
export class ZmqMultiprocSubscriber implements SubscriberApi, Source {
  readonly events: Emitter<DriverEvents>;
  readonly address: string;
  readonly #socket: Pull;
  readonly #stream: EventStream;
  readonly #topics = new TopicSet();
  readonly #addresses = new Set<string>();
  #started: Promise<void> | null = null;
  /** Connections whose handshake is complete. */
  #writers = 0;

  constructor(options: ResolvedZmqOptions, context: Context) {
    const { environment } = context;
    const onError = reporter(environment, "dragonflow multiproc subscriber", options.onError);
    this.address = `ipc://${options.publisherMultiprocSocket}`;
    this.events = new Emitter(environment);
    this.#stream = new EventStream({
      environment,
      events: this.events,
      onError,
      schedule: new SyncSchedule({ ...syncOptions(options), random: environment.random }),
      wants: () => true,
      sequenceNumbers: options.sequenceNumbers,
    });
    this.#socket = new Pull(
      {
        handshakeInterval: options.handshakeInterval,
        maxMessageSize: options.maxMessageSize,
        receiveHighWaterMark: options.sendHighWaterMark,
        receiveHighWaterMarkBytes: options.sendHighWaterMarkBytes,
        linger: 0,
      },
      context,
    );
    this.#socket.events.on("handshake", ({ address }) => {
      this.#writers += 1;
      this.events.emit({ type: "connected", address });
    });
    this.#socket.events.on("disconnect", (event) => {
      this.events.emit({ ...event, type: "lost" });
      const writers = this.#socket.stats().peers.length;
      const wasWriter = writers < this.#writers;
      this.#writers = writers;
      if (event.error === undefined) return;
      onError(event.error);
      // A writer that goes has lost nothing, unless it went in the middle of a message or sent one that we do not take; who
      // did not get through the handshake had nothing to lose.
      if (wasWriter) this.#stream.gap("dropped", this.address);
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
    if (typeof uri !== "string") throw new TypeError("Address must be a string");
    const isNew = !this.#addresses.has(uri);
    this.#addresses.add(uri);
    return isNew;
  }

  unregisterListenAddress(uri: string): boolean {
    this.#assertOpen();
    return this.#addresses.delete(uri);
  }

  registerTopic(topic: string, { match = "exact" }: TopicOptions = {}): boolean {
    this.#assertOpen();
    return this.#topics.add(topic, match);
  }

  unregisterTopic(topic: string): boolean {
    this.#assertOpen();
    return this.#topics.delete(topic);
  }

  /** Binds. Rejects with the system's error: EADDRINUSE, ENOENT, EACCES... */
  daemonize(): Promise<void> {
    this.#assertOpen();
    if (!this.#stream.isListenedTo) throw new ZmqError("EFSM", "initialize() comes before daemonize()");
    this.#started ??= this.#start().catch((error) => {
      this.#started = null;
      throw error;
    });
    return this.#started;
  }

  get isDaemonize(): boolean {
    return this.#started !== null && !this.#socket.closed;
  }

  async settled(): Promise<void> {
    this.#assertOpen();
    await this.#started;
  }

  close(): Promise<void> {
    this.#stream.close();
    return this.#socket.close();
  }

  received(): number {
    return this.#socket.stats().received;
  }

  stats(): SubscriberStats {
    return this.#stream.stats();
  }

  async #start(): Promise<void> {
    await this.#socket.bind(this.address);
    this.#stream.addSource(this);
    const started = this.#stream.daemonize(new ZmqError("EBADF"));
    void this.#receive();
    await started;
  }

  async #receive(): Promise<void> {
    while (!this.#socket.closed) {
      const messages = await this.#socket.receiveBatch().catch(() => []); // rejects only because of `close`
      if (messages.length > 0) await this.#stream.deliver(this, messages);
    }
  }

  #assertOpen(): void {
    if (this.#socket.closed) throw new ZmqError("EBADF");
  }
}
