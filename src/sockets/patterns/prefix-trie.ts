import { ZmqError } from "../../errors.ts";
import { LONGEST_TOPIC } from "../topic.ts";
import { Records } from "./records.ts";
import { agreement, bytesOf, textOf } from "./topic-text.ts";

// The fields of a fork.
const PLACE = 0;
const ZERO = 1;
const ONE = 2;
const SOME = 3;

/**
 * Topics, found by all bytes that they are a prefix of: a binary radix tree (crit-bit). A fork stands at the first place where
 * the topics below it differ: a byte, and in it whether the topic has that byte at all (bit 0), or one of its bits (1 to 8, the
 * highest first). So `n` topics have `n - 1` forks, however long they are, and a topic that is a prefix of others is the `ZERO`
 * of a fork of the first kind. No method is recursive: a peer may subscribe to a topic of a megabyte.
 *
 * A way through forks looks at no other bits than theirs; whether the rest agrees is compared once, with the topic at its end.
 * Each fork knows `SOME` topic below it, for bytes that end before the way does. So nothing costs more than the length of the
 * bytes asked for, times nine at worst.
 *
 * A topic is known by its number in `topics`, whose fields belong to the user of the trie. A way leads to a fork (above 0), to a
 * topic (below 0, its number negated), or nowhere (0).
 */
export class PrefixTrie {
  readonly topics: Records;
  readonly #forks = new Records(4);
  #root = 0;
  /** The forks on the way to what is removed. */
  readonly #above: number[] = [];

  /** @param fields how many numbers there are for each topic. */
  constructor(fields: number) {
    this.topics = new Records(fields);
  }

  /** The topic's bytes; a copy. */
  bytes(id: number): Uint8Array {
    return bytesOf(this.topics.text(id));
  }

  /** @returns the number of a topic, 0 for one that is not there. */
  find(topic: Uint8Array): number {
    const id = this.#closest(topic);
    return id !== 0 && this.#is(id, topic) ? id : 0;
  }

  /**
   * The bytes are copied. @returns the number of a topic, which is new when it was not there.
   * @throws {ZmqError} EINVAL: too long.
   */
  add(topic: Uint8Array): number {
    const closest = this.#closest(topic);
    if (closest === 0) {
      const id = this.#addTopic(topic);
      this.#root = -id;
      return id;
    }
    const text = this.topics.text(closest);
    const end = agreement(topic, text);
    if (end === topic.length && end === text.length) return closest;
    const id = this.#addTopic(topic);
    const isInBoth = end < topic.length && end < text.length;
    // The highest bit that differs is number 1 to 8 of the byte.
    const bit = isInBoth ? Math.clz32((topic[end] as number) ^ text.charCodeAt(end)) - 23 : 0;
    this.#fork(topic, end * 16 + bit, id);
    return id;
  }

