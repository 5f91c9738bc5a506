import type { Environment } from "../runtime/environment.ts";
import { Pace } from "../runtime/pace.ts";
import { OutgoingMessage } from "../zmtp/index.ts";
import type { Context, InContext } from "./context/context.ts";
import type { MessageLike } from "./message.ts";
import type { CommonOptions } from "./options/common-options.ts";
import { defineOptions } from "./options/define-options.ts";
import type { AllOptions, CallOptions } from "./options/options.ts";
import { XSUBSCRIBE_OPTIONS, type XSubscribeOptions } from "./options/publish-options.ts";
import { type ReceiveOptions, SEND_OPTIONS, type SendOptions } from "./options/queue-options.ts";
import { SubscribingPattern } from "./patterns/subscribing-pattern.ts";
import type { Pipe } from "./pipes/pipe.ts";
import { SubscribingSocket } from "./subscribing-socket.ts";

export type XSubscriberOptions = Partial<CommonOptions & SendOptions & ReceiveOptions & XSubscribeOptions> &
  InContext;

export interface XSubscriber extends SendOptions, XSubscribeOptions {}

/**
 * A `Subscriber` that may also subscribe by sending messages, and send messages to the publishers (RFC 29, "The XSUB Socket
 * Type"). It receives whatever the publishers send: there is no second filter here.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export class XSubscriber extends SubscribingSocket<XSubPattern> {
  static {
    defineOptions<SendOptions & XSubscribeOptions>(XSubscriber.prototype, {
      ...SEND_OPTIONS,
      ...XSUBSCRIBE_OPTIONS,
    });
  }

  constructor(options: XSubscriberOptions, context: Context) {
    super("XSUB", XSubPattern, options, context, { linger: 0 });
  }

  /**
   * Sends a subscription, or a message. Resolves at once, but for a turn of the event loop every two milliseconds of calls in a
   * row: nothing waits for room.
   *
   * A part `\x01topic` subscribes, and goes to all publishers at every call; `\x00topic` is the reverse, and goes to them when
   * the topic has been given up as often as it was subscribed to, which counts together with `subscribe`. They pass the
   * high-water mark, and are sent again, each topic once, on every reconnect.
   *
   * What is left of the message, also an empty part, goes to all publishers, connected ones and those that are dialled; one
   * whose queue is full misses it, which is counted. An XPUB receives it, a PUB drops it.
   *
   * @param options.signal only one that was aborted beforehand counts, for there is no waiting to give up.
   * @throws {ZmqError} at once: EBADF when the socket is closed. @throws {TypeError} for what is no message.
   */
  send(message: MessageLike | readonly MessageLike[], { signal }: CallOptions = {}): Promise<void> {
    const outgoing = this.outgoing(message);
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (outgoing !== null) this.pattern.send(outgoing);
    return this.pattern.pace.done();
  }

  /** As `send`. Always true: an XSUB takes every message. */
  trySend(message: MessageLike | readonly MessageLike[]): boolean {
    const outgoing = this.outgoing(message);
    if (outgoing !== null) this.pattern.send(outgoing);
    return true;
  }
}

export class XSubPattern extends SubscribingPattern {
  readonly pace: Pace;

  constructor(environment: Environment, options: AllOptions) {
    super(environment, options);
    this.pace = new Pace(environment);
  }

  override isWritable(): boolean {
    return true;
  }

  send(message: OutgoingMessage): void {
    const rest = message.parts.filter((part) => !this.#subscription(part));
    if (rest.length === message.parts.length) this.#sendUpstream(message);
    else if (rest.length > 0) this.#sendUpstream(new OutgoingMessage(rest));
  }

  /** @returns whether the part is a subscription, or the end of one. */
  #subscription(part: Uint8Array): boolean {
    const first = part[0];
    if (first === undefined || first > 1) return false;
    const topic = part.subarray(1);
    // As libzmq has it: the publisher behind a proxy wants to hear of every subscription, if it is verbose.
    const id = first === 1 ? this.subscriptions.add(topic) : this.subscriptions.remove(topic);
    if (id !== 0) this.tell(first === 1, topic, id, "message");
    else if (first === 1 || this.options.verboseUnsubscribe) this.repeat(first === 1, topic);
    return true;
  }

  #sendUpstream(message: OutgoingMessage): void {
    if (this.pipes.size > 1) message.wire(this.environment.allocateUnseen);
    const full: Pipe[] = [];
    for (const pipe of this.pipes) if (!pipe.offer(message)) full.push(pipe);
    // Only when all have been offered the message: whoever hears of it may send another, or end a connection.
    for (const pipe of full) pipe.drop();
  }
}
