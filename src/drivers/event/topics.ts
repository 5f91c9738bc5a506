import { ZmqError } from "../../errors.ts";
import { asBuffer } from "./bytes.ts";
import { topicFrame } from "./codec.ts";

/**
 * How a registered topic is compared with the topic frame of a message: as a whole, or as its beginning. Publishers filter
 * by prefix on ZMQ and exactly on Redis; comparing again at the receiver makes them agree.
 */
export type TopicMatch = "exact" | "prefix";

/** The topics that a subscriber has registered. The topic "" means everything, however it is matched. */
export class TopicSet {
  /** By topic. */
  readonly #topics = new Map<string, TopicMatch>();
  /** Topic frames, one character a byte. */
  readonly #exact = new Set<string>();
  /** Prefixes by their length in bytes: matching looks up one slice per length, however many prefixes there are. */
  readonly #prefixes = new Map<number, Set<string>>();

  /** The topics in the order in which they were added. */
  get topics(): string[] {
    return [...this.#topics.keys()];
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /**
   * @returns true if the topic is new.
   * @throws {TypeError} when `topic` is no string.
   * @throws {ZmqError} EINVAL: a lone surrogate, an unknown `match`, or a topic registered with the other `match`.
   */
  add(topic: string, match: TopicMatch = "exact"): boolean {
    const frame = topicFrame(topic).toString("latin1");
    if (match !== "exact" && match !== "prefix")
      throw new ZmqError("EINVAL", `unknown match: ${String(match)}`);
    const present = this.#topics.get(topic);
    if (present !== undefined) {
      if (present === match) return false;
      throw new ZmqError("EINVAL", `topic ${JSON.stringify(topic)} is registered with match ${present}`);
    }
    this.#topics.set(topic, match);
    if (match === "exact" && topic !== "") this.#exact.add(frame);
    else this.#sameLength(frame.length).add(frame);
    return true;
  }

  /** @returns false if the topic is unknown. */
  delete(topic: string): boolean {
    if (!this.#topics.delete(topic)) return false;
    const frame = topicFrame(topic).toString("latin1");
    this.#exact.delete(frame);
    const prefixes = this.#prefixes.get(frame.length);
    if (prefixes?.delete(frame) && prefixes.size === 0) this.#prefixes.delete(frame.length);
    return true;
  }

  /** Whether a message with this topic frame is wanted. */
  matches(frame: Uint8Array): boolean {
    if (this.#topics.size === 0) return false;
    const text = asBuffer(frame).toString("latin1");
    if (this.#exact.has(text)) return true;
    for (const [length, prefixes] of this.#prefixes) {
      if (length <= text.length && prefixes.has(text.slice(0, length))) return true;
    }
    return false;
  }

  #sameLength(length: number): Set<string> {
    let prefixes = this.#prefixes.get(length);
    if (prefixes === undefined) {
      prefixes = new Set();
      this.#prefixes.set(length, prefixes);
    }
    return prefixes;
  }
}
