import { ZmqError } from "../errors.ts";
import type { OutgoingMessage } from "../zmtp/index.ts";
import type { CommonOptions } from "./common-options.ts";
import type { Context, InContext } from "./context.ts";
import type { Environment } from "./environment.ts";
import { FanOut } from "./fan-out.ts";
import type { MessageLike } from "./message.ts";
import type { AllOptions, CallOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import type { Pattern, Pipe } from "./pipe.ts";
import {
  CONFLATE_OPTIONS,
  type ConflateOptions,
  OVERFLOW_OPTIONS,
  type OverflowOptions,
  SEND_OPTIONS,
  type SendOptions,
} from "./queue-options.ts";
import { Socket } from "./socket.ts";

export type PublisherOptions = Partial<CommonOptions & SendOptions & OverflowOptions & ConflateOptions> &
  InContext;

export interface SubscribedOptions {
  /** How many peers must hold a matching subscription. Default 1. */
  count?: number;
  signal?: AbortSignal;
}

export interface Publisher extends SendOptions, OverflowOptions, ConflateOptions {}

/**
 * Sends each message to all peers that have subscribed to a prefix of its first part (RFC 29, "The PUB Socket Type"). Never
 * waits: a peer whose queue is full misses the message, which is counted, or is disconnected (`overflow`).
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export class Publisher extends Socket<PubPattern> {
  static {
    Socket.defineOptions(Publisher.prototype, { ...SEND_OPTIONS, ...OVERFLOW_OPTIONS, ...CONFLATE_OPTIONS });
  }

  constructor(options: PublisherOptions, context: Context) {
    super("PUB", PubPattern, options, context);
  }

  /**
   * Sends a message: one part, or a list of parts; the first one is what subscriptions are compared with. Resolves at once, but
   * for a turn of the event loop every two milliseconds of calls in a row.
   *
   * Parts of up to 2 KiB are copied at the call; larger ones belong to the socket until they are written: do not change them.
   * Over inproc nothing is copied, and all of them are the receiver's from then on.
   *
   * @param options.signal only one that was aborted beforehand counts, for there is no waiting to give up.
   * @throws {ZmqError} at once: EBADF when the socket is closed.
   */
  send(message: MessageLike | readonly MessageLike[], { signal }: CallOptions = {}): Promise<void> {
    const outgoing = this.outgoing(message);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (outgoing !== null) this.pattern.send(outgoing);
    return this.pattern.pace.done();
  }

  /** As `send`. Always true: a PUB takes every message. */
  trySend(message: MessageLike | readonly MessageLike[]): boolean {
    const outgoing = this.outgoing(message);
    if (outgoing !== null) this.pattern.send(outgoing);
    return true;
  }

  /**
   * Resolves when `count` peers hold a subscription that is a prefix of `topic`: what is published from then on reaches them.
   *
   * @throws {ZmqError} at once: EBADF when the socket is closed, EINVAL for a count below 1. By rejection: EAGAIN when it is
   *   closed meanwhile.
   */
  subscribed(topic: string | Uint8Array, { count = 1, signal }: SubscribedOptions = {}): Promise<void> {
    this.assertOpen();
    if (!Number.isSafeInteger(count) || count < 1)
      throw new ZmqError("EINVAL", `Invalid argument: count = ${String(count)}`);
    return this.pattern.subscribed(topic, count, signal);
  }

  protected override get connectsTwice(): boolean {
    return false;
  }
}

interface Awaited {
  readonly topic: Uint8Array;
  readonly count: number;
  settle(error: unknown): void;
}

export class PubPattern implements Pattern {
  readonly pace: Pace;
  readonly #environment: Environment;
  readonly #fanOut: FanOut;
  readonly #awaited = new Set<Awaited>();

  constructor(environment: Environment, options: AllOptions) {
    this.#environment = environment;
    this.pace = new Pace(environment);
    this.#fanOut = new FanOut(environment, (pipe) => {
      if (options.overflow === "disconnect") pipe.overflow();
      else pipe.drop();
    });
  }

  send(message: OutgoingMessage): void {
    this.#fanOut.send(message);
  }

  subscribed(prefix: string | Uint8Array, count: number, signal?: AbortSignal): Promise<void> {
    const topic = this.#toTopic(prefix);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#fanOut.count(topic) >= count) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let release = (): void => {};
      const onAbort = (): void => awaited.settle(signal?.reason);
      const awaited: Awaited = {
        topic,
        count,
        settle: (error) => {
          this.#awaited.delete(awaited);
          release();
          signal?.removeEventListener("abort", onAbort);
          if (error === null) resolve();
          else reject(error);
        },
      };
      // First, for what is no signal throws here.
      signal?.addEventListener("abort", onAbort, { once: true });
      release = this.#environment.hold();
      this.#awaited.add(awaited);
    });
  }

  attach(): void {}

  detach(pipe: Pipe): void {
    this.#fanOut.remove(pipe);
  }

  ready(): void {}

  /** The peer subscribes anew when it comes back (RFC 29: the queue and the subscriptions end with the connection). */
  lost(pipe: Pipe): void {
    this.#fanOut.remove(pipe);
  }

  writable(): void {}

  /** A SUB has nothing to say but its subscriptions; what comes all the same is dropped, so that it holds up nobody. */
  message(): void {}

  subscription(pipe: Pipe, subscribe: boolean, topic: Uint8Array): void {
    if (!subscribe) {
      this.#fanOut.cancel(pipe, topic);
      return;
    }
    this.#fanOut.subscribe(pipe, topic);
    for (const awaited of this.#awaited) {
      if (this.#fanOut.count(awaited.topic) >= awaited.count) awaited.settle(null);
    }
  }

  isReadable(): boolean {
    return false;
  }

  isWritable(): boolean {
    return true;
  }

  left(): number {
    return 0;
  }

  close(): void {
    for (const awaited of this.#awaited) awaited.settle(new ZmqError("EAGAIN"));
  }

  /** A copy: the caller may change his bytes while the call waits. */
  #toTopic(prefix: string | Uint8Array): Uint8Array {
    if (typeof prefix === "string") return this.#environment.encodeText(prefix);
    if (prefix instanceof Uint8Array) return new Uint8Array(prefix);
    throw new TypeError("Topic must be a string or buffer");
  }
}
