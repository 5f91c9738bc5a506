import { Fifo } from "../../runtime/fifo.ts";
import { type Allocate, type OutgoingMessage, PART_OVERHEAD } from "../../zmtp/index.ts";
import type { AllOptions } from "../options/options.ts";

/** Messages taken in from one peer during one turn of the event loop, when nobody takes them on. */
const READ_AHEAD = 1000;

/** Messages on their way to one peer, bounded in number and bytes. */
export class Outbox {
  readonly #messages = new Fifo<OutgoingMessage>();
  readonly #options: AllOptions;
  readonly #conflate: boolean;
  #bytes = 0;

  /** @param conflate the last message takes the place of those before it, and there is always room for it: ZMQ_CONFLATE. */
  constructor(options: AllOptions, conflate: boolean) {
    this.#options = options;
    this.#conflate = conflate;
  }

  get length(): number {
    return this.#messages.length;
  }

  get isFull(): boolean {
    const { sendHighWaterMark: count, sendHighWaterMarkBytes: bytes } = this.#options;
    return !this.#conflate && isOver(this.#messages.length, count, this.#bytes, bytes);
  }

  /** As libzmq, a queue that was full takes messages again when it is half empty. */
  get isLow(): boolean {
    const { sendHighWaterMark: count, sendHighWaterMarkBytes: bytes } = this.#options;
    return (count === 0 || this.#messages.length <= count / 2) && (bytes === 0 || this.#bytes <= bytes / 2);
  }

  /**
   * The caller's small parts are copied, for they are the caller's again when `send` has returned.
   * @returns how many messages it took the place of.
   */
  push(message: OutgoingMessage, allocate: Allocate): number {
    message.wire(allocate);
    const replaced = this.#conflate && this.shift() !== undefined ? 1 : 0;
    this.#messages.push(message);
    this.#bytes += message.size;
    return replaced;
  }

  shift(): OutgoingMessage | undefined {
    const message = this.#messages.shift();
    if (message !== undefined) this.#bytes -= message.size;
    return message;
  }

  /** @returns how many messages were discarded. */
  clear(): number {
    const discarded = this.#messages.length;
    this.#messages.clear();
    this.#bytes = 0;
    return discarded;
  }
}

/**
 * Messages received from one peer and not yet taken by the application. The high-water mark is not the only bound: in one turn of
 * the event loop no more is taken in than READ_AHEAD, so that a flood from one peer leaves time for readers, timers and other
 * peers, and messages are handed on while they are young.
 */
export class Inbox {
  readonly #messages = new Fifo<Uint8Array[]>();
  readonly #options: AllOptions;
  readonly #conflate: boolean;
  #bytes = 0;
  /** How many messages there may be in this turn. */
  #allowed = READ_AHEAD;

  /** @param conflate as for an outbox. */
  constructor(options: AllOptions, conflate: boolean) {
    this.#options = options;
    this.#conflate = conflate;
  }

  get length(): number {
    return this.#messages.length;
  }

  /** Each part counts 64 more than its size. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The high-water mark is reached. */
  get isFull(): boolean {
    const { receiveHighWaterMark: count, receiveHighWaterMarkBytes: bytes } = this.#options;
    return !this.#conflate && isOver(this.#messages.length, count, this.#bytes, bytes);
  }

  /** No more is to be taken in during this turn. */
  get isEnough(): boolean {
    return this.#messages.length >= this.#allowed || this.isFull;
  }

  /** There is room enough again to make a new start worth it. */
  get isLow(): boolean {
    const { receiveHighWaterMark: count, receiveHighWaterMarkBytes: bytes } = this.#options;
    const most = count === 0 ? READ_AHEAD : Math.min(count, READ_AHEAD);
    return this.#messages.length <= most / 2 && (bytes === 0 || this.#bytes <= bytes / 2);
  }

  /** @returns how many messages it took the place of. */
  push(parts: Uint8Array[]): number {
    const replaced = this.#conflate && this.shift() !== undefined ? 1 : 0;
    this.#messages.push(parts);
    this.#bytes += sizeOf(parts);
    return replaced;
  }

  shift(): Uint8Array[] | undefined {
    const parts = this.#messages.shift();
    if (parts !== undefined) this.#bytes -= sizeOf(parts);
    if (this.#messages.length === 0) this.#allowed = READ_AHEAD;
    return parts;
  }

  /** A new turn has begun, or what there was has been taken. */
  allowMore(): void {
    this.#allowed = this.#messages.length + READ_AHEAD;
  }
}

function isOver(count: number, maxCount: number, bytes: number, maxBytes: number): boolean {
  return (maxCount !== 0 && count >= maxCount) || (maxBytes !== 0 && bytes >= maxBytes);
}

function sizeOf(parts: readonly Uint8Array[]): number {
  let size = parts.length * PART_OVERHEAD;
  for (let i = 0; i < parts.length; i += 1) size += (parts[i] as Uint8Array).length;
  return size;
}
