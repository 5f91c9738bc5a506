import type { Environment } from "../../runtime/environment.ts";
import type { AllOptions } from "../options/options.ts";
import type { Leftovers } from "./leftovers.ts";
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
  /** Where it counts when who sent it is gone. */
  #leftovers: Leftovers | null = null;
  /** What was counted there. */
  #left = { messages: 0, bytes: 0 };
  #isHeldUp = false;
  /** More will be taken in from the next turn on. */
  #resuming = false;
  readonly #resume = (): void => {
    this.#resuming = false;
    if (!this.#inbox.isFull) this.#goOn();
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
    if (this.#leftovers !== null) this.#count(this.#leftovers);
    if (this.#inbox.isEnough) this.#holdUp();
    return replaced;
  }

  shift(): Uint8Array[] | undefined {
    const parts = this.#inbox.shift();
    if (this.#leftovers !== null) this.#count(this.#leftovers);
    if (this.#isHeldUp && this.#inbox.isLow) this.#goOn();
    return parts;
  }

  /** Nothing more in this turn. */
  rest(): void {
    this.#holdUp();
  }

  /** Who sent it is gone. */
  leave(leftovers: Leftovers): void {
    if (this.#leftovers !== null) return;
    this.#leftovers = leftovers;
    this.#count(leftovers);
  }

  /** A high-water mark may have been changed. */
  optionsChanged(): void {
    if (this.#isHeldUp && !this.#resuming && !this.#inbox.isFull) this.#goOn();
  }

  #count(leftovers: Leftovers): void {
    const { length: messages, bytes } = this.#inbox;
    leftovers.change(messages - this.#left.messages, bytes - this.#left.bytes);
    this.#left = { messages, bytes };
  }

  #goOn(): void {
    this.#isHeldUp = false;
    this.#inbox.allowMore();
    this.#inflow.unblock();
  }

  #holdUp(): void {
    this.#isHeldUp = true;
    this.#inflow.block();
    if (this.#inbox.isFull || this.#resuming) return;
    this.#resuming = true;
    this.#environment.nextTurn(this.#resume);
  }
}
