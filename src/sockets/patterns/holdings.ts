import { Chain } from "./chain.ts";
import { PrefixTrie } from "./prefix-trie.ts";
import { Records } from "./records.ts";

// The field of a topic: its first holding.
const FIRST = 0;

// The fields of a holding: whose it is, of which topic, and its neighbours among those of either.
const HOLDER = 0;
const TOPIC = 1;
const NEXT_OF_TOPIC = 2;
const PREVIOUS_OF_TOPIC = 3;
const NEXT_OF_HOLDER = 4;
const PREVIOUS_OF_HOLDER = 5;

/**
 * Which topics are held by whom. A holder is a number that is given out here; a holding is one holder's of one topic, and a number
 * too. Each stands in two rows: that of its topic and that of its holder.
 */
export class Holdings {
  readonly #trie = new PrefixTrie(1);
  readonly #holdings = new Records(6);
  /** By holder. */
  readonly #held: (Chain | null)[] = [];
  /** Numbers of holders that have gone. */
  readonly #free: number[] = [];

  addHolder(): number {
    const holder = this.#free.pop() ?? this.#held.length;
    this.#held[holder] = new Chain(this.#holdings, NEXT_OF_HOLDER, PREVIOUS_OF_HOLDER);
    return holder;
  }

  /** Who holds nothing any more. */
  removeHolder(holder: number): void {
    this.#held[holder] = null;
    this.#free.push(holder);
  }

  /** Puts the topics that are a prefix of `bytes` into `found`, for `firstOf`. @returns how many they are. */
  collect(bytes: Uint8Array, found: number[]): number {
    return this.#trie.collect(bytes, found);
  }

  /** The first holding of a topic; `nextOf` has the others. */
  firstOf(topic: number): number {
    return this.#trie.topics.get(topic, FIRST);
  }

  /** The next holding of the same topic; 0: none. */
  nextOf(holding: number): number {
    return this.#holdings.get(holding, NEXT_OF_TOPIC);
  }

  holder(holding: number): number {
    return this.#holdings.get(holding, HOLDER);
  }

  /** The bytes of a holding's topic; a copy. */
  topic(holding: number): Uint8Array {
    return this.#trie.bytes(this.#holdings.get(holding, TOPIC));
  }

  /** The oldest holding of a holder; 0: none. */
  firstHeldBy(holder: number): number {
    return this.#chain(holder).first;
  }

  /** @returns the topic, for `firstOf`; 0 when nobody holds it. */
  findTopic(topic: Uint8Array): number {
    return this.#trie.find(topic);
  }

  /** @returns 0 when the holder has no such topic. */
  find(topic: Uint8Array, holder: number): number {
    const id = this.#trie.find(topic);
    return id === 0 ? 0 : this.#find(id, holder);
  }

  /** @returns whether the holder is the `first` with this topic, `another`, or has it already (`known`). */
  add(topic: Uint8Array, holder: number): "first" | "another" | "known" {
    const id = this.#trie.add(topic);
    if (this.#find(id, holder) !== 0) return "known";
    const holding = this.#holdings.add();
    this.#holdings.set(holding, HOLDER, holder);
    this.#holdings.set(holding, TOPIC, id);
    this.#chain(holder).add(holding);
    const next = this.firstOf(id);
    this.#holdings.set(holding, NEXT_OF_TOPIC, next);
    if (next !== 0) this.#holdings.set(next, PREVIOUS_OF_TOPIC, holding);
    this.#trie.topics.set(id, FIRST, holding);
    return next === 0 ? "first" : "another";
  }

  /** @param topic its topic's bytes. @returns whether nobody holds that any more. */
  remove(holding: number, topic: Uint8Array): boolean {
    const id = this.#holdings.get(holding, TOPIC);
    const next = this.#holdings.get(holding, NEXT_OF_TOPIC);
    const previous = this.#holdings.get(holding, PREVIOUS_OF_TOPIC);
    if (next !== 0) this.#holdings.set(next, PREVIOUS_OF_TOPIC, previous);
    if (previous !== 0) this.#holdings.set(previous, NEXT_OF_TOPIC, next);
    else this.#trie.topics.set(id, FIRST, next);
    this.#chain(this.holder(holding)).remove(holding);
    this.#holdings.remove(holding);
    if (next !== 0 || previous !== 0) return false;
    this.#trie.remove(topic);
    return true;
  }

  /** Goes through the shorter of two rows: a topic may have many holders, and a holder many topics, but hardly both. */
  #find(topic: number, holder: number): number {
    let ofTopic = this.firstOf(topic);
    let ofHolder = this.#chain(holder).first;
    while (ofTopic !== 0 && ofHolder !== 0) {
      if (this.#holdings.get(ofTopic, HOLDER) === holder) return ofTopic;
      if (this.#holdings.get(ofHolder, TOPIC) === topic) return ofHolder;
      ofTopic = this.#holdings.get(ofTopic, NEXT_OF_TOPIC);
      ofHolder = this.#holdings.get(ofHolder, NEXT_OF_HOLDER);
    }
    return 0;
  }

  #chain(holder: number): Chain {
    return this.#held[holder] as Chain;
  }
}
