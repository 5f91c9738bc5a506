import type { Environment } from "../runtime/environment.ts";
import type { OutgoingMessage } from "../zmtp/index.ts";
import type { Context, InContext } from "./context/context.ts";
import type { MessageLike } from "./message.ts";
import type { CommonOptions } from "./options/common-options.ts";
import { defineOptions } from "./options/define-options.ts";
import type { AllOptions, CallOptions } from "./options/options.ts";
import {
  CONFLATE_OPTIONS,
  type ConflateOptions,
  SEND_OPTIONS,
  type SendOptions,
} from "./options/queue-options.ts";
import { RoundRobin } from "./patterns/round-robin.ts";
import { Sender } from "./patterns/sender.ts";
import type { Pattern, Pipe } from "./pipes/pipe.ts";
import { Socket } from "./socket.ts";

export type PushOptions = Partial<CommonOptions & SendOptions & ConflateOptions> & InContext;

export interface Push extends SendOptions, ConflateOptions {}

/**
 * Sends each message to one of its peers in turn (RFC 30, "The PUSH Socket Type").
 *
 * An endpoint that is dialled counts as a peer at once: messages queue for it, and the queue survives reconnects. One that is
 * bound has no peers, and no queue, until they come.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export class Push extends Socket<PushPattern> {
  static {
    defineOptions<SendOptions & ConflateOptions>(Push.prototype, { ...SEND_OPTIONS, ...CONFLATE_OPTIONS });
  }

  constructor(options: PushOptions, context: Context) {
    super("PUSH", PushPattern, options, context);
  }

  /**
   * Sends a message: one part, or a list of parts; an empty list is nothing to send, as in zeromq.js. Strings are sent as
   * UTF-8. Resolves when the message was queued for a peer that has room; waits for one as long as `sendTimeout` says. Calls
   * that overlap keep their order.
   *
   * Parts of up to 1 KiB are copied at the call; larger ones belong to the socket until they are written: do not change them.
   * Over inproc nothing is copied, and all of them are the receiver's from then on.
   *
   * @throws {ZmqError} at once: EBADF when the socket is closed. By rejection: EAGAIN when there was no room in time, or the
   *   socket was closed; EBUSY when max(sendHighWaterMark, 1000) calls wait already. @throws {TypeError} for what is no message.
   */
  send(message: MessageLike | readonly MessageLike[], { signal }: CallOptions = {}): Promise<void> {
    const outgoing = this.outgoing(message);
    return outgoing === null ? Promise.resolve() : this.pattern.sender.send(outgoing, signal);
  }

  /** Sends a message if a peer has room for it now; false: nothing was taken. Otherwise as `send`, errors too. */
  trySend(message: MessageLike | readonly MessageLike[]): boolean {
    const outgoing = this.outgoing(message);
    return outgoing === null || this.pattern.sender.trySend(outgoing);
  }
}

export class PushPattern implements Pattern {
  readonly sender: Sender;
  readonly #peers = new RoundRobin();

  constructor(environment: Environment, options: AllOptions) {
    this.sender = new Sender(environment, options, (message: OutgoingMessage) => this.#peers.offer(message));
  }

  attach(pipe: Pipe): void {
    this.#peers.add(pipe);
    this.sender.retry();
  }

  detach(pipe: Pipe): void {
    this.#peers.remove(pipe);
  }

  ready(): void {}
  lost(): void {}

  writable(): void {
    this.sender.retry();
  }

  /** A PULL has nothing to say; what comes all the same is dropped, so that it holds up nobody. */
  message(): void {}
  subscription(): void {}

  isReadable(): boolean {
    return false;
  }

  isWritable(): boolean {
    return !this.sender.hasWaiting && this.#peers.hasRoom();
  }

  orphaned(): number {
    return 0;
  }

  optionsChanged(): void {}

  close(): void {
    this.sender.close();
  }
}
