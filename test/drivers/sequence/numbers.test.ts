import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Sequence, SequenceCounter } from "../../../src/drivers/event/sequence-counter.ts";
import { Line, SequenceTracker } from "../../../src/drivers/sync/sequence-tracker.ts";

/** A counter whose names are p1, p2... */
function newCounter(): SequenceCounter {
  let names = 0;
  return new SequenceCounter(() => `p${++names}`);
}

function send(counter: SequenceCounter, topic: string): Sequence {
  const sequence = counter.next(topic);
  counter.used(topic);
  return sequence;
}

/** What is announced at the next ticks, e.g. "a1". */
function ticks(counter: SequenceCounter, times: number, isUp = true): string[][] {
  return Array.from({ length: times }, () => {
    const announced: string[] = [];
    counter.tick((topic, { seq }) => {
      if (isUp) announced.push(`${topic}${seq}`);
      return isUp;
    });
    return announced;
  });
}

describe("SequenceCounter: the numbers of a publisher", () => {
  it("begin with 1 in each topic; asking does not count", () => {
    const counter = newCounter();
    expect(counter.next("a")).toEqual({ pub: "p1", seq: 1 });
    expect([send(counter, "a"), send(counter, "a"), send(counter, "b"), send(counter, "a")]).toEqual([
      { pub: "p1", seq: 1 },
      { pub: "p1", seq: 2 },
      { pub: "p1", seq: 1 },
      { pub: "p1", seq: 3 },
    ]);
  });

  it("the last one of an idle topic is announced at the ticks 1, 2, 4, 8, 16, then at every 12th; an event begins anew", () => {
    const counter = newCounter();
    send(counter, "a");
    send(counter, "a");
    const announced = ticks(counter, 40).flatMap((topics, i) =>
      topics.length > 0 ? [[i + 1, ...topics]] : [],
    );
    expect(announced).toEqual([
      [1, "a2"],
      [3, "a2"],
      [7, "a2"],
      [15, "a2"],
      [27, "a2"],
      [39, "a2"],
    ]);
    send(counter, "a");
    send(counter, "b");
    expect(ticks(counter, 3)).toEqual([["a3", "b1"], [], ["a3", "b1"]]);
  });

  it("what cannot be announced is tried again at the next tick", () => {
    const counter = newCounter();
    send(counter, "a");
    ticks(counter, 5, false);
    expect(ticks(counter, 3)).toEqual([["a1"], [], ["a1"]]);
  });

  it("beyond 65 536 topics it is another publisher, who begins with 1", () => {
    const counter = newCounter();
    for (let i = 0; i < 65_536; i += 1) send(counter, `t${i}`);
    expect(send(counter, "t0")).toEqual({ pub: "p1", seq: 2 });
    expect(send(counter, "one more")).toEqual({ pub: "p1", seq: 1 });
    expect(send(counter, "t0")).toEqual({ pub: "p2", seq: 1 });
    expect(ticks(counter, 1)).toEqual([["t01"]]);
  });
});

