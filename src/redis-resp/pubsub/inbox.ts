import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { Fifo } from "../../runtime/fifo.ts";
import { Pace } from "../../runtime/pace.ts";
import { WaitingLine } from "../../runtime/waiting-line.ts";
import { closedError } from "../client/call.ts";
import type { ChannelKind } from "./channel.ts";

/** A message of a subscription without a listener. Its bytes are views into received memory: copy what is kept for long. */
export interface ReceivedMessage {
  /** Of the subscription by which it came. */
  readonly kind: ChannelKind;
  /** Null but for kind `pattern`. */
  readonly pattern: Buffer | null;
  readonly channel: Buffer;
  readonly payload: Buffer;
}

export interface InboxOptions {
  /** Messages that may wait to be read. Default 100 000. */
  maxInboxMessages?: number;
  /** The same in bytes, payload and channel of each counted with 64 more. Default 64 MiB. A message larger than that waits alone. */
  maxInboxBytes?: number;
  /** Which messages are lost when too many wait: those that come, or those that have waited longest. Default `drop-newest`. */
  overflow?: "drop-newest" | "drop-oldest";
}

export interface ReceiveBatchOptions {
  /** Messages at most. Default 1000. */
  max?: number;
  signal?: AbortSignal;
}

/** Who hears what the inbox had to drop. */
export type OnDrop = (message: ReceivedMessage) => void;

/** Calls that may wait for a message; the next rejects with EBUSY. */
const MOST_READERS = 1000;
/** What a message costs besides its bytes. */
const OVERHEAD = 64;

/** Where in the order of messages a call was served that waited for the first of several. */
interface Place {
  number: number;
}

/** Messages that wait for a reader, or readers that wait for a message. Bounded. */
export class Inbox {
  readonly #options: Required<InboxOptions>;
  readonly #onDrop: OnDrop;
  /** The inbox was full and is half empty now. */
  readonly #onRoom: () => void;
  readonly #queue = new Fifo<ReceivedMessage>();
  readonly #readers: WaitingLine<Place | null, ReceivedMessage>;
  readonly #pace: Pace;
  #bytes = 0;
  #isOverflowing = false;
  #isClosed = false;
  #handedOut = 0;

  constructor(environment: Environment, options: Required<InboxOptions>, onDrop: OnDrop, onRoom: () => void) {
    this.#options = options;
    this.#onDrop = onDrop;
    this.#onRoom = onRoom;
    this.#readers = new WaitingLine(environment);
    this.#pace = new Pace(environment);
  }

  get length(): number {
    return this.#queue.length;
  }

  push(message: ReceivedMessage): void {
    if (this.#readers.length > 0) this.#handOut(message);
    else if (this.#hasRoomFor(message)) this.#add(message);
    else this.#overflow(message);
  }

  receive(signal?: AbortSignal): Promise<ReceivedMessage> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const message = this.#shift();
    if (message === undefined) return this.#wait(null, signal);
    return this.#pace.isDue() ? this.#pace.turn().then(() => message) : Promise.resolve(message);
  }

  /** @throws {ZmqError} EINVAL for a `max` below 1. */
  receiveBatch({ max = 1000, signal }: ReceiveBatchOptions): Promise<ReceivedMessage[]> {
    if (!Number.isSafeInteger(max) || max < 1)
      throw new ZmqError("EINVAL", `Invalid argument: max = ${String(max)}`);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const batch: ReceivedMessage[] = [];
    this.#collect(batch, max);
    if (batch.length > 0)
      return this.#pace.isDue() ? this.#pace.turn().then(() => batch) : Promise.resolve(batch);
    const place = { number: 0 };
    return this.#wait(place, signal).then((first) => {
      batch.push(first);
      // What comes next is another call's, when that was served meanwhile.
      if (place.number === this.#handedOut) this.#collect(batch, max);
      return batch;
    });
  }

  /** Written out by hand: an async generator costs twice as much for each message. */
  iterate(): AsyncIterator<ReceivedMessage, undefined> {
    return {
      next: () => {
        if (this.#isClosed) return Promise.resolve({ done: true, value: undefined });
        const message = this.#shift();
        if (message !== undefined && !this.#pace.isDue()) return Promise.resolve(toResult(message));
        const next = message === undefined ? this.#wait(null) : this.#pace.turn().then(() => message);
        return next.then(toResult, (error) => {
          if (this.#isClosed) return { done: true, value: undefined };
          throw error;
        });
      },
    };
  }

  /** What waits is thrown away; readers that wait are rejected with EBADF, loops end. */
  close(): void {
    this.#isClosed = true;
    this.#queue.clear();
    this.#bytes = 0;
    this.#readers.close(closedError());
  }

  #handOut(message: ReceivedMessage): void {
    const place = this.#readers.peek();
    this.#readers.settle(message);
    this.#pace.wake();
    this.#handedOut += 1;
    if (place) place.number = this.#handedOut;
  }

  #hasRoomFor(message: ReceivedMessage): boolean {
    const { maxInboxMessages, maxInboxBytes } = this.#options;
    if (this.#queue.length === 0) return true;
    return this.#queue.length < maxInboxMessages && this.#bytes + costOf(message) <= maxInboxBytes;
  }

  #add(message: ReceivedMessage): void {
    this.#queue.push(message);
    this.#bytes += costOf(message);
  }

  #overflow(message: ReceivedMessage): void {
    this.#isOverflowing = true;
    if (this.#options.overflow === "drop-newest") {
      this.#onDrop(message);
      return;
    }
    while (!this.#hasRoomFor(message)) {
      const oldest = this.#queue.shift() as ReceivedMessage;
      this.#bytes -= costOf(oldest);
      this.#onDrop(oldest);
    }
    this.#add(message);
  }

  #collect(batch: ReceivedMessage[], max: number): void {
    while (batch.length < max) {
      const message = this.#shift();
      if (message === undefined) return;
      batch.push(message);
    }
  }

  #shift(): ReceivedMessage | undefined {
    const message = this.#queue.shift();
    if (message === undefined) return undefined;
    this.#handedOut += 1;
    this.#bytes -= costOf(message);
    if (this.#isOverflowing && this.#isHalfEmpty()) {
      this.#isOverflowing = false;
      this.#onRoom();
    }
    return message;
  }

  #isHalfEmpty(): boolean {
    const { maxInboxMessages, maxInboxBytes } = this.#options;
    return this.#queue.length <= maxInboxMessages / 2 && this.#bytes <= maxInboxBytes / 2;
  }

  #wait(place: Place | null, signal?: AbortSignal): Promise<ReceivedMessage> {
    if (this.#isClosed) return Promise.reject(closedError());
    this.#pace.rest();
    return this.#readers.wait(place, -1, MOST_READERS, signal);
  }
}

function costOf({ channel, payload }: ReceivedMessage): number {
  return payload.length + channel.length + OVERHEAD;
}

function toResult(value: ReceivedMessage): IteratorResult<ReceivedMessage, undefined> {
  return { done: false, value };
}
