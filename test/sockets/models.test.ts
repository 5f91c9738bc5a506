import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { Fifo } from "../../src/sockets/fifo.ts";
import { FanOut } from "../../src/sockets/patterns/fan-out.ts";
import { PrefixTrie } from "../../src/sockets/patterns/prefix-trie.ts";
import { Subscriptions } from "../../src/sockets/patterns/subscriptions.ts";
import type { Pipe } from "../../src/sockets/pipes/pipe.ts";
import { OutgoingMessage } from "../../src/zmtp/index.ts";
import { memoryInUse } from "../support/memory.ts";
import { World } from "../support/sim-sockets.ts";

/** Few bytes, so that topics share prefixes and edges are split and joined all the time. */
const topic = fc
  .array(fc.constantFrom(0, 97, 98, 255), { maxLength: 8 })
  .map((bytes) => Uint8Array.from(bytes));
const key = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const operations = fc.array(fc.record({ add: fc.boolean(), topic, probe: topic }), { maxLength: 60 });

describe("PrefixTrie", () => {
  it("agrees with a plain map, whatever is set and deleted", () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const trie = new PrefixTrie<number>();
        const model = new Map<string, number>();
        for (const [i, { add, topic, probe }] of steps.entries()) {
          if (add) {
            trie.set(topic, i);
            model.set(key(topic), i);
          } else expect(trie.delete(topic)).toBe(model.delete(key(topic)));
          const found: number[] = [];
          trie.collect(probe, found);
          const prefixes = Array.from({ length: probe.length + 1 }, (_, n) => key(probe.subarray(0, n)));
          const expected = prefixes.filter((one) => model.has(one)).map((one) => model.get(one) as number);
          expect(found).toEqual(expected); // the shortest first
          expect(trie.hasPrefixOf(probe)).toBe(expected.length > 0);
          expect(trie.get(probe)).toBe(model.get(key(probe)));
        }
        for (const one of model.keys()) expect(trie.delete(Buffer.from(one, "latin1"))).toBe(true);
        expect(trie.hasPrefixOf(Uint8Array.of(97, 98))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it("E17, N-18: takes topics of a megabyte, and a chain of two thousand prefixes, without recursion", () => {
    const long = new Uint8Array(2 ** 20).fill(97);
    const trie = new PrefixTrie<number>();
    trie.set(long, 1);
    const other = long.slice();
    other[other.length - 1] = 98;
    trie.set(other, 2);
    expect([trie.get(long), trie.get(other), trie.get(long.subarray(1))]).toEqual([1, 2, undefined]);
    const chain = new PrefixTrie<number>();
    for (let n = 1; n <= 2000; n += 1) chain.set(long.subarray(0, n), n);
    const found: number[] = [];
    chain.collect(long, found);
    expect(found).toHaveLength(2000);
    for (let n = 2000; n >= 1; n -= 1) expect(chain.delete(long.subarray(0, n))).toBe(true);
    expect(chain.hasPrefixOf(long)).toBe(false);
    expect(trie.delete(long)).toBe(true);
    expect(trie.get(other)).toBe(2);
  });

  it("keeps no bytes of topics that are gone, though others have led along them", async () => {
    const size = 2 ** 20;
    const trie = new PrefixTrie<number>();
    const before = await memoryInUse();
    for (let i = 0; i < 64; i += 1) {
      const long = new Uint8Array(size).fill(i);
      trie.set(long, i);
      // Both split the long topic's edge, and a fork is left when it goes.
      trie.set(Uint8Array.of(i, i, 1), i);
      trie.set(Uint8Array.of(i, i, 255), i);
      expect(trie.delete(long)).toBe(true);
    }
    expect(await memoryInUse(before + 16 * size)).toBeLessThan(before + 16 * size);
    expect(trie.get(Uint8Array.of(7, 7, 255))).toBe(7);
  });

  it("copies nothing: a short topic beside one of a megabyte costs no megabyte", () => {
    const trie = new PrefixTrie<number>();
    trie.set(new Uint8Array(2 ** 20).fill(97), 1);
    const short = new Uint8Array(1000).fill(97);
    const copies = [
      vi.spyOn(Uint8Array.prototype, "set"),
      vi.spyOn(Uint8Array.prototype, "slice"),
      vi.spyOn(globalThis, "Uint8Array"),
    ];
    for (let n = 1; n < 1000; n += 1) trie.set(short.subarray(0, n), n);
    for (let n = 1; n < 1000; n += 1) trie.delete(short.subarray(0, n));
    const counts = copies.map((copy) => copy.mock.calls.length);
    vi.restoreAllMocks();
    expect(counts).toEqual([0, 0, 0]);
  });
});

describe("Fifo", () => {
  it("agrees with an array", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant("push" as const) },
      { weight: 4, arbitrary: fc.constant("shift" as const) },
      { weight: 1, arbitrary: fc.nat(20) },
      { weight: 1, arbitrary: fc.constant("clear" as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const fifo = new Fifo<{ n: number }>();
        let model: { n: number }[] = [];
        for (const [n, step] of steps.entries()) {
          if (step === "push") {
            fifo.push({ n });
            model.push({ n });
          } else if (step === "shift") expect(fifo.shift()).toEqual(model.shift());
          else if (step === "clear") {
            fifo.clear();
            model = [];
          } else {
            // Takes one out of the middle: the same object in both, found by going round.
            const items = model.map(() => fifo.shift() as { n: number });
            for (const item of items) fifo.push(item);
            const item = items[step];
            expect(fifo.remove(item ?? { n: -1 })).toBe(item !== undefined);
            if (item !== undefined) model.splice(step, 1);
          }
          expect(fifo.length).toBe(model.length);
          expect(fifo.peek()).toEqual(model[0]);
        }
        expect(model.map(() => fifo.shift())).toEqual(model);
        expect(fifo.shift()).toBeUndefined();
      }),
    );
  });
});

