import { Fifo } from "../../runtime/fifo.ts";

/** So many commands had been sent by then, in all. */
interface Mark {
  readonly at: number;
  readonly count: number;
}

/** Which commands have waited too long: a note for each batch that was sent, not one for each command. */
export class LateCommands {
  readonly #timeout: number;
  readonly #marks = new Fifo<Mark>();
  /** Up to where they were told to be late. */
  #told = 0;

  /** @param timeout ms; 0: nothing is ever late. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** @param count commands sent since the beginning. */
  sent(now: number, count: number): void {
    if (this.#timeout > 0) this.#marks.push({ at: now, count });
  }

  /** When the next will be late, if it is not answered before. @param answered commands, since the beginning. */
  nextAt(answered: number): number {
    for (
      let mark = this.#marks.peek();
      mark !== undefined && mark.count <= answered;
      mark = this.#marks.peek()
    ) {
      this.#marks.shift();
    }
    const first = this.#marks.peek();
    return first === undefined ? Number.POSITIVE_INFINITY : first.at + this.#timeout;
  }

  /** Those that are late now, each once: the commands from the one numbered `from` to before `to`. */
  take(now: number, answered: number): { from: number; to: number } {
    const from = Math.max(this.#told, answered);
    let to = from;
    for (
      let mark = this.#marks.peek();
      mark !== undefined && mark.at + this.#timeout <= now;
      mark = this.#marks.peek()
    ) {
      to = Math.max(to, mark.count);
      this.#marks.shift();
    }
    this.#told = to;
    return { from, to };
  }
}
