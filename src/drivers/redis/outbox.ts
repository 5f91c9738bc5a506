import type { ZmqError } from "../../errors.ts";
import { Fifo } from "../../runtime/fifo.ts";
import type { EventFrames } from "../driver/api.ts";

/** An event that was not answered for by a server yet. */
export class Outgoing {
  /** Null: only the connection is wanted. */
  readonly event: EventFrames | null;
  /** How often it may still fail. */
  tries: number;
  readonly done: (error: ZmqError | null) => void;

  constructor(event: EventFrames | null, tries: number, done: (error: ZmqError | null) => void) {
    this.event = event;
    this.tries = tries;
    this.done = done;
  }

  get bytes(): number {
    return this.event === null ? 0 : this.event[0].length + this.event[1].length;
  }
}

/**
 * What was sent and is not answered for, and what waits to be sent, in order. When a connection ends all of it is to be sent again,
 * from the first on, before anything new: some of it twice then, but never an older event of a row behind a newer one.
 */
export class Outbox {
  readonly #queue = new Fifo<Outgoing>();
  #bytes = 0;

  get length(): number {
    return this.#queue.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(outgoing: Outgoing): void {
    this.#queue.push(outgoing);
    this.#bytes += outgoing.bytes;
  }

  /** In the order in which they are to be sent. */
  [Symbol.iterator](): IterableIterator<Outgoing> {
    return this.#queue[Symbol.iterator]();
  }

  /** The server has taken this one, or will never take it. Answers come in order: it is the first, or nearly. */
  settle(outgoing: Outgoing, error: ZmqError | null): void {
    if (this.#queue.peek() === outgoing) this.#queue.shift();
    else if (!this.#queue.remove(outgoing)) return;
    this.#bytes -= outgoing.bytes;
    outgoing.done(error);
  }

  /** An attempt has failed, for all of them. Those that may not fail again are given up. */
  failed(error: ZmqError): void {
    const givenUp: Outgoing[] = [];
    for (const outgoing of this.#take()) {
      outgoing.tries -= 1;
      if (outgoing.tries > 0) this.push(outgoing);
      else givenUp.push(outgoing);
    }
    for (const outgoing of givenUp) outgoing.done(error);
  }

  rejectAll(error: ZmqError): void {
    for (const outgoing of this.#take()) outgoing.done(error);
  }

  #take(): Outgoing[] {
    const all = [...this.#queue];
    this.#queue.clear();
    this.#bytes = 0;
    return all;
  }
}
