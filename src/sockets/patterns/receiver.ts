import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { Pace } from "../../runtime/pace.ts";
import { WaitingLine } from "../../runtime/waiting-line.ts";
import type { Message } from "../message.ts";
import type { AllOptions } from "../options/options.ts";
import type { Pipe } from "../pipes/pipe.ts";
import { FairQueue } from "./fair-queue.ts";

/** Where messages wait for a reader. */
export interface MessageQueue {
  push(pipe: Pipe, parts: Uint8Array[]): void;
  shift(): Uint8Array[] | undefined;
  /** How many messages of peers that are gone wait. */
  orphaned(): number;
  readonly isEmpty: boolean;
}

export interface ReceiveBatchOptions {
  /** Messages at most. Default 1000. */
  max?: number;
  signal?: AbortSignal;
}

/** Where in the order of messages a call was served that waited for the first of several. */
interface Place {
  number: number;
}

/** The receiving half of a socket: messages that wait for a reader, or readers that wait for a message. */
export class Receiver {
  readonly #options: AllOptions;
  readonly #queue: MessageQueue;
  readonly #readers: WaitingLine<Place | null, Message>;
  readonly #pace: Pace;
  #closed = false;
  /** Messages handed to the application. */
  #handedOut = 0;

  constructor(environment: Environment, options: AllOptions, queue: MessageQueue = new FairQueue()) {
    this.#options = options;
    this.#queue = queue;
    this.#readers = new WaitingLine(environment);
    this.#pace = new Pace(environment);
  }

  /** A message came in. */
  message(pipe: Pipe, parts: Uint8Array[]): void {
    if (this.handOut(parts)) pipe.countReceived();
    else this.#queue.push(pipe, parts);
  }

  /** Gives a message to the reader who has waited longest. @returns false when none waits. */
  handOut(parts: Uint8Array[]): boolean {
    if (this.#readers.length === 0) return false;
    const place = this.#readers.peek();
    this.#readers.settle(parts as Message);
    this.#pace.wake();
    this.#handedOut += 1;
    if (place) place.number = this.#handedOut;
    return true;
  }

  receive(signal?: AbortSignal): Promise<Message> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const parts = this.#shift();
    if (parts === undefined) return this.#wait(signal);
    if (!this.#pace.isDue()) return Promise.resolve(parts as Message);
    return this.#pace.turn().then(() => parts as Message);
  }

  receiveBatch({ max = 1000, signal }: ReceiveBatchOptions): Promise<Message[]> {
    if (!Number.isSafeInteger(max) || max < 1)
      throw new ZmqError("EINVAL", `Invalid argument: max = ${String(max)}`);
    return this.#batch(max, signal);
  }

  get hasMessage(): boolean {
    return !this.#queue.isEmpty;
  }

  /** Messages of peers that are gone, not taken yet. */
  orphaned(): number {
    return this.#queue.orphaned();
  }

  /** Written out by hand: an async generator costs twice as much for each message. */
  iterate(): AsyncIterator<Message, undefined> {
    return {
      next: () => {
        if (this.#closed) return Promise.resolve({ done: true, value: undefined });
        const parts = this.#shift();
        if (parts !== undefined && !this.#pace.isDue())
          return Promise.resolve({ done: false, value: parts as Message });
        const next = parts === undefined ? this.#wait() : this.#pace.turn().then(() => parts as Message);
        return next.then(toResult, (error) => {
          if (this.#closed) return { done: true, value: undefined };
          throw error;
        });
      },
    };
  }

  close(): void {
    this.#closed = true;
    this.#readers.close();
  }

  #batch(max: number, signal?: AbortSignal): Promise<Message[]> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const batch: Message[] = [];
    this.#collect(batch, max);
    if (batch.length > 0)
      return this.#pace.isDue() ? this.#pace.turn().then(() => batch) : Promise.resolve(batch);
    const place = { number: 0 };
    return this.#wait(signal, place).then((first) => {
      batch.push(first);
      // What comes next is another call's, when that was served meanwhile.
      if (place.number === this.#handedOut) this.#collect(batch, max);
      return batch;
    });
  }

  #collect(batch: Message[], max: number): void {
    while (batch.length < max) {
      const parts = this.#shift();
      if (parts === undefined) return;
      batch.push(parts as Message);
    }
  }

  #shift(): Uint8Array[] | undefined {
    const parts = this.#queue.shift();
    if (parts !== undefined) this.#handedOut += 1;
    return parts;
  }

  #wait(signal?: AbortSignal, place: Place | null = null): Promise<Message> {
    this.#pace.rest();
    return this.#readers.wait(
      place,
      this.#options.receiveTimeout,
      this.#options.receiveHighWaterMark,
      signal,
    );
  }
}

function toResult(value: Message): IteratorResult<Message, undefined> {
  return { done: false, value };
}
