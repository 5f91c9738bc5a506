import type { Environment, Timer } from "../../runtime/environment.ts";

/** The time in which an endpoint that was closed may still send. Keeps the process alive for so long, as a rule. */
export class Linger {
  readonly #environment: Environment;
  readonly #onTimeout: () => void;
  #over = false;
  #timer: Timer | null = null;
  #settle: (() => void) | null = null;
  #ended: Promise<void> | null = null;

  constructor(environment: Environment, onTimeout: () => void) {
    this.#environment = environment;
    this.#onTimeout = onTimeout;
  }

  get isOver(): boolean {
    return this.#over;
  }

  get hasStarted(): boolean {
    return this.#ended !== null;
  }

  /**
   * @param ms -1: without end; 0: `onTimeout` comes at the end of the turn. Called again, the time starts anew.
   * @param keepsAlive whether the process waits too.
   * @returns the same promise always; it resolves at `end`.
   */
  start(ms: number, keepsAlive = true): Promise<void> {
    if (!this.#over) this.#setTimer(ms);
    this.#ended ??= this.#over ? Promise.resolve() : this.#untilEnd(keepsAlive);
    return this.#ended;
  }

  end(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#settle?.();
    this.#settle = null;
  }

  #setTimer(ms: number): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (ms === 0) this.#environment.endOfTurn(() => this.#expire());
    else if (ms > 0) this.#timer = this.#environment.setTimer(ms, () => this.#expire());
  }

  #untilEnd(keepsAlive: boolean): Promise<void> {
    const release = keepsAlive ? this.#environment.hold() : () => {};
    return new Promise((resolve) => {
      this.#settle = () => {
        release();
        resolve();
      };
    });
  }

  #expire(): void {
    if (!this.#over) this.#onTimeout();
  }
}
