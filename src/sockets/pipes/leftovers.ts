import type { Environment } from "../../runtime/environment.ts";
import type { AllOptions } from "../options/options.ts";

/** A connection that was accepted, and of which nothing has been read. */
export interface Newcomer {
  /** It may be read from now on. */
  admit(): void;
}

/**
 * Messages that the application has not taken, of peers that dialled us and are gone. Each had an inbox of its own, so nothing else
 * bounds how much a row of peers leaves behind that come, send and go. While it is as much as one peer may have waiting,
 * connections that come in are not read: TCP holds them up, as it does a peer whose inbox is full.
 */
export class Leftovers {
  readonly #environment: Environment;
  readonly #options: AllOptions;
  /** In the order in which they came. */
  readonly #newcomers = new Set<Newcomer>();
  #messages = 0;
  #bytes = 0;
  #isAdmitting = false;

  constructor(environment: Environment, options: AllOptions) {
    this.#environment = environment;
    this.#options = options;
  }

  /** Whether who comes in now has to wait. */
  get mustWait(): boolean {
    return this.#isFull || this.#newcomers.size > 0;
  }

  change(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
    this.#goOn();
  }

  hold(newcomer: Newcomer): void {
    this.#newcomers.add(newcomer);
  }

  forget(newcomer: Newcomer): void {
    this.#newcomers.delete(newcomer);
  }

  /** A high-water mark may have been changed. */
  optionsChanged(): void {
    this.#goOn();
  }

  /** One in a turn of the event loop: by the next turn it may have left more than there was room for. */
  #goOn(): void {
    if (this.#newcomers.size === 0 || this.#isAdmitting || this.#isFull) return;
    this.#isAdmitting = true;
    this.#environment.nextTurn(() => {
      this.#isAdmitting = false;
      this.#admit();
      this.#goOn();
    });
  }

  get #isFull(): boolean {
    const { receiveHighWaterMark: count, receiveHighWaterMarkBytes: bytes } = this.#options;
    return (count !== 0 && this.#messages >= count) || (bytes !== 0 && this.#bytes >= bytes);
  }

  #admit(): void {
    if (this.#isFull) return;
    const [first] = this.#newcomers;
    if (first === undefined) return;
    this.#newcomers.delete(first);
    first.admit();
  }
}
