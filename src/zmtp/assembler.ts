import { ProtocolError } from "../errors.ts";
import type { Event } from "./event.ts";
import { type Frame, MORE } from "./frame.ts";
import { parseSubscription } from "./subscription.ts";

/** Makes messages of message frames: whole or not at all (RFC 37, "Messages"). */
export class MessageAssembler {
  readonly #findsSubscriptions: boolean;
  readonly #onlyFirstSubscribe: boolean;
  readonly #maxParts: number;
  /** The first part of a message that is not complete yet, and those behind it. */
  #first: Uint8Array | null = null;
  #rest: Uint8Array[] = [];
  /** Events of a message that gave more than one, from `#next` on. */
  #events: Event[] = [];
  #next = 0;

  /**
   * @param options.findsSubscriptions whether subscriptions come as messages, which is so for PUB and XPUB.
   * @param options.onlyFirstSubscribe a message that does not begin with one has none (ZMQ_ONLY_FIRST_SUBSCRIBE).
   * @param options.maxParts of one message; Infinity: any number.
   */
  constructor(options: { findsSubscriptions: boolean; onlyFirstSubscribe: boolean; maxParts: number }) {
    this.#maxParts = options.maxParts;
    this.#findsSubscriptions = options.findsSubscriptions;
    this.#onlyFirstSubscribe = options.onlyFirstSubscribe;
  }

  /** A message has begun and is not complete. */
  get isPartial(): boolean {
    return this.#first !== null;
  }

  /** What a message gave besides its first event, or `null`. To be asked before the next frame is read. */
  next(): Event | null {
    if (this.#next === this.#events.length) return null;
    const event = this.#events[this.#next++] as Event;
    if (this.#next === this.#events.length) this.clear();
    return event;
  }

  /**
   * @returns the first event of the message that this frame completes, or `null`.
   * @throws {ProtocolError} `ERR_ZMTP_MESSAGE_TOO_LARGE` for one part too many.
   */
  receive(frame: Frame): Event | null {
    if ((frame.flags & MORE) !== 0) {
      this.#keep(frame.body);
      return null;
    }
    const parts = this.#complete(frame.body);
    return this.#findsSubscriptions ? this.#split(parts) : { type: "message", parts };
  }

  clear(): void {
    this.#first = null;
    this.#rest = [];
    this.#events = [];
    this.#next = 0;
  }

  #keep(part: Uint8Array): void {
    if (this.#first === null) {
      if (this.#maxParts < 2) this.#refuse();
      this.#first = part;
    } else {
      // There is at least one part to come.
      if (this.#rest.length + 2 >= this.#maxParts) this.#refuse();
      this.#rest.push(part);
    }
  }

  /** No list that grows by `push`, which takes room for 17: most messages have one part or two. */
  #complete(last: Uint8Array): Uint8Array[] {
    const first = this.#first;
    if (first === null) return [last];
    this.#first = null;
    if (this.#rest.length === 0) return [first, last];
    const parts = [first, ...this.#rest, last];
    this.#rest = [];
    return parts;
  }

  #refuse(): never {
    this.clear();
    const message = `message of more than ${this.#maxParts} parts`;
    throw new ProtocolError("ERR_ZMTP_MESSAGE_TOO_LARGE", "maxMessageParts", message);
  }

  /**
   * RFC 29, "The PUB Socket Type", and libzmq: every part of a message may be a subscription. Those come first,
   * then what is left of the message.
   */
  #split(parts: Uint8Array[]): Event | null {
    if (this.#onlyFirstSubscribe && parseSubscription(parts[0] as Uint8Array) === null)
      return { type: "message", parts };
    const rest: Uint8Array[] = [];
    for (const part of parts) {
      const subscription = parseSubscription(part);
      if (subscription === null) rest.push(part);
      else this.#events.push(subscription);
    }
    if (rest.length > 0) this.#events.push({ type: "message", parts: rest });
    return this.next();
  }
}
