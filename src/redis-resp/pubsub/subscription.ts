import type { ChannelKind } from "./channel.ts";

/**
 * Called with each message. The payload and the channel are views into received memory: copy what is kept for long.
 *
 * @param pattern by which the message came, null for a subscription to the channel itself.
 */
export type MessageListener = (payload: Buffer, channel: Buffer, pattern: Buffer | null) => void;

/**
 * - new: the server of the connection now in use has not been asked
 * - asked: it was, and has not answered
 * - confirmed: it sends what is published from then on
 * - failed: it refused
 * - leaving: it was asked to send no more
 */
export type Stage = "new" | "asked" | "confirmed" | "failed" | "leaving";

/** One channel or pattern and who listens. There may be very many: each field counts. */
export class Subscription {
  readonly kind: ChannelKind;
  /** The name, a character for each byte. */
  readonly key: string;
  stage: Stage = "new";
  /** One listener, as nearly all have, takes no array. An array is never changed, so that a delivery can walk along it. */
  listeners: MessageListener | readonly MessageListener[] | null = null;

  constructor(kind: ChannelKind, key: string) {
    this.kind = kind;
    this.key = key;
  }

  has(listener: MessageListener): boolean {
    const { listeners } = this;
    return (
      listeners === listener || (typeof listeners === "object" && listeners?.includes(listener) === true)
    );
  }

  /** @returns false for a listener that is there already. */
  add(listener: MessageListener): boolean {
    const { listeners } = this;
    if (listeners === null) this.listeners = listener;
    else if (typeof listeners === "function") {
      if (listeners === listener) return false;
      this.listeners = [listeners, listener];
    } else {
      if (listeners.includes(listener)) return false;
      this.listeners = [...listeners, listener];
    }
    return true;
  }

  /** @returns true when nobody listens any more. */
  remove(listener: MessageListener): boolean {
    const { listeners } = this;
    if (listeners === listener) this.listeners = null;
    else if (typeof listeners === "object" && listeners !== null) {
      const rest = listeners.filter((one) => one !== listener);
      this.listeners = rest.length === 1 ? (rest[0] as MessageListener) : rest;
    }
    return this.listeners === null;
  }
}
