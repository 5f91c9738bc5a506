import type { Sequence } from "../event/sequence-counter.ts";

/** A way for events to come to us. After a break we no longer know what was sent on it, and a `sync` is due anyway. */
export class Line {
  #breaks = 0;

  get breaks(): number {
    return this.#breaks;
  }

  broken(): void {
    this.#breaks += 1;
  }
}

interface Seen {
  last: number;
  /** Over which line the last one came, and how often that had broken before. */
  line: Line;
  breaks: number;
}

/** Pairs of a publisher and a topic whose numbers are remembered. */
const MAX_PAIRS = 100_000;
/** Characters of their names, all together. */
const MAX_SIZE = 16 * 1024 * 1024;

/**
 * Finds events that are missing, by the numbers that publishers give them, for each pair of a publisher and a topic. Pure.
 *
 * The first sight of a pair is its base line; so is the first after a break of the line that it came over. A number beyond the
 * next one is a gap. A number seen before, or an older one, is a repetition, or was overtaken: no gap.
 *
 * Memory is bounded: beyond 100 000 pairs, or 16 Mi characters of names, the topic that was silent for longest forgets the
 * publisher that was, whose next event there is a base line again.
 */
export class SequenceTracker {
  readonly #maxPairs: number;
  readonly #maxSize: number;
  /** By topic and publisher, both in the order in which they were heard of last. */
  readonly #topics = new Map<string, Map<string, Seen>>();
  #pairs = 0;
  #size = 0;

  constructor(maxPairs: number = MAX_PAIRS, maxSize: number = MAX_SIZE) {
    this.#maxPairs = maxPairs;
    this.#maxSize = maxSize;
  }

  get pairs(): number {
    return this.#pairs;
  }

  /**
   * An event has come, or the announcement that the event with this number was the last one.
   *
   * @param topic one character a byte.
   * @returns how many events are missing before it.
   */
  heard(topic: string, { pub, seq }: Sequence, isAnnouncement: boolean, line: Line): number {
    const publishers = this.#topics.get(topic) ?? new Map<string, Seen>();
    touch(this.#topics, topic, publishers);
    const seen = publishers.get(pub);
    if (seen === undefined) {
      publishers.set(pub, { last: seq, line, breaks: line.breaks });
      this.#added(topic, pub);
      return 0;
    }
    touch(publishers, pub, seen);
    const isBaseLine = seen.breaks !== seen.line.breaks;
    const missing = isBaseLine ? 0 : Math.max(0, seq - seen.last - (isAnnouncement ? 0 : 1));
    seen.last = isBaseLine ? seq : Math.max(seen.last, seq);
    seen.line = line;
    seen.breaks = line.breaks;
    return missing;
  }

  /** Whatever comes next in this topic is a base line. */
  forget(topic: string): void {
    for (const pub of this.#topics.get(topic)?.keys() ?? []) this.#delete(topic, pub);
  }

  /** {@link forget}s all topics but those that `isKept`. */
  retain(isKept: (topic: string) => boolean): void {
    for (const topic of this.#topics.keys()) if (!isKept(topic)) this.forget(topic);
  }

  #added(topic: string, pub: string): void {
    this.#pairs += 1;
    this.#size += topic.length + pub.length;
    while (this.#pairs > this.#maxPairs || this.#size > this.#maxSize) {
      const [oldest] = this.#topics;
      const [first] = oldest![1].keys();
      this.#delete(oldest![0], first!);
    }
  }

  #delete(topic: string, pub: string): void {
    const publishers = this.#topics.get(topic);
    if (publishers?.delete(pub) !== true) return;
    this.#pairs -= 1;
    this.#size -= topic.length + pub.length;
    if (publishers.size === 0) this.#topics.delete(topic);
  }
}

/** Puts an entry last. */
function touch<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
}
