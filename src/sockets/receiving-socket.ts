import type { Message } from "./message.ts";
import { defineOptions } from "./options/define-options.ts";
import type { CallOptions } from "./options/options.ts";
import { RECEIVE_OPTIONS, type ReceiveOptions } from "./options/queue-options.ts";
import type { ReceiveBatchOptions } from "./patterns/receiver.ts";
import type { ReceivingPattern } from "./patterns/receiving-pattern.ts";
import { Socket } from "./socket.ts";

// biome-ignore lint/correctness/noUnusedVariables: both declarations must have the same parameters.
export interface ReceivingSocket<P extends ReceivingPattern> extends ReceiveOptions {}

/** What `Pull`, `Subscriber` and `XSubscriber` share. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export abstract class ReceivingSocket<P extends ReceivingPattern> extends Socket<P> {
  static {
    defineOptions<ReceiveOptions>(ReceivingSocket.prototype, RECEIVE_OPTIONS);
  }

  /**
   * The next message: one Buffer per part. A part that is kept may keep 64 KiB of what came with it: copy what is kept for
   * long. Over inproc it is the memory that was sent, not to be changed.
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
}
