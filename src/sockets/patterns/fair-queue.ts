import { Fifo } from "../../runtime/fifo.ts";
import type { Pipe } from "../pipes/pipe.ts";
import type { MessageQueue } from "./receiver.ts";

/** Takes one message from each peer in turn (RFC 30, "The PULL Socket Type"). Messages are never interleaved. */
export class FairQueue implements MessageQueue {
  /** The pipes that keep messages, the next one first. */
  readonly #active = new Fifo<Pipe>();

  orphaned(): number {
    let count = 0;
    for (const pipe of this.#active) if (pipe.isGone) count += pipe.kept;
    return count;
  }

  get isEmpty(): boolean {
    return this.#active.length === 0;
  }

  push(pipe: Pipe, parts: Uint8Array[]): void {
    if (pipe.kept === 0) this.#active.push(pipe);
    pipe.keep(parts);
  }

  shift(): Uint8Array[] | undefined {
    const pipe = this.#active.peek();
    if (pipe === undefined) return undefined;
    // Before the message is taken, which may make room for more that come in at once.
    if (pipe.kept === 1) this.#active.shift();
    else if (this.#active.length > 1) this.#active.push(this.#active.shift() as Pipe);
    return pipe.take();
  }
}
