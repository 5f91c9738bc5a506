/** Where an event stands among those that its publisher has sent to its topic. */
export interface Sequence {
  /** The publisher. */
  readonly pub: string;
  /** From 1 on, one more with each event. An announcement has that of the last event. */
  readonly seq: number;
}

/** The longest `pub`, in characters. */
const MAX_PUB = 64;

/** Whether the fields of an event are a sequence; else they mean something else, and are ignored like all unknown fields. */
export function isSequence(pub: unknown, seq: unknown): boolean {
  return (
    typeof pub === "string" &&
    pub.length > 0 &&
    pub.length <= MAX_PUB &&
    Number.isSafeInteger(seq) &&
    (seq as number) > 0
  );
}

/** Topics that are counted at the same time. */
const MAX_TOPICS = 65_536;
/** A topic that stays idle is announced at the ticks 1, 2, 4, 8, 16, and from then on at every 12th. */
const LONGEST_WAIT = 12;

interface Count {
  seq: number;
  /** Ticks until the next announcement. */
  left: number;
  /** What `left` starts from. */
  wait: number;
}

/**
 * The numbers that a publisher gives its events: counted per topic, for a subscriber sees only its topics. Owns no timer.
 *
 * A publisher that has sent to more than 65 536 topics counts anew under another name, so that memory is bounded: to its
 * subscribers it is one that they have not seen before.
 */
export class SequenceCounter {
  readonly #newPub: () => string;
  readonly #counts = new Map<string, Count>();
  #pub: string;

  /** @param newPub a name that no other publisher has or has had: a process that starts again is another publisher. */
  constructor(newPub: () => string) {
    this.#newPub = newPub;
    this.#pub = newPub();
  }

  /** What the next event of this topic is to carry. Asking does not count. */
  next(topic: string): Sequence {
    return { pub: this.#pub, seq: (this.#counts.get(topic)?.seq ?? 0) + 1 };
  }

  /** The event that carries what `next` said is about to be sent; or was lost, which is for the receivers to find out. */
  used(topic: string): void {
    const count = this.#counts.get(topic);
    if (count !== undefined) {
      count.seq += 1;
      count.left = 1;
      count.wait = 1;
      return;
    }
    this.#counts.set(topic, { seq: 1, left: 1, wait: 1 });
    if (this.#counts.size <= MAX_TOPICS) return;
    this.#counts.clear();
    this.#pub = this.#newPub();
  }

  /**
   * To be called every few seconds: announces the last numbers of topics that have been idle since the last tick.
   *
   * @param announce returns false when it cannot send now: asked again at the next tick.
   */
  tick(announce: (topic: string, last: Sequence) => boolean): void {
    for (const [topic, count] of this.#counts) {
      count.left -= 1;
      if (count.left > 0) continue;
      const sent = announce(topic, { pub: this.#pub, seq: count.seq });
      if (sent) count.wait = Math.min(2 * count.wait, LONGEST_WAIT);
      count.left = sent ? count.wait : 1;
    }
  }
}
