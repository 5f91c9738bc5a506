import type { Environment, Timer } from "./environment.ts";

/** The time in which an endpoint that was closed may still send. Keeps the process alive for so long. */
export class Linger {
  readonly #environment: Environment;
  readonly #onTimeout: () => void;
  #over = false;
  #timer: Timer | null = null;
  #settle: (() => void) | null = null;

  constructor(environment: Environment, onTimeout: () => void) {
    this.#environment = environment;
    this.#onTimeout = onTimeout;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** @param ms -1: without end; 0: `onTimeout` comes at the end of the turn. */
  start(ms: number): Promise<void> {
    if (this.#over) return Promise.resolve();
    if (ms === 0) this.#environment.endOfTurn(() => this.#expire());
    else if (ms > 0) this.#timer = this.#environment.setTimer(ms, () => this.#expire());
    const release = this.#environment.hold();
    return new Promise((resolve) => {
      this.#settle = () => {
        release();
        resolve();
      };
    });
  }

  end(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#settle?.();
    this.#settle = null;
  }

  #expire(): void {
    if (!this.#over) this.#onTimeout();
  }
}
