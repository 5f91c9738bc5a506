import type { Emitter, Timer } from "../../sockets/index.ts";
import { type Context, Subscriber } from "../../sockets/index.ts";
import type { DriverEvents } from "../driver/driver-events.ts";
import type { ResolvedDriverOptions } from "../driver/driver-options.ts";
import type { EventStream, Source } from "../driver/event-stream.ts";
import type { OnError } from "../driver/reporter.ts";
import { SEND_ALL_TOPIC } from "../event/db-update.ts";

/** ms after which a publisher that has refused us is asked again. */
const REFUSED_RETRY = 60_000;
/** ms, at most, before the first attempt to regain a connection. */
const FIRST_RETRY = 50;

export interface LinkSetup {
  readonly context: Context;
  readonly options: ResolvedDriverOptions;
  readonly stream: EventStream;
  readonly events: Emitter<DriverEvents>;
  readonly onError: OnError;
}

/**
 * A network subscriber's connection to one publisher: what it says goes to the stream in order, and whether our subscriptions
 * are in force there goes to the sync schedule.
 */
export class ZmqLink implements Source {
  readonly address: string;
  readonly #setup: LinkSetup;
  readonly #socket: Subscriber;
  /** Changes with every connection and every loss: what was found out about an earlier one means nothing now. */
  #connection = 0;
  #confirming = false;
  #confirmAgain = false;
  #settleTimer: Timer | null = null;
  #refusedTimer: Timer | null = null;

  constructor(address: string, topics: readonly Uint8Array[], setup: LinkSetup) {
    const { options, context, stream, events } = setup;
    this.address = address;
    this.#setup = setup;
    this.#socket = new Subscriber(
      {
        heartbeatInterval: options.heartbeatInterval,
        heartbeatTimeout: options.heartbeatTimeout,
        heartbeatPeers: "able",
        handshakeInterval: options.handshakeInterval,
        maxMessageSize: options.maxMessageSize,
        reconnectInterval: options.reconnectInterval,
        reconnectMaxInterval: options.reconnectMaxInterval,
        reconnectFirst: FIRST_RETRY,
        receiveHighWaterMark: options.sendHighWaterMark,
        receiveHighWaterMarkBytes: options.sendHighWaterMarkBytes,
      },
      context,
    );
    for (const topic of topics) this.#socket.subscribe(topic);
    // Registered or not: it is where a publisher says that it has lost something.
    this.#socket.subscribe(SEND_ALL_TOPIC);
    this.#socket.events.on("handshake", () => {
      this.#connection += 1;
      events.emit({ type: "connected", address });
      this.confirm();
    });
    this.#socket.events.on("disconnect", (event) => {
      this.#connection += 1;
      const refused = event.reason === "refused";
      if (refused) this.#askAgainLater();
      if (event.error !== undefined && (refused || event.reason === "protocol"))
        this.#setup.onError(event.error);
      events.emit({ ...event, ...(refused && { retryIn: REFUSED_RETRY }), type: "lost" });
      stream.lost(address);
    });
    stream.addSource(this);
    this.#socket.connect(address);
    void this.#receive();
  }

  received(): number {
    return this.#socket.stats().received;
  }

  subscribe(topic: Uint8Array): void {
    this.#socket.subscribe(topic);
  }

  unsubscribe(topic: Uint8Array): void {
    this.#socket.unsubscribe(topic);
  }

  /** Finds out when what was subscribed to so far is in force. Nothing while not connected: the handshake starts it anew. */
  confirm(): void {
    if (this.#confirming) this.#confirmAgain = true;
    else void this.#confirm();
  }

  close(): Promise<void> {
    this.#connection += 1;
    this.#settleTimer?.cancel();
    this.#refusedTimer?.cancel();
    this.#setup.stream.removeSource(this);
    return this.#socket.close();
  }

  async #confirm(): Promise<void> {
    const { stream, events } = this.#setup;
    this.#confirming = true;
    do {
      this.#confirmAgain = false;
      const connection = this.#connection;
      const generation = stream.schedule.generation;
      if (!(await this.#isApplied()) || connection !== this.#connection) continue;
      stream.schedule.inForce(this.address, stream.now, generation);
      if (generation === stream.schedule.generation) events.emit({ type: "inForce", address: this.address });
      stream.update();
    } while (this.#confirmAgain);
    this.#confirming = false;
  }

  /** False: the connection was lost, or there is none. */
  async #isApplied(): Promise<boolean> {
    if (this.#socket.closed) return false;
    try {
      const how = await this.#socket.confirmed();
      if (how === "answered") await this.#settle();
      return true;
    } catch {
      return false; // told by the disconnect event, or nothing to tell
    }
  }

  /** Does not resolve when the link is closed meanwhile. */
  #settle(): Promise<void> {
    const { context, options } = this.#setup;
    return new Promise((resolve) => {
      this.#settleTimer = context.environment.setTimer(options.settleTime, resolve);
    });
  }

  #askAgainLater(): void {
    this.#refusedTimer = this.#setup.context.environment.setTimer(REFUSED_RETRY, () => {
      this.#socket.connect(this.address);
    });
  }

  async #receive(): Promise<void> {
    while (!this.#socket.closed) {
      const messages = await this.#socket.receiveBatch().catch(() => []); // rejects only because of `close`
      if (messages.length > 0) await this.#setup.stream.deliver(this, messages);
    }
  }
}
