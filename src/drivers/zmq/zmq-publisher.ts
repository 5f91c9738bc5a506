import { ZmqError } from "../../errors.ts";
import { type Context, Emitter, Pace, Publisher } from "../../sockets/index.ts";
import type { EventFrames, PublisherApi, PublisherStats } from "../driver/api.ts";
import type { DriverEvents } from "../driver/driver-events.ts";
import { checkFrames, fits, type ResolvedDriverOptions } from "../driver/driver-options.ts";
import { EventPacker } from "../driver/event-packer.ts";
import { type OnError, reporter } from "../driver/reporter.ts";
import type { DbUpdate } from "../event/db-update.ts";

/** The network publisher: a PUB that binds. `initialize` binds; the first event does, when that was not called. */
export class ZmqPublisher implements PublisherApi {
  readonly events: Emitter<DriverEvents>;
  readonly #options: ResolvedDriverOptions;
  readonly #onError: OnError;
  readonly #socket: Publisher;
  readonly #pace: Pace;
  readonly #packer: EventPacker;
  #bound: Promise<void> | null = null;
  #isBound = false;
  #sent = 0;

  constructor(options: ResolvedDriverOptions, context: Context) {
    this.#options = options;
    this.#onError = reporter(context.environment, "dragonflow publisher", options.onError);
    this.events = new Emitter(context.environment);
    this.#pace = new Pace(context.environment);
    this.#packer = new EventPacker({
      options,
      transport: "zmq",
      environment: context.environment,
      announce: (event) => this.#isBound && !this.#socket.closed && this.#socket.trySend(event),
    });
    this.#socket = new Publisher(
      {
        sendHighWaterMark: options.sendHighWaterMark,
        sendHighWaterMarkBytes: options.sendHighWaterMarkBytes,
        overflow: options.overflow,
        handshakeInterval: options.handshakeInterval,
        maxMessageSize: options.maxMessageSize,
        linger: options.linger,
      },
      context,
    );
    this.#socket.events.on("handshake", ({ address }) => this.events.emit({ type: "connected", address }));
    this.#socket.events.on("drop", () => this.events.emit({ type: "dropped", count: 1 }));
    this.#socket.events.on("disconnect", (event) => {
      this.events.emit({ ...event, type: "lost" });
      if (event.reason !== "overflow") return;
      this.#onError(
        new ZmqError("ENOBUFS", "a subscriber did not keep up and was disconnected", {
          address: event.address,
        }),
      );
    });
  }

  /** Where it is bound, e.g. `tcp://0.0.0.0:8866`; null before. */
  get address(): string | null {
    return this.#socket.lastEndpoint;
  }

  async initialize(): Promise<void> {
    if (this.#socket.closed) throw new ZmqError("EBADF");
    const { publisherTransport: transport, publisherBindAddress: host, publisherPort: port } = this.#options;
    this.#bound ??= this.#socket.bind(`${transport}://${host}:${port === 0 ? "*" : port}`).catch((error) => {
      this.#bound = null; // the address may be free later
      throw error;
    });
    await this.#bound;
    this.#isBound = true;
  }

  async sendEvent(update: DbUpdate, topic?: string | null): Promise<void> {
    await this.sendFrames(this.#packer.pack(update, topic));
  }

  sendFrames(event: EventFrames): Promise<void> {
    return this.trySendFrames(event) ? this.#pace.done() : this.#bindAndSend(event);
  }

  trySendFrames(event: EventFrames): boolean {
    if (!this.#isBound || this.#socket.closed || !fits(event, this.#options.maxMessageSize)) return false;
    this.#socket.trySend(event); // a PUB takes all
    this.#sent += 1;
    return true;
  }

  close(): Promise<void> {
    this.#packer.close();
    return this.#socket.close();
  }

  stats(): PublisherStats {
    const { dropped, queued } = this.#socket.stats();
    return { sent: this.#sent, dropped, queued };
  }

  async #bindAndSend(event: EventFrames): Promise<void> {
    checkFrames(event, this.#options.maxMessageSize);
    await this.initialize();
    const sent = this.#socket.send(event);
    this.#sent += 1;
    await sent;
  }
}
