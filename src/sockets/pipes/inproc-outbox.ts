import { Fifo } from "../../runtime/fifo.ts";
import { OutgoingMessage } from "../../zmtp/index.ts";
import type { AllOptions } from "../options/options.ts";
import type { InprocPeer } from "./inproc-peer.ts";

/** A SUBSCRIBE or CANCEL. */
export interface InprocSubscription {
  readonly subscribe: boolean;
  readonly topic: Uint8Array;
}

/** Asks to be told when everything before it was delivered. */
interface InprocConfirmation {
  resolve(how: "answered"): void;
  reject(error: Error): void;
}

type InprocItem = OutgoingMessage | InprocSubscription | InprocConfirmation;

/** What is on its way to a peer in the same process, in order. Only messages count. */
export class InprocOutbox {
  readonly #items = new Fifo<InprocItem>();
  readonly #options: AllOptions;
  #messages = 0;
  #bytes = 0;

  constructor(options: AllOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  get messages(): number {
    return this.#messages;
  }

  /**
   * How full the way to the peer is: 1 at the high-water mark, in messages or in bytes. What the peer keeps counts too; the marks
   * of both ends are added, and 0 at either end means none, as in libzmq (pipe_t::set_hwms). Without a peer there is only our own.
   */
  fill(peer: InprocPeer | null): number {
    const { sendHighWaterMark: count, sendHighWaterMarkBytes: bytes } = this.#options;
    if (peer === null) return Math.max(ratio(this.#messages, count), ratio(this.#bytes, bytes));
    return Math.max(
      ratio(this.#messages + peer.kept, sum(count, peer.receiveHighWaterMark)),
      ratio(this.#bytes + peer.keptBytes, sum(bytes, peer.receiveHighWaterMarkBytes)),
    );
  }

  /** ZMQ_CONFLATE: a newer message takes the place of those before it. @returns how many there were. */
  replace(): number {
    const replaced = this.#messages;
    if (replaced === 0) return 0;
    for (let left = this.#items.length; left > 0; left -= 1) {
      const item = this.shift() as InprocItem;
      if (!(item instanceof OutgoingMessage)) this.#items.push(item);
    }
    return replaced;
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

function ratio(amount: number, mark: number): number {
  return mark === 0 ? 0 : amount / mark;
}

function sum(ours: number, theirs: number): number {
  return ours === 0 || theirs === 0 ? 0 : ours + theirs;
}
