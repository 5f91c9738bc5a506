import { ZmqError } from "../../errors.ts";
import { type Context, Pull } from "../../sockets/index.ts";
import type { ResolvedDriverOptions } from "../driver/driver-options.ts";
import { DriverSubscriber } from "../driver/driver-subscriber.ts";
import type { Source } from "../driver/event-stream.ts";

/**
 * The publisher service's ear for the writers of its host: a PULL that binds a Unix socket. It hears
 * everything; addresses and topics are remembered and change nothing.
 */
export class ZmqMultiprocSubscriber extends DriverSubscriber implements Source {
  readonly address: string;
  readonly #socket: Pull;
  /** Connections whose handshake is complete. */
  #writers = 0;

  constructor(options: ResolvedDriverOptions, context: Context) {
    super({ name: "dragonflow multiproc subscriber", options, context, hearsAll: true });
    this.address = `ipc://${options.publisherMultiprocSocket}`;
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
      this.onError(event.error);
      // A writer that goes has lost nothing, unless it went in the middle of a message or sent one that we do
      // not take; who did not get through the handshake had nothing to lose.
      if (wasWriter) this.stream.gap("dropped", this.address);
    });
  }

  /** Resolves when it is bound; at once before `daemonize`. */
  override async settled(): Promise<void> {
    this.assertOpen();
    if (this.isDaemonize) await this.daemonize();
  }

  received(): number {
    return this.#socket.stats().received;
  }

  /** Binds. Rejects with the system's error: EADDRINUSE, ENOENT, EACCES... */
  protected override async start(): Promise<void> {
    await this.#socket.bind(this.address);
    this.stream.addSource(this);
    const started = this.stream.daemonize(new ZmqError("EBADF"));
    void this.#receive();
    await started;
  }

  protected override stop(): Promise<void> {
    return this.#socket.close();
  }

  async #receive(): Promise<void> {
    while (!this.#socket.closed) {
      const messages = await this.#socket.receiveBatch().catch(() => []); // rejects only because of `close`
      if (messages.length > 0) await this.stream.deliver(this, messages);
    }
  }
}
