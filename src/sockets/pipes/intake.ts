import type { Environment } from "../context/environment.ts";
import type { AllOptions } from "../options/options.ts";
import { Inbox } from "./queues.ts";

/** Where messages come from, as far as it can be held up. */
export interface Inflow {
  block(): void;
  unblock(): void;
}

/**
 * What was received and not yet taken by the application. Holds up the inflow until it has been taken, or, as long as the
 * high-water mark is not reached, until the next turn.
 */
export class Intake {
  readonly #inbox: Inbox;
  readonly #environment: Environment;
  readonly #inflow: Inflow;
  /** More will be taken in from the next turn on. */
  #resuming = false;
  readonly #resume = (): void => {
    this.#resuming = false;
    this.#inbox.allowMore();
    if (!this.#inbox.isFull) this.#inflow.unblock();
  };

  /** @param conflate as for an inbox. */
  constructor(environment: Environment, options: AllOptions, conflate: boolean, inflow: Inflow) {
    this.#environment = environment;
    this.#inbox = new Inbox(options, conflate);
    this.#inflow = inflow;
  }

  get length(): number {
    return this.#inbox.length;
  }

  /** @returns how many messages it took the place of. */
  push(parts: Uint8Array[]): number {
    const replaced = this.#inbox.push(parts);
    if (this.#inbox.isEnough) this.#holdUp();
    return replaced;
  }

  shift(): Uint8Array[] | undefined {
    const parts = this.#inbox.shift();
    if (this.#inbox.isLow) this.#goOn();
    return parts;
  }

  /** A high-water mark may have been changed. */
  optionsChanged(): void {
    if (!this.#resuming && !this.#inbox.isFull) this.#goOn();
  }

  #goOn(): void {
    this.#inbox.allowMore();
    this.#inflow.unblock();
  }

  #holdUp(): void {
    this.#inflow.block();
    if (this.#inbox.isFull || this.#resuming) return;
    this.#resuming = true;
    this.#environment.nextTurn(this.#resume);
  }
}
