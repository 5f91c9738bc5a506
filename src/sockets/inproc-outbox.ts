import { OutgoingMessage } from "../zmtp/index.ts";
import { Fifo } from "./fifo.ts";

/** A SUBSCRIBE or CANCEL. */
export interface InprocSubscription {
  readonly subscribe: boolean;
  readonly topic: Uint8Array;
}

/** Asks to be told when everything before it was delivered. */
export interface InprocConfirmation {
  resolve(how: "answered"): void;
  reject(error: Error): void;
}

export type InprocItem = OutgoingMessage | InprocSubscription | InprocConfirmation;

/** What is on its way to a peer in the same process, in order. Only messages count. */
export class InprocOutbox {
  readonly #items = new Fifo<InprocItem>();
  #messages = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  get messages(): number {
    return this.#messages;
  }

  /** Each part of a message counts 64 more than its size. */
  get bytes(): number {
    return this.#bytes;
  }

  send(message: OutgoingMessage): void {
    this.#messages += 1;
    this.#bytes += message.size;
    this.#items.push(message);
  }

  push(item: InprocSubscription | InprocConfirmation): void {
    this.#items.push(item);
  }

  shift(): InprocItem | undefined {
    const item = this.#items.shift();
    if (item instanceof OutgoingMessage) {
      this.#messages -= 1;
      this.#bytes -= item.size;
    }
    return item;
  }

  /** Discards everything; confirmations are rejected. @returns how many messages there were. */
  clear(error: () => Error): number {
    const discarded = this.#messages;
    for (let item = this.shift(); item !== undefined; item = this.shift())
      if ("reject" in item) item.reject(error());
    return discarded;
  }
}
