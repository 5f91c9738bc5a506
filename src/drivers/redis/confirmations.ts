import type { SubscriptionState } from "../../redis-resp/index.ts";
import type { Channel } from "./channels.ts";

/** What the connection has of a channel, and keeps over a loss; null: not subscribed to. */
export type StateOf = (channel: Channel) => SubscriptionState | null;

/**
 * What is wanted of the server, and what it has said to it: once it has answered for all on the connection
 * that there is, and confirmed what it does not refuse, the subscriber is in force. Asks nobody itself.
 *
 * A channel that is refused when it is first asked for is remembered as that here; one that was allowed
 * before is `failed` where the connection keeps it.
 */
export class Confirmations {
  readonly #stateOf: StateOf;
  /** Wanted whatever the topics. */
  readonly #always: Channel;
  /** By topic. */
  readonly #channels = new Map<string, readonly Channel[]>();
  /** Without an answer so far. */
  readonly #asked = new Set<Channel>();
  readonly #refused = new Set<Channel>();
  #isConnected = false;

  constructor(always: Channel, stateOf: StateOf) {
    this.#always = always;
    this.#stateOf = stateOf;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get wanted(): Channel[] {
    return [this.#always, ...[...this.#channels.values()].flat()];
  }

  get refused(): Channel[] {
    return this.wanted.filter((channel) => this.#isRefused(channel));
  }

  /** The server may think better of what it has refused. */
  get toAskAgain(): Channel[] {
    return this.refused.filter((channel) => !this.#asked.has(channel));
  }

  /** In force: connected, everything is answered, and what is not refused is confirmed. */
  get isComplete(): boolean {
    if (!this.#isConnected || this.#asked.size > 0) return false;
    return this.wanted.every((channel) => this.#isRefused(channel) || this.#stateOf(channel) === "confirmed");
  }

  isAsked(channel: Channel): boolean {
    return this.#asked.has(channel);
  }

  topicAdded(topic: string, channels: readonly Channel[]): void {
    this.#channels.set(topic, channels);
  }

  /** @returns what is not wanted any more. */
  topicRemoved(topic: string): readonly Channel[] {
    const channels = this.#channels.get(topic) ?? [];
    this.#channels.delete(topic);
    for (const channel of channels) {
      this.#asked.delete(channel);
      this.#refused.delete(channel);
    }
    return channels;
  }

  connected(): void {
    this.#isConnected = true;
  }

  lost(): void {
    this.#isConnected = false;
  }

  /** The server is asked for it, or will be when there is a connection. */
  askedFor(channel: Channel): void {
    this.#asked.add(channel);
  }

  /** @returns true if it had been refused: it comes late. */
  wasConfirmed(channel: Channel): boolean {
    this.#asked.delete(channel);
    return this.#refused.delete(channel);
  }

  /** @returns true if it is news: nobody has kept it in mind so far. */
  wasRefused(channel: Channel): boolean {
    this.#asked.delete(channel);
    if (this.#stateOf(channel) === "failed") return false;
    this.#refused.add(channel);
    return true;
  }

  #isRefused(channel: Channel): boolean {
    return this.#refused.has(channel) || this.#stateOf(channel) === "failed";
  }
}
