import { ZmqError } from "../errors.ts";
import type { Timer } from "../runtime/environment.ts";
import { coreOf } from "./core.ts";
import type { Message } from "./message.ts";
import type { CallOptions } from "./options/options.ts";
import type { ReceiveBatchOptions } from "./patterns/receiver.ts";
import { Socket } from "./socket.ts";

/** What a proxy needs of a socket to take messages from it. */
interface Source extends Socket {
  receiveTimeout: number;
  receiveBatch(options?: ReceiveBatchOptions): Promise<Message[]>;
}

/** What it needs to pass them on. */
interface Sink extends Socket {
  sendTimeout: number;
  trySend(message: Message): boolean;
  send(message: Message, options?: CallOptions): Promise<void>;
}

/**
 * Passes on messages between two sockets, both ways as far as their types allow: PULL to PUSH, SUB to PUB, XSUB to XPUB with the
 * subscriptions the other way. A side that has no room holds up the other. The sockets are the proxy's from `run` on: it sets
 * their `sendTimeout` and `receiveTimeout` to -1, and closes them at the end.
 */
export class SocketProxy<F extends Socket = Socket, B extends Socket = Socket> {
  /** What users know it by; a class of that name would hide JavaScript's own, and bundlers rename it. */
  static readonly name: string = "Proxy";

  readonly #front: F;
  readonly #back: B;
  readonly #capture: Sink | null;
  #state: "new" | "running" | "ending" | "ended" = "new";
  /** Aborted by `pause` and `terminate`: nothing more is taken. */
  #taking = new AbortController();
  /** Aborted when the time is up in which what was taken may still be sent. */
  readonly #giving = new AbortController();
  #limit: Timer | null = null;
  /** While paused, resolves with `resume`. */
  #resumed: Promise<void> | null = null;
  #resume: () => void = () => {};

  /**
   * @param capture is sent a copy of every message, whichever way it goes, before it is passed on; when it has no room it holds up
   *   the proxy. It stays the caller's.
   * @throws {TypeError} for what is no socket, or a capture that cannot send.
   */
  constructor(front: F, back: B, capture?: Socket) {
    assertSocket(front, "Front-end");
    assertSocket(back, "Back-end");
    if (capture !== undefined) assertSocket(capture, "Capture");
    if (capture !== undefined && !isSink(capture))
      throw new TypeError("Capture must be a socket that can send");
    this.#front = front;
    this.#back = back;
    this.#capture = capture ?? null;
  }

  get frontEnd(): F {
    return this.#front;
  }

  get backEnd(): B {
    return this.#back;
  }

  /**
   * Starts. Resolves after `terminate`, when what was taken has been handed to the other side; both sockets are closed then, and go
   * on sending for as long as their `linger` says.
   *
   * @throws {ZmqError} at once: EINVAL when a socket is neither bound nor connected, or when there is nothing that one can receive
   *   and the other send; EBUSY when it runs already. By rejection: EBADF when one of the sockets was closed; both are then.
   */
  run(): Promise<void> {
    if (this.#state === "running" || this.#state === "ending")
      throw new ZmqError("EBUSY", "Proxy is running");
    assertBoundOrConnected(this.#front, "Front-end");
    assertBoundOrConnected(this.#back, "Back-end");
    const ways = [...way(this.#front, this.#back), ...way(this.#back, this.#front)];
    if (ways.length === 0)
      throw new ZmqError("EINVAL", "Neither socket can send what the other could receive");
    this.#state = "running";
    if (this.#capture !== null) this.#capture.sendTimeout = -1;
    return this.#finish(ways.map(([from, to]) => this.#forward(from, to).finally(() => this.#stop())));
  }

  /** Takes no more messages until `resume`; those taken are passed on. @throws {ZmqError} EBADF when it does not run. */
  pause(): void {
    this.#assertRunning();
    if (this.#resumed !== null) return;
    this.#resumed = new Promise((resolve) => {
      this.#resume = resolve;
    });
    this.#taking.abort();
    this.#taking = new AbortController();
  }

  /** @throws {ZmqError} EBADF when it does not run. */
  resume(): void {
    this.#assertRunning();
    this.#resumed = null;
    this.#resume();
  }

  /**
   * Ends: what was taken is passed on, for as long as the longer `linger` of the two sockets says; then they are closed.
   * @throws {ZmqError} EBADF when it does not run.
   */
  terminate(): void {
    this.#assertRunning();
    this.#stop();
  }

  async #forward(from: Source, to: Sink): Promise<void> {
    from.receiveTimeout = -1;
    to.sendTimeout = -1;
    for (let batch = await this.#take(from); batch !== null; batch = await this.#take(from)) {
      for (const message of batch) {
        if (this.#capture !== null && !this.#capture.trySend(message))
          await this.#give(this.#capture, message);
        if (!to.trySend(message)) await this.#give(to, message);
      }
    }
  }

  /** Waits for messages; null when there is to be none any more. What an abort finds already taken is not lost. */
  async #take(from: Source): Promise<Message[] | null> {
    while (this.#state === "running") {
      if (this.#resumed !== null) await this.#resumed;
      else {
        const { signal } = this.#taking;
        try {
          return await from.receiveBatch({ signal });
        } catch (error) {
          if (from.closed) throw new ZmqError("EBADF");
          if (!signal.aborted) throw error;
        }
      }
    }
    return null;
  }

  async #give(to: Sink, message: Message): Promise<void> {
    try {
      await to.send(message, { signal: this.#giving.signal });
    } catch (error) {
      if (to.closed) throw new ZmqError("EBADF");
      if (!this.#giving.signal.aborted) throw error;
    }
  }

  #stop(): void {
    if (this.#state !== "running") return;
    this.#state = "ending";
    this.#taking.abort();
    this.#resume();
    const lingers = [this.#front.linger, this.#back.linger];
    if (lingers.includes(-1)) return;
    const { environment } = this.#front.context;
    this.#limit = environment.setTimer(Math.max(...lingers), () => this.#giving.abort());
  }

  async #finish(flows: readonly Promise<void>[]): Promise<void> {
    const release = this.#front.context.environment.hold();
    const ends = await Promise.allSettled(flows);
    this.#state = "ended";
    this.#limit?.cancel();
    release();
    void this.#front.close();
    void this.#back.close();
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  #assertRunning(): void {
    if (this.#state !== "running") throw new ZmqError("EBADF");
  }
}

/** The way from one socket to the other, if there is one. */
function way(from: Socket, to: Socket): (readonly [Source, Sink])[] {
  return isSource(from) && isSink(to) ? [[from, to]] : [];
}

function isSource(socket: Socket): socket is Source {
  return "receiveBatch" in socket;
}

function isSink(socket: Socket): socket is Sink {
  return "trySend" in socket;
}

/** zeromq.js's texts. */
function assertSocket(value: unknown, name: string): asserts value is Socket {
  if (typeof value !== "object" || value === null) throw new TypeError(`${name} must be a socket object`);
  if (!(value instanceof Socket)) throw new TypeError("Invalid argument");
}

function assertBoundOrConnected(socket: Socket, name: string): void {
  if (socket.closed || coreOf(socket).endpoints.isEmpty)
    throw new ZmqError("EINVAL", `${name} socket must be bound or connected`);
}
