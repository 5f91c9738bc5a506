import { ZmqError } from "../errors.ts";
import type { CommonOptions } from "./common-options.ts";
import type { Context, InContext } from "./context.ts";
import type { Environment } from "./environment.ts";
import type { Message } from "./message.ts";
import type { AllOptions, CallOptions } from "./options.ts";
import type { Pattern, Pipe } from "./pipe.ts";
import {
  CONFLATE_OPTIONS,
  type ConflateOptions,
  RECEIVE_OPTIONS,
  type ReceiveOptions,
} from "./queue-options.ts";
import { type ReceiveBatchOptions, Receiver } from "./receiver.ts";
import { Socket } from "./socket.ts";
import { Subscriptions } from "./subscriptions.ts";

export type SubscriberOptions = Partial<CommonOptions & ReceiveOptions & ConflateOptions> & InContext;

export interface Subscriber extends ReceiveOptions, ConflateOptions {}

/**
 * Receives the messages whose first part begins with a topic subscribed to (RFC 29, "The SUB Socket Type"). Without a subscription
 * nothing is received. When the application does not keep up, we stop reading, and the publisher drops, as with libzmq.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export class Subscriber extends Socket<SubPattern> {
  static {
    Socket.defineOptions(Subscriber.prototype, { ...RECEIVE_OPTIONS, ...CONFLATE_OPTIONS });
  }

  constructor(options: SubscriberOptions, context: Context) {
    super("SUB", SubPattern, options, context, { linger: 0 });
  }

  /**
   * Subscribes to prefixes of the first part; without argument, or with an empty one, to everything. Counted: what was subscribed
   * to twice must be unsubscribed twice. All subscriptions are sent again on every reconnect, whatever the high-water mark.
   * The bytes are copied at the call.
   *
   * @throws {ZmqError} EBADF when the socket is closed. @throws {TypeError} for what is neither text nor bytes; then none counts.
   */
  subscribe(...prefixes: (string | Uint8Array)[]): void {
    for (const topic of this.#topics(prefixes)) this.pattern.subscribe(topic);
  }

  /** The reverse of `subscribe`, with the same errors. A prefix that is not subscribed to is ignored. */
  unsubscribe(...prefixes: (string | Uint8Array)[]): void {
    for (const topic of this.#topics(prefixes)) this.pattern.unsubscribe(topic);
  }

  /**
   * Resolves when every publisher now connected has the subscriptions made so far: it has answered a PING sent behind them
   * ("answered"), or, where a peer answers none, a second has passed since they left ("assumed").
   *
   * libzmq answers a moment before it applies a subscription (some milliseconds).
   *
   * @throws {ZmqError} at once: EBADF when the socket is closed. By rejection: EAGAIN when nobody is connected, ECONNRESET when
   *   a connection is lost meanwhile.
   */
  confirmed(): Promise<"answered" | "assumed"> {
    this.assertOpen();
    return this.pattern.confirm();
  }

  /** @see Pull.receive */
  receive({ signal }: CallOptions = {}): Promise<Message> {
    this.assertOpen();
    return this.pattern.receiver.receive(signal);
  }

  /**
   * Waits for a message, then takes with it those that are there already, up to `max` (1000).
   *
   * @throws {ZmqError} as `receive`; EINVAL at once for a `max` below 1.
   */
  receiveBatch(options: ReceiveBatchOptions = {}): Promise<Message[]> {
    this.assertOpen();
    return this.pattern.receiver.receiveBatch(options);
  }

  /** Ends when the socket is closed. Leaving the loop does not close the socket. */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return this.pattern.receiver.iterate();
  }

  protected override get connectsTwice(): boolean {
    return false;
  }

  #topics(prefixes: readonly (string | Uint8Array)[]): Uint8Array[] {
    this.assertOpen();
    return (prefixes.length === 0 ? [""] : prefixes).map((prefix) => this.pattern.toTopic(prefix));
  }
}

export class SubPattern implements Pattern {
  readonly receiver: Receiver;
  readonly #environment: Environment;
  readonly #subscriptions = new Subscriptions();
  readonly #pipes = new Set<Pipe>();

  constructor(environment: Environment, options: AllOptions) {
    this.#environment = environment;
    this.receiver = new Receiver(environment, options);
  }

  toTopic(prefix: string | Uint8Array): Uint8Array {
    if (typeof prefix === "string") return this.#environment.encodeText(prefix);
    if (prefix instanceof Uint8Array) return prefix;
    throw new TypeError("Topic must be a string or buffer");
  }

  subscribe(topic: Uint8Array): void {
    if (!this.#subscriptions.add(topic)) return;
    for (const pipe of this.#pipes) pipe.subscribe(topic);
  }

  unsubscribe(topic: Uint8Array): void {
    if (!this.#subscriptions.remove(topic)) return;
    for (const pipe of this.#pipes) pipe.cancel(topic);
  }

  async confirm(): Promise<"answered" | "assumed"> {
    const ready = [...this.#pipes].filter((pipe) => pipe.isReady);
    if (ready.length === 0) throw new ZmqError("EAGAIN");
    const answers = await Promise.all(ready.map((pipe) => pipe.confirm()));
    return answers.every((answer) => answer === "answered") ? "answered" : "assumed";
  }

  attach(pipe: Pipe): void {
    this.#pipes.add(pipe);
  }

  detach(pipe: Pipe): void {
    this.#pipes.delete(pipe);
  }

  ready(pipe: Pipe): void {
    for (const topic of this.#subscriptions) pipe.subscribe(topic);
  }

  lost(): void {}
  writable(): void {}

  /** Checked here too: an unsubscription takes its time to reach the publisher. */
  message(pipe: Pipe, parts: Uint8Array[]): void {
    if (this.#subscriptions.matches(parts[0] as Uint8Array)) this.receiver.message(pipe, parts);
  }

  subscription(): void {}

  isReadable(): boolean {
    return this.receiver.hasMessage;
  }

  isWritable(): boolean {
    return false;
  }

  left(): number {
    return this.receiver.left();
  }

  close(): void {
    this.receiver.close();
  }
}
