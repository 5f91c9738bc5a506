import { Fifo } from "../fifo.ts";
import type { Pipe } from "../pipes/pipe.ts";
import type { MessageQueue } from "./receiver.ts";

/** Takes one message from each peer in turn (RFC 30, "The PULL Socket Type"). Messages are never interleaved. */
export class FairQueue implements MessageQueue {
  /** Pipes that keep messages, the next one first. */
  readonly #active = new Fifo<Pipe>();
  readonly #isActive = new Set<Pipe>();

  orphaned(): number {
    let count = 0;
    for (const pipe of this.#isActive) if (pipe.isGone) count += pipe.kept;
    return count;
  }

  get isEmpty(): boolean {
    for (const pipe of this.#isActive) if (pipe.kept > 0) return false;
    return true;
  }

  push(pipe: Pipe, parts: Uint8Array[]): void {
    pipe.keep(parts);
    if (this.#isActive.has(pipe)) return;
    this.#isActive.add(pipe);
    this.#active.push(pipe);
  }

  shift(): Uint8Array[] | undefined {
    for (let pipe = this.#active.shift(); pipe !== undefined; pipe = this.#active.shift()) {
      const parts = pipe.take();
      if (parts !== undefined) {
        this.#active.push(pipe);
        return parts;
      }
      this.#isActive.delete(pipe);
    }
    return undefined;
  }
}
