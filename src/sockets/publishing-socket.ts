import { ZmqError } from "../errors.ts";
import type { MessageLike } from "./message.ts";
import { defineOptions } from "./options/define-options.ts";
import type { CallOptions } from "./options/options.ts";
import {
  INVERT_OPTIONS,
  type InvertOptions,
  PUBLISH_OPTIONS,
  type PublishOptions,
} from "./options/publish-options.ts";
import {
  OVERFLOW_OPTIONS,
  type OverflowOptions,
  SEND_OPTIONS,
  type SendOptions,
} from "./options/queue-options.ts";
import type { PublishingPattern } from "./patterns/publishing-pattern.ts";
import { Socket } from "./socket.ts";

export interface SubscribedOptions {
  /** How many peers must hold a matching subscription. Default 1. */
  count?: number;
  signal?: AbortSignal;
}

// biome-ignore lint/correctness/noUnusedVariables: both declarations must have the same parameters.
export interface PublishingSocket<P extends PublishingPattern>
  extends SendOptions,
    OverflowOptions,
    PublishOptions,
    InvertOptions {}

/** What `Publisher` and `XPublisher` share. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export abstract class PublishingSocket<P extends PublishingPattern> extends Socket<P> {
  static {
    defineOptions<SendOptions & OverflowOptions & PublishOptions & InvertOptions>(
      PublishingSocket.prototype,
      {
        ...SEND_OPTIONS,
        ...OVERFLOW_OPTIONS,
        ...PUBLISH_OPTIONS,
        ...INVERT_OPTIONS,
      },
    );
  }

  /**
   * Sends a message: one part, or a list of parts; the first one is what subscriptions are compared with. Resolves at once, but
   * for a turn of the event loop every two milliseconds of calls in a row. With `noDrop` it waits for room, up to `sendTimeout`.
   *
   * Parts of up to 1 KiB are copied at the call; larger ones belong to the socket until they are written: do not change them.
   * Over inproc nothing is copied, and all of them are the receiver's from then on.
   *
   * @param options.signal without `noDrop` only one that was aborted beforehand counts, for there is no waiting to give up.
   * @throws {ZmqError} at once: EBADF when the socket is closed. By rejection, with `noDrop` only: EAGAIN when there was no room
   *   in time, or the socket was closed; EBUSY when max(sendHighWaterMark, 1000) calls wait already.
   * @throws {TypeError} for what is no message.
   */
  send(message: MessageLike | readonly MessageLike[], { signal }: CallOptions = {}): Promise<void> {
    const outgoing = this.outgoing(message);
    if (outgoing !== null) return this.pattern.send(outgoing, signal);
    return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
  }

  /** As `send`, without waiting. True, for every message is taken; with `noDrop` false when somebody has no room. */
  trySend(message: MessageLike | readonly MessageLike[]): boolean {
    const outgoing = this.outgoing(message);
    return outgoing === null || this.pattern.trySend(outgoing);
  }

  /**
   * Resolves when `count` peers hold a subscription that is a prefix of `topic`: what is published from then on reaches them.
   *
   * @throws {ZmqError} at once: EBADF when the socket is closed, EINVAL for a count below 1. By rejection: EAGAIN when it is
   *   closed meanwhile, EBUSY when 1000 calls wait already.
   */
  subscribed(topic: string | Uint8Array, { count = 1, signal }: SubscribedOptions = {}): Promise<void> {
    this.assertOpen();
    if (!Number.isSafeInteger(count) || count < 1)
      throw new ZmqError("EINVAL", `Invalid argument: count = ${String(count)}`);
    return this.pattern.subscribed(topic, count, signal);
  }
}