describe("Subscriptions (PS-2: counted)", () => {
  it("agree with a list of counts", () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const subscriptions = new Subscriptions();
        const counts = new Map<string, number>();
        for (const { add, topic, probe } of steps) {
          const before = counts.get(key(topic)) ?? 0;
          if (add) {
            expect(subscriptions.add(topic)).toBe(before === 0);
            counts.set(key(topic), before + 1);
          } else {
            expect(subscriptions.remove(topic)).toBe(before === 1);
            if (before <= 1) counts.delete(key(topic));
            else counts.set(key(topic), before - 1);
          }
          expect([...subscriptions].map(key).sort()).toEqual([...counts.keys()].sort());
          const matches = [...counts.keys()].some((one) => key(probe).startsWith(one));
          expect(subscriptions.matches(probe)).toBe(matches);
        }
      }),
    );
  });
});

describe("FanOut (PS-2: a set for each peer)", () => {
  const step = fc.record({
    peer: fc.nat(3),
    what: fc.constantFrom("subscribe", "cancel", "remove", "send", "send", "subscribe"),
    topic,
  });

  it("sends each message once to every peer that holds a prefix of it, and to no other", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const taken: string[][] = [[], [], [], []];
        const pipes = taken.map((list) => ({
          offer: (message: OutgoingMessage) => {
            list.push(key(message.parts[0] as Uint8Array));
            return list.length % 5 !== 0;
          },
        })) as unknown as Pipe[];
        const full: Pipe[] = [];
        const fanOut = new FanOut(new World().environment, (pipe) => full.push(pipe));
        const model = pipes.map(() => new Set<string>());
        const expected: string[][] = [[], [], [], []];
        for (const { peer, what, topic } of steps) {
          const pipe = pipes[peer] as Pipe;
          const wants = (set: Set<string>): boolean => [...set].some((one) => key(topic).startsWith(one));
          if (what === "subscribe") {
            fanOut.subscribe(pipe, topic);
            model[peer]?.add(key(topic));
          } else if (what === "cancel") {
            fanOut.cancel(pipe, topic);
            model[peer]?.delete(key(topic));
          } else if (what === "remove") {
            fanOut.remove(pipe);
            model[peer]?.clear();
          } else {
            expect(fanOut.count(topic)).toBe(model.filter(wants).length);
            fanOut.send(new OutgoingMessage([topic]));
            for (const [i, set] of model.entries()) if (wants(set)) expected[i]?.push(key(topic));
          }
        }
        expect(taken).toEqual(expected);
        const refusals = taken.map((list) => Math.floor(list.length / 5)).reduce((a, b) => a + b);
        expect(full).toHaveLength(refusals);
      }),
    );
  });
});
