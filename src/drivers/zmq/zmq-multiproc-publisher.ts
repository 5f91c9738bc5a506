import { ZmqError } from "../../errors.ts";
import { type Context, Emitter, type Environment, Pace, Push, type Timer } from "../../sockets/index.ts";
import type { EventFrames, PublisherApi, PublisherStats } from "../driver/api.ts";
import type { DriverEvents } from "../driver/driver-events.ts";
import { checkFrames, fits, type ResolvedDriverOptions } from "../driver/driver-options.ts";
import { EventPacker } from "../driver/event-packer.ts";
import { type OnError, reporter } from "../driver/reporter.ts";
import { syncEvent } from "../driver/sync-announcer.ts";
import type { DbUpdate } from "../event/db-update.ts";

/** ms, at most, before the first attempt to regain the connection. */
const FIRST_RETRY = 50;
/** ms after which a service that has refused us is asked again. */
const REFUSED_RETRY = 60_000;
/** ms until a `sync` that could not be sent is tried again. */
const SYNC_RETRY = 1000;
/** ms that it may take us to notice that a connection which has just taken an event had ended before. */
const NOTICED_WITHIN = 1000;

/**
 * A writer's way to the publisher service of its host: a PUSH over a Unix socket. It connects at the first event, so that a process
 * that is forked before has no connection to share.
 */
export class ZmqMultiprocPublisher implements PublisherApi {
  readonly events: Emitter<DriverEvents>;
  readonly #environment: Environment;
  readonly #options: ResolvedDriverOptions;
  readonly #onError: OnError;
  readonly #socket: Push;
  readonly #pace: Pace;
  readonly #packer: EventPacker;
  readonly #address: string;
  #connected = false;
  /** There is a connection at the moment. */
  #isUp = false;
  /** When an event was last taken for sending. */
  #lastSent = Number.NEGATIVE_INFINITY;
  /** The connection ended, and took with it what it was given last, unless that had come through before. */
  #isSuspect = false;
  #sent = 0;
  #refused = 0;
  /** An event was refused: those who follow the database are to be told so. */
  #owesSync = false;
  #refusedTimer: Timer | null = null;
  #syncTimer: Timer | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: ResolvedDriverOptions, context: Context) {
    this.#options = options;
    this.#environment = context.environment;
    this.#onError = reporter(context.environment, "dragonflow writer", options.onError);
    this.#address = `ipc://${options.publisherMultiprocSocket}`;
    this.events = new Emitter(context.environment);
    this.#pace = new Pace(context.environment);
    this.#packer = new EventPacker({
      options,
      transport: "zmq",
      environment: context.environment,
      announce: (event) => this.#isUp && !this.#socket.closed && this.#socket.trySend(event),
    });
    this.#socket = new Push(
      {
        sendHighWaterMark: options.sendHighWaterMark,
        sendHighWaterMarkBytes: options.sendHighWaterMarkBytes,
        sendTimeout: options.sendTimeout,
        handshakeInterval: options.handshakeInterval,
        reconnectInterval: options.reconnectInterval,
        reconnectMaxInterval: options.reconnectMaxInterval,
        reconnectFirst: FIRST_RETRY,
        linger: options.linger,
      },
      context,
    );
    this.#socket.events.on("handshake", ({ address }) => {
      this.#isUp = true;
      this.events.emit({ type: "connected", address });
      this.#isBack();
    });
    // A dial has failed.
    this.#socket.events.on("close", () => {
      this.#isSuspect = false;
    });
    this.#socket.events.on("disconnect", (event) => {
      this.#isUp = false;
      const refused = event.reason === "refused";
      this.#isSuspect =
        (event.retryIn ?? Infinity) <= FIRST_RETRY &&
        this.#environment.now() - this.#lastSent < NOTICED_WITHIN;
      this.events.emit({ ...event, ...(refused && { retryIn: REFUSED_RETRY }), type: "lost" });
      if (refused) this.#wasRefused(event.error);
    });
  }

  /** Opens nothing: see the class. */
  async initialize(): Promise<void> {
    if (this.#socket.closed) throw new ZmqError("EBADF");
  }

  sendEvent(update: DbUpdate, topic?: string | null): Promise<void> {
    let event: EventFrames;
    try {
      event = this.#packer.pack(update, topic);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.sendFrames(event);
  }

  sendFrames(event: EventFrames): Promise<void> {
    return this.trySendFrames(event) ? this.#pace.done() : this.#connectAndSend(event);
  }

  trySendFrames(event: EventFrames): boolean {
    if (!this.#connected || this.#socket.closed || !fits(event, this.#options.maxMessageSize)) return false;
    if (!this.#socket.trySend(event)) return false;
    this.#taken();
    return true;
  }

  /** What `linger` was too short for is lost, and nobody else knows: it is counted, told as `dropped`, and reported. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  stats(): PublisherStats {
    const { dropped, queued } = this.#socket.stats();
    return { sent: this.#sent, dropped: dropped + this.#refused, queued };
  }

  async #close(): Promise<void> {
    this.#packer.close();
    this.#refusedTimer?.cancel();
    this.#syncTimer?.cancel();
    const { dropped: before } = this.#socket.stats();
    await this.#socket.close();
    const count = this.#socket.stats().dropped - before;
    if (count === 0) return;
    this.events.emit({ type: "dropped", count });
    this.#onError(new ZmqError("EAGAIN", `closed with ${count} event(s) that nobody took`));
  }

  async #connectAndSend(event: EventFrames): Promise<void> {
    if (!this.#connected) this.#connect();
    try {
      checkFrames(event, this.#options.maxMessageSize);
      await this.#socket.send(event);
    } catch (error) {
      this.#countRefused(1);
      throw error;
    }
    this.#taken();
  }

  #taken(): void {
    this.#sent += 1;
    this.#lastSent = this.#environment.now();
  }

  #connect(): void {
    this.#socket.connect(this.#address);
    this.#connected = true;
  }

  /**
   * A service that was away is missed by all who follow the database, and they read it when it is back: what the connection
   * took with it was written before. Not so when the service answers at the first attempt: it never went, or it has
   * been back for long and we were stopped meanwhile, and of what we sent into the dead connection nobody knows.
   */
  #isBack(): void {
    if (this.#isSuspect && !this.#owesSync) void this.#sendSync();
    this.#isSuspect = false;
  }

  /** With the connection goes what was queued for it. */
  #wasRefused(error: unknown): void {
    this.#onError(error);
    const { queued } = this.#socket.stats();
    if (queued > 0) this.#countRefused(queued);
    this.#refusedTimer = this.#environment.setTimer(REFUSED_RETRY, () => this.#connect());
  }

  #countRefused(count: number): void {
    this.#refused += count;
    this.events.emit({ type: "dropped", count });
    if (!this.#owesSync && !this.#socket.closed) void this.#sendSync();
  }

  /** One `sync` for all who follow the database, as soon as it can be sent. */
  async #sendSync(): Promise<void> {
    this.#owesSync = true;
    await null; // when we were refused, the queue is dropped only after we were told
    const sync = this.#packer.pack(syncEvent(), null);
    while (!this.#socket.closed) {
      try {
        await this.#socket.send(sync);
        break;
      } catch (error) {
        if (this.#socket.closed) break;
        this.#onError(error);
        await new Promise<void>((resolve) => {
          this.#syncTimer = this.#environment.setTimer(SYNC_RETRY, resolve);
        });
      }
    }
    this.#owesSync = false;
  }
}
