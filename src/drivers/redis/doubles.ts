import type { ReceivedMessage } from "../../redis-resp/index.ts";

/**
 * Finds messages that came more than once because several subscriptions match their channel. A server sends the copies of a message
 * one behind the other: first for the channel itself, then for each pattern.
 */
export class Doubles {
  #last: ReceivedMessage | null = null;
  /** By which patterns the last message has come. */
  readonly #patterns = new Set<string>();

  isDouble(message: ReceivedMessage): boolean {
    const { pattern } = message;
    if (pattern === null) {
      this.#last = message;
      this.#patterns.clear();
      return false;
    }
    const name = pattern.toString("latin1");
    const isCopy = this.#last !== null && !this.#patterns.has(name) && isSame(this.#last, message);
    if (!isCopy) this.#patterns.clear();
    this.#patterns.add(name);
    this.#last = message;
    return isCopy;
  }
}

function isSame(one: ReceivedMessage, other: ReceivedMessage): boolean {
  return one.channel.equals(other.channel) && one.payload.equals(other.payload);
}
