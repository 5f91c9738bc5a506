import { ZmqError } from "../errors.ts";
import { type Context, Emitter, Push } from "../sockets/index.ts";
import type { EventFrames, PublisherApi, PublisherStats } from "./api.ts";
import { frames } from "./codec.ts";
import { DbUpdate } from "./db-update.ts";
import type { DriverEvents } from "./driver-events.ts";
import { type OnError, warningReporter } from "./reporter.ts";
import type { ResolvedZmqOptions } from "./zmq-options.ts";

/** ms, at most, before the first attempt to regain the connection. */
const FIRST_RETRY = 50;

/**
 * A writer's way to the publisher service of its host: a PUSH over a Unix socket. It connects at the first event, so that a process
 * that is forked before has no connection to share.
 */
export class ZmqMultiprocPublisher implements PublisherApi {
  readonly events: Emitter<DriverEvents>;
  readonly #options: ResolvedZmqOptions;
  readonly #onError: OnError;
  readonly #socket: Push;
  readonly #address: string;
  #connected = false;
  #sent = 0;
  #refused = 0;
  /** An event was refused: those who follow the database are to be told so. */
  #owesSync = false;

  constructor(options: ResolvedZmqOptions, context: Context) {
    this.#options = options;
    this.#onError = options.onError ?? warningReporter(context.environment, "dragonflow writer");
    this.#address = `ipc://${options.publisherMultiprocSocket}`;
    this.events = new Emitter(context.environment);
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
    this.#socket.events.on("handshake", ({ address }) => this.events.emit({ type: "connected", address }));
    this.#socket.events.on("disconnect", (event) => this.events.emit({ ...event, type: "lost" }));
  }

  /** Opens nothing: see the class. */
  async initialize(): Promise<void> {
    if (this.#socket.closed) throw new ZmqError("EBADF");
  }

  async sendEvent(update: DbUpdate, topic?: string | null): Promise<void> {
    await this.sendFrames(frames(update, topic, this.#options.wireForm));
  }

  async sendFrames(event: EventFrames): Promise<void> {
    if (!this.#connected) this.#connect();
    try {
      await this.#socket.send(event);
      this.#sent += 1;
    } catch (error) {
      this.#refused += 1;
      this.events.emit({ type: "dropped", count: 1 });
      if (!this.#owesSync && !this.#socket.closed) void this.#sendSync();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  stats(): PublisherStats {
    const { dropped, queued } = this.#socket.stats();
    return { sent: this.#sent, dropped: dropped + this.#refused, queued };
  }

  #connect(): void {
    this.#socket.connect(this.#address);
    this.#connected = true;
  }

  /** One `sync` for all who follow the database, as soon as it can be sent. */
  async #sendSync(): Promise<void> {
    this.#owesSync = true;
    const sync = frames(
      new DbUpdate({ table: null, key: null, action: "sync" }),
      null,
      this.#options.wireForm,
    );
    while (!this.#socket.closed) {
      try {
        await this.#socket.send(sync);
        break;
      } catch (error) {
        if (!this.#socket.closed) this.#onError(error);
      }
    }
    this.#owesSync = false;
  }
}