describe("SequenceTracker: what is missing", () => {
  const line = new Line();
  const heard = (tracker: SequenceTracker, ...numbers: number[]): number[] =>
    numbers.map((seq) => tracker.heard("t", { pub: "p", seq }, false, line));

  it("the first sight is the base line, a jump is a gap, old numbers are none", () => {
    expect(heard(new SequenceTracker(), 7, 8, 9, 9, 8, 10, 13, 11, 12, 14)).toEqual([
      0, 0, 0, 0, 0, 0, 2, 0, 0, 0,
    ]);
  });

  it("an announcement tells the number of an event that should have come", () => {
    const tracker = new SequenceTracker();
    const announced = (seq: number) => tracker.heard("t", { pub: "p", seq }, true, line);
    expect([announced(3), ...heard(tracker, 4), announced(4), announced(6), announced(6)]).toEqual([
      0, 0, 0, 2, 0,
    ]);
    expect(heard(tracker, 7, 9)).toEqual([0, 1]);
  });

  it("after a break of the line that a pair was heard over, its next number is a base line; other lines keep theirs", () => {
    const tracker = new SequenceTracker();
    const lines = [new Line(), new Line()] as const;
    const at = (pub: string, seq: number, over: Line) => tracker.heard("t", { pub, seq }, false, over);
    at("p", 1, lines[0]);
    at("q", 1, lines[1]);
    lines[0].broken();
    expect([at("p", 5, lines[0]), at("q", 5, lines[1])]).toEqual([0, 3]);
    expect([at("p", 7, lines[0]), at("q", 7, lines[1])]).toEqual([1, 1]);
  });

  it("a topic that is forgotten begins anew, and no other", () => {
    const tracker = new SequenceTracker();
    const at = (topic: string, seq: number) => tracker.heard(topic, { pub: "p", seq }, false, line);
    for (const topic of ["a", "b", "c"]) at(topic, 1);
    tracker.forget("a");
    tracker.retain((topic) => topic !== "b");
    expect(tracker.pairs).toBe(1);
    expect([at("a", 9), at("b", 9), at("c", 9)]).toEqual([0, 0, 7]);
  });

  it("knows no more pairs than it may; those heard of last stay", () => {
    const tracker = new SequenceTracker(3);
    const at = (topic: string, pub: string, seq: number) => tracker.heard(topic, { pub, seq }, false, line);
    at("a", "p", 1);
    at("b", "p", 1);
    at("b", "q", 1);
    at("a", "p", 2);
    at("c", "p", 1); // b is the topic that was silent for longest, p its older publisher
    expect(tracker.pairs).toBe(3);
    expect([at("a", "p", 4), at("b", "q", 3), at("c", "p", 3)]).toEqual([1, 1, 1]);
    expect(at("b", "p", 9)).toBe(0);
  });

  it("nor more characters of names", () => {
    const tracker = new SequenceTracker(100, 50);
    for (let i = 0; i < 10; i += 1) tracker.heard(`topic ${i}....`, { pub: "pub", seq: 1 }, false, line);
    expect(tracker.pairs).toBe(3);
    tracker.heard("x".repeat(60), { pub: "pub", seq: 1 }, false, line);
    expect(tracker.pairs).toBe(0);
  });
});

describe("numbers over a way that loses: every loss is found, and there is no gap without one", () => {
  const TOPICS = ["a", "ab", "b"];
  /** Who sends where, and what becomes of it. */
  const step = fc.record({
    publisher: fc.nat(1),
    topic: fc.constantFrom(...TOPICS),
    fate: fc.constantFrom("comes", "comes", "comes", "lost", "twice", "late"),
  });

  it("in any order of publishers and topics, with repetitions and events that were overtaken", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const counters = [newCounter(), newCounter()];
        const tracker = new SequenceTracker();
        const line = new Line();
        /** What the tracker is to find, by pair; null: not seen so far. */
        const pending = new Map<string, number>();
        const repeated: [string, Sequence][] = [];
        let found = 0;
        let expected = 0;
        const hear = (topic: string, sequence: Sequence, isAnnouncement: boolean): void => {
          found += tracker.heard(topic, sequence, isAnnouncement, line);
        };
        for (const { publisher, topic, fate } of steps) {
          const pair = `${publisher} ${topic}`;
          const { seq } = send(counters[publisher]!, topic);
          const sequence = { pub: `${publisher}`, seq };
          if (fate === "lost") {
            if (pending.has(pair)) pending.set(pair, pending.get(pair)! + 1);
            continue;
          }
          expected += pending.get(pair) ?? 0;
          pending.set(pair, 0);
          hear(topic, sequence, false);
          if (fate === "twice") hear(topic, sequence, false);
          if (fate === "late") repeated.push([topic, sequence]);
          expect(found).toBe(expected);
        }
        for (const [topic, sequence] of repeated) hear(topic, sequence, false);
        expect(found).toBe(expected);
        // The announcements find what was lost last.
        for (const [publisher, counter] of counters.entries())
          counter.tick((topic, { seq }) => {
            expected += pending.get(`${publisher} ${topic}`) ?? 0;
            hear(topic, { pub: `${publisher}`, seq }, true);
            return true;
          });
        expect(found).toBe(expected);
      }),
    );
  });
});
