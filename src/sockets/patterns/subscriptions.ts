import { PrefixTrie } from "./prefix-trie.ts";

// The field of a topic.
const COUNT = 0;

/** The topics that a subscriber wants, counted: a topic subscribed to twice must be cancelled twice. */
export class Subscriptions {
  readonly #trie = new PrefixTrie(1);

  /** @returns the topic's number when it is new, else 0. @throws {ZmqError} EINVAL for a topic that is too long. */
  add(topic: Uint8Array): number {
    const id = this.#trie.add(topic);
    const count = this.#trie.topics.get(id, COUNT) + 1;
    this.#trie.topics.set(id, COUNT, count);
    return count === 1 ? id : 0;
  }

  /** @returns the number that the topic had when this was the last of it, else 0. One that is not known is none. */
  remove(topic: Uint8Array): number {
    const id = this.#trie.find(topic);
    if (id === 0) return 0;
    const count = this.#trie.topics.get(id, COUNT) - 1;
    this.#trie.topics.set(id, COUNT, count);
    return count > 0 ? 0 : this.#trie.remove(topic);
  }

  /** @returns the topic's number, 0 for one that is not there. */
  find(topic: Uint8Array): number {
    return this.#trie.find(topic);
  }

  /** Whether a message with this first part is wanted. */
  matches(firstPart: Uint8Array): boolean {
    return this.#trie.hasPrefixOf(firstPart);
  }

  /** The number that follows, among those of the topics there are now; 0: none. */
  after(id: number): number {
    return this.#trie.topics.after(id);
  }

  bytes(id: number): Uint8Array {
    return this.#trie.bytes(id);
  }
}
