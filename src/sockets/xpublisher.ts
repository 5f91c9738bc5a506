import { ZmqError } from "../errors.ts";
import type { Context, InContext } from "./context/context.ts";
import type { Message } from "./message.ts";
import type { CommonOptions } from "./options/common-options.ts";
import { defineOptions } from "./options/define-options.ts";
import type { CallOptions } from "./options/options.ts";
import {
  type InvertOptions,
  type PublishOptions,
  XPUBLISH_OPTIONS,
  type XPublishOptions,
} from "./options/publish-options.ts";
import {
  type OverflowOptions,
  RECEIVE_OPTIONS,
  type ReceiveOptions,
  type SendOptions,
} from "./options/queue-options.ts";
import type { ReceiveBatchOptions } from "./patterns/receiver.ts";
import { XPubPattern } from "./patterns/xpub-pattern.ts";
import { PublishingSocket } from "./publishing-socket.ts";

export type XPublisherOptions = Partial<
  CommonOptions &
    SendOptions &
    ReceiveOptions &
    OverflowOptions &
    PublishOptions &
    InvertOptions &
    XPublishOptions
> &
  InContext;

export interface XPublisher extends ReceiveOptions, XPublishOptions {}

/**
 * A `Publisher` that receives the subscriptions, and the messages that peers send upstream (RFC 29, "The XPUB Socket Type").
 *
 * A subscription is received as a message of one part: `\x01` or `\x00` (its end), then the topic; `verbosity` says which of
 * them are. When a peer leaves, its topics end. Any other message is one that a peer sent. All come in the order of arrival.
 *
 * It has to be read: from a peer of which `receiveHighWaterMark` messages wait, subscriptions included, no more is taken in, and
 * its further subscriptions do nothing until they are read. Not so over inproc: there messages are held up, but subscriptions are
 * taken in at once and without bound, as by libzmq.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export class XPublisher extends PublishingSocket<XPubPattern> {
  static {
    defineOptions<ReceiveOptions & XPublishOptions>(XPublisher.prototype, {
      ...RECEIVE_OPTIONS,
      ...XPUBLISH_OPTIONS,
    });
  }

  constructor(options: XPublisherOptions, context: Context) {
    super("XPUB", XPubPattern, options, context);
  }

  /**
   * With `manual` only: subscribes the peer whose message was received last to these topics; without argument, to everything.
   * Nothing happens when that peer is no longer connected. (ZMQ_SUBSCRIBE on an XPUB with ZMQ_XPUB_MANUAL.)
   *
   * @throws {ZmqError} EBADF when the socket is closed, EINVAL without `manual`.
   * @throws {TypeError} for what is neither text nor bytes; then none counts.
   */
  subscribe(...prefixes: (string | Uint8Array)[]): void {
    this.#assertManual();
    this.pattern.subscribeLast(prefixes);
  }

  /** The reverse of `subscribe`, with the same errors. */
  unsubscribe(...prefixes: (string | Uint8Array)[]): void {
    this.#assertManual();
    this.pattern.unsubscribeLast(prefixes);
  }

  /**
   * The next subscription or message: one Buffer per part. @see Pull.receive
   *
   * @throws {ZmqError} at once: EBADF when the socket is closed. By rejection: EAGAIN after `receiveTimeout`, or when the socket
   *   is closed meanwhile; EBUSY when max(receiveHighWaterMark, 1000) calls wait already.
   */
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

  #assertManual(): void {
    this.assertOpen();
    if (!this.pattern.isManual) throw new ZmqError("EINVAL", "Only with manual are subscriptions made here");
  }
}
