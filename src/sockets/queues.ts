import type { Allocate, OutgoingMessage } from "../zmtp/index.ts";
import { Fifo } from "./fifo.ts";
import type { AllOptions } from "./options.ts";

/** Every part of a message counts this much more than its bytes: a queue of empty parts is no free memory. */
const PART_OVERHEAD = 64;

/** Messages on their way to one peer, bounded in number and bytes. */
export class Outbox {
  readonly #messages = new Fifo<OutgoingMessage>();
  readonly #options: AllOptions;
  #bytes = 0;

  constructor(options: AllOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#messages.length;
  }

  get isFull(): boolean {
    return isOver(
      this.#messages.length,
      this.#options.sendHighWaterMark,
      this.#bytes,
      this.#options.sendHighWaterMarkBytes,
    );
  }

  /** As libzmq, a queue that was full takes messages again when it is half empty. */
  get isLow(): boolean {
    const { sendHighWaterMark: count, sendHighWaterMarkBytes: bytes } = this.#options;
    return (count === 0 || this.#messages.length <= count / 2) && (bytes === 0 || this.#bytes <= bytes / 2);
  }

  /** The caller's small parts are copied, for they are the caller's again when `send` has returned. */
  push(message: OutgoingMessage, allocate: Allocate): void {
    message.wire(allocate);
    this.#messages.push(message);
    this.#bytes += message.size;
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

/** Messages received from one peer and not yet taken by the application. */
export class Inbox {
  readonly #messages = new Fifo<Uint8Array[]>();
  readonly #options: AllOptions;
  #bytes = 0;

  constructor(options: AllOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#messages.length;
  }

  get isFull(): boolean {
    return isOver(
      this.#messages.length,
      this.#options.receiveHighWaterMark,
      this.#bytes,
      this.#options.receiveHighWaterMarkBytes,
    );
  }

  get isLow(): boolean {
    const { receiveHighWaterMark: count, receiveHighWaterMarkBytes: bytes } = this.#options;
    return (count === 0 || this.#messages.length <= count / 2) && (bytes === 0 || this.#bytes <= bytes / 2);
  }

  push(parts: Uint8Array[]): void {
    this.#messages.push(parts);
    this.#bytes += sizeOf(parts);
  }

  shift(): Uint8Array[] | undefined {
    const parts = this.#messages.shift();
    if (parts !== undefined) this.#bytes -= sizeOf(parts);
    return parts;
  }

  clear(): void {
    this.#messages.clear();
    this.#bytes = 0;
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
