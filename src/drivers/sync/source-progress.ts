import { Line } from "./sequence-tracker.ts";

/** How far a stream is with one of its sources. */
export class Progress {
  /** Messages that were handed over, or found not to be wanted. */
  delivered = 0;
  #isRemoved = false;
  readonly #line = new Line();
  /** So many messages had come in when the connection broke, for each time: in ascending order. */
  readonly #breaks: number[] = [];

  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  remove(): void {
    this.#isRemoved = true;
    this.#line.broken();
  }

  /** @param received messages that have come in so far. */
  broken(received: number): void {
    if (this.#breaks.at(-1) !== received) this.#breaks.push(received);
  }

  /** As it was when the message came in whose turn it is. */
  get line(): Line {
    while (this.#breaks.length > 0 && this.#breaks[0]! <= this.delivered) {
      this.#breaks.shift();
      this.#line.broken();
    }
    return this.#line;
  }
}
