import type { Figures } from "./board.ts";

/** Columns of a terminal that does not say. */
const DEFAULT_WIDTH = 80;

/** Where the demo shows what happens. */
export interface Display {
  /** ms between two figures. */
  readonly interval: number;
  /** A line that stays. */
  note(text: string): void;
  figures(figures: Figures): void;
  /** No figures from here on. */
  end(): void;
}

export function displayFor(stream: NodeJS.WriteStream): Display {
  return stream.isTTY ? new TerminalDisplay(stream) : new PlainDisplay(stream);
}

/** One line for each set of figures. */
class PlainDisplay implements Display {
  readonly interval = 1000;
  readonly #stream: NodeJS.WritableStream;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  note(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  figures(figures: Figures): void {
    const controllers = figures.controllers.map((one, index) => `${index + 1}: ${one.received}/${one.syncs}`);
    this.note(`${head(figures).join("; ")}; received/syncs of controllers ${controllers.join(" ")}`);
  }

  end(): void {}
}

/** A block of figures at the end of the screen, drawn anew each time; notes go above it. */
class TerminalDisplay implements Display {
  readonly interval = 500;
  readonly #stream: NodeJS.WriteStream;
  #block: string[] = [];

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  note(text: string): void {
    this.#draw([text], this.#block);
  }

  figures(figures: Figures): void {
    const controllers = figures.controllers.map(
      ({ topics, received, syncs }, index) =>
        `  controller ${index + 1}  ${String(received).padStart(10)} received  ${syncs} syncs  ${topics.join(" ")}`,
    );
    this.#draw([], [...head(figures), ...controllers]);
  }

  end(): void {
    this.#block = [];
  }

  #draw(above: readonly string[], block: readonly string[]): void {
    // A line that wraps would take two lines on the screen, and the next drawing would start too low.
    const width = (this.#stream.columns || DEFAULT_WIDTH) - 1; // some terminals say 0
    const cut = block.map((line) => line.slice(0, width));
    const back = this.#block.length === 0 ? "" : `\u001b[${this.#block.length}A\r\u001b[J`;
    this.#stream.write(`${back}${[...above, ...cut].map((line) => `${line}\n`).join("")}`);
    this.#block = cut;
  }
}

/** Of all processes together, in two parts. */
function head({ elapsed, sentRate, receivedRate, p50, p99, refused, kills }: Figures): string[] {
  const seconds = `${elapsed.toFixed(1).padStart(5)} s`;
  return [
    `${seconds}  ${Math.round(sentRate)} events/s sent, ${Math.round(receivedRate)}/s received`,
    `latency p50 ${latency(p50)}, p99 ${latency(p99)}; ${refused} refused, ${kills} kills`,
  ];
}

/** @param milliseconds null: none known. */
export function latency(milliseconds: number | null): string {
  if (milliseconds === null) return "-";
  return `${milliseconds < 10 ? milliseconds.toFixed(2) : Math.round(milliseconds)} ms`;
}
