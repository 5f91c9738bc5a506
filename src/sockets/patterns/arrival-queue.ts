import { Fifo } from "../../runtime/fifo.ts";
import type { Pipe } from "../pipes/pipe.ts";
import type { MessageQueue } from "./receiver.ts";

/** One connection of a peer: a pipe that is dialled may have several, one after the other. */
interface Peer {
  readonly pipe: Pipe;
}

type Arrival = { readonly from: Peer } | { readonly parts: Uint8Array[] };

/**
 * Messages in the order in which they came, whoever sent them: that a topic is wanted by one peer and given up by another must
 * not change places. They are kept by the pipes, whose high-water marks hold the peers up.
 */
export class ArrivalQueue implements MessageQueue {
  readonly #arrivals = new Fifo<Arrival>();
  readonly #peers = new Map<Pipe, Peer>();
  #last: Peer | null = null;

  /** The peer whose message was handed out last, if it is still connected as it was then. */
  get last(): Pipe | null {
    return this.#last?.pipe ?? null;
  }

  join(pipe: Pipe): void {
    this.#peers.set(pipe, { pipe });
  }

  leave(pipe: Pipe): void {
    this.#peers.delete(pipe);
    if (this.last === pipe) this.#last = null;
  }

  push(pipe: Pipe, parts: Uint8Array[]): void {
    pipe.keep(parts);
    this.#arrivals.push({ from: this.#peers.get(pipe) ?? { pipe } });
  }

  /** Adds a message that comes from no peer. */
  add(parts: Uint8Array[]): void {
    this.#arrivals.push({ parts });
  }

  shift(): Uint8Array[] | undefined {
    const arrival = this.#arrivals.shift();
    if (arrival === undefined) return undefined;
    if ("parts" in arrival) {
      this.#last = null;
      return arrival.parts;
    }
    const { from } = arrival;
    this.#last = this.#peers.get(from.pipe) === from ? from : null;
    return from.pipe.take();
  }

  /** A message was handed out that was never in the queue. @param from null: it comes from no peer. */
  passed(from: Pipe | null): void {
    this.#last = (from && this.#peers.get(from)) ?? null;
  }

  /** Forgets who was last. */
  forgetLast(): void {
    this.#last = null;
  }

  get isEmpty(): boolean {
    return this.#arrivals.length === 0;
  }

  orphaned(): number {
    let count = 0;
    for (const arrival of this.#arrivals) if ("parts" in arrival || arrival.from.pipe.isGone) count += 1;
    return count;
  }
}
