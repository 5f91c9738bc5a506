import type { OutgoingMessage } from "../../zmtp/index.ts";
import type { Pipe } from "../pipes/pipe.ts";

/** Deals messages out to the peers in turn, passing over those that have no room (RFC 30, "The PUSH Socket Type"). */
export class RoundRobin {
  readonly #pipes: Pipe[] = [];
  #next = 0;

  add(pipe: Pipe): void {
    this.#pipes.push(pipe);
  }

  remove(pipe: Pipe): void {
    const at = this.#pipes.indexOf(pipe);
    if (at < 0) return;
    this.#pipes.splice(at, 1);
    if (at < this.#next) this.#next -= 1;
  }

  hasRoom(): boolean {
    return this.#pipes.some((pipe) => pipe.hasRoom());
  }

  /** @returns false when no peer has room. */
  offer(message: OutgoingMessage): boolean {
    for (let tried = 0; tried < this.#pipes.length; tried += 1) {
      if (this.#next >= this.#pipes.length) this.#next = 0;
      const pipe = this.#pipes[this.#next] as Pipe;
      this.#next += 1;
      if (pipe.offer(message)) return true;
    }
    return false;
  }
}