  /** @returns the number that the topic had, 0 for one that was not there. */
  remove(topic: Uint8Array): number {
    const forks = this.#forks;
    const above = this.#above;
    above.length = 0;
    let node = this.#root;
    while (node > 0) {
      above.push(node);
      node = this.#step(node, topic);
    }
    const id = -node;
    if (id === 0 || !this.#is(id, topic)) return 0;
    this.topics.remove(id);
    const parent = above.pop();
    if (parent === undefined) {
      this.#root = 0;
      return id;
    }
    const isZero = forks.get(parent, ZERO) === node;
    const other = forks.get(parent, isZero ? ONE : ZERO);
    this.#replace(above.at(-1) ?? 0, parent, other);
    forks.remove(parent);
    // From below: a fork that is asked for a topic knows one that is there.
    for (let i = above.length - 1; i >= 0; i -= 1) {
      const fork = above[i] as number;
      if (forks.get(fork, SOME) === id) forks.set(fork, SOME, this.#some(forks.get(fork, ZERO)));
    }
    return id;
  }

  /**
   * Puts the numbers of all topics that are a prefix of `bytes`, the shortest first, into `found`, over what stands there: a list
   * that is emptied is allocated anew. @returns how many they are.
   */
  collect(bytes: Uint8Array, found: number[]): number {
    let count = 0;
    let node = this.#root;
    while (node > 0) {
      const place = this.#forks.get(node, PLACE);
      const next = this.#step(node, bytes);
      if (next === 0) break;
      // A topic that ends here, when the bytes go on.
      if ((place & 15) === 0 && place >>> 4 < bytes.length) {
        found[count] = -this.#forks.get(node, ZERO);
        count += 1;
      }
      node = next;
    }
    if (node === 0) return 0;
    const end = agreement(bytes, this.topics.text(this.#some(node)));
    if (node < 0) {
      found[count] = -node;
      count += 1;
    }
    // Each one begins with the one before it, and the last with all of them.
    while (count > 0 && this.topics.text(found[count - 1] as number).length > end) count -= 1;
    return count;
  }

  /** Whether some topic is a prefix of `bytes`. */
  hasPrefixOf(bytes: Uint8Array): boolean {
    let node = this.#root;
    // The shortest one that may be; the others begin with it.
    while (node > 0) {
      const isEnd = (this.#forks.get(node, PLACE) & 15) === 0;
      node = isEnd ? this.#forks.get(node, ZERO) : this.#step(node, bytes);
    }
    if (node === 0) return false;
    const text = this.topics.text(-node);
    return text.length <= bytes.length && agreement(bytes, text) === text.length;
  }

  /** Where the way of these bytes leads from a fork; 0: it ends there. */
  #step(fork: number, bytes: Uint8Array): number {
    const place = this.#forks.get(fork, PLACE);
    const byte = place >>> 4;
    const bit = place & 15;
    if (bit === 0) {
      if (byte > bytes.length) return 0;
      return this.#forks.get(fork, byte < bytes.length ? ONE : ZERO);
    }
    if (byte >= bytes.length) return 0;
    return this.#forks.get(fork, ZERO + (((bytes[byte] as number) >> (8 - bit)) & 1));
  }

  /** A topic that agrees with these bytes for as long as any does; 0: there is none at all. */
  #closest(bytes: Uint8Array): number {
    let node = this.#root;
    while (node > 0) {
      const next = this.#step(node, bytes);
      if (next === 0) break;
      node = next;
    }
    return this.#some(node);
  }

  /** A topic that a way leads to. */
  #some(node: number): number {
    return node > 0 ? this.#forks.get(node, SOME) : -node;
  }

  #is(id: number, topic: Uint8Array): boolean {
    const text = this.topics.text(id);
    return text.length === topic.length && agreement(topic, text) === topic.length;
  }

  #addTopic(topic: Uint8Array): number {
    if (topic.length > LONGEST_TOPIC)
      throw new ZmqError("EINVAL", `A topic has at most ${LONGEST_TOPIC} bytes`);
    const text = textOf(topic);
    const id = this.topics.add();
    this.topics.setText(id, text);
    return id;
  }

  /** Puts a fork in the way to a new topic, which differs from those below it at this place for the first time. */
  #fork(topic: Uint8Array, place: number, id: number): void {
    const forks = this.#forks;
    let parent = 0;
    let node = this.#root;
    while (node > 0 && forks.get(node, PLACE) < place) {
      parent = node;
      node = this.#step(node, topic);
    }
    const fork = forks.add();
    const byte = place >>> 4;
    const bit = place & 15;
    const isOne = bit === 0 ? byte < topic.length : (((topic[byte] as number) >> (8 - bit)) & 1) === 1;
    forks.set(fork, PLACE, place);
    forks.set(fork, ZERO, isOne ? node : -id);
    forks.set(fork, ONE, isOne ? -id : node);
    forks.set(fork, SOME, id);
    this.#replace(parent, node, fork);
  }

  /** @param parent 0: the root leads to it. */
  #replace(parent: number, child: number, by: number): void {
    if (parent === 0) this.#root = by;
    else this.#forks.set(parent, this.#forks.get(parent, ZERO) === child ? ZERO : ONE, by);
  }
}
