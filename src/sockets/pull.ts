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

export type PullOptions = Partial<CommonOptions & ReceiveOptions & ConflateOptions> & InContext;

export interface Pull extends ReceiveOptions, ConflateOptions {}

/**
 * Receives messages from its peers, one from each in turn (RFC 30, "The PULL Socket Type"). When an application does not keep up,
 * we stop reading, and TCP holds the peers up: nothing is lost.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export class Pull extends Socket<PullPattern> {
  static {
    Socket.defineOptions(Pull.prototype, { ...RECEIVE_OPTIONS, ...CONFLATE_OPTIONS });
  }

  constructor(options: PullOptions, context: Context) {
    super("PULL", PullPattern, options, context);
  }

  /**
   * The next message: one Buffer per part, each a view into the chunk it came in (copy what is kept for long).
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

export class PullPattern implements Pattern {
  readonly receiver: Receiver;

  constructor(environment: Environment, options: AllOptions) {
    this.receiver = new Receiver(environment, options);
  }

  attach(): void {}
  detach(): void {}
  ready(): void {}
  lost(): void {}
  writable(): void {}

  message(pipe: Pipe, parts: Uint8Array[]): void {
    this.receiver.message(pipe, parts);
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
