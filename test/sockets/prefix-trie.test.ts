import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { PrefixTrie } from "../../src/sockets/patterns/prefix-trie.ts";
import { LONGEST_TOPIC } from "../../src/sockets/topic.ts";
import { memoryInUse } from "../support/memory.ts";
import { key, topic } from "../support/topics.ts";

const operations = fc.array(fc.record({ add: fc.boolean(), topic, probe: topic }), { maxLength: 60 });

/** The topics that a trie finds for some bytes. */
function found(trie: PrefixTrie, bytes: Uint8Array): string[] {
  const ids: number[] = [];
  ids.length = trie.collect(bytes, ids);
  return ids.map((id) => key(trie.bytes(id)));
}

describe("PrefixTrie", () => {
  it("agrees with a plain map, whatever is added and removed", () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const trie = new PrefixTrie(2);
        const model = new Map<string, number>();
        for (const [i, { add, topic, probe }] of steps.entries()) {
          if (add) {
            const id = trie.add(topic);
            // Numbers belong to topics, and their fields are 0 at first.
            expect(trie.topics.get(id, 1)).toBe(model.get(key(topic)) ?? 0);
            trie.topics.set(id, 1, i + 1);
            model.set(key(topic), i + 1);
          } else expect(trie.remove(topic) > 0).toBe(model.delete(key(topic)));
          const prefixes = Array.from({ length: probe.length + 1 }, (_, n) => key(probe.subarray(0, n)));
          const expected = prefixes.filter((one) => model.has(one));
          expect(found(trie, probe)).toEqual(expected); // the shortest first
          expect(trie.hasPrefixOf(probe)).toBe(expected.length > 0);
          const id = trie.find(probe);
          expect(id === 0 ? undefined : trie.topics.get(id, 1)).toBe(model.get(key(probe)));
        }
        for (const one of model.keys()) expect(trie.remove(Buffer.from(one, "latin1"))).toBeGreaterThan(0);
        expect(trie.hasPrefixOf(Uint8Array.of(97, 98))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("E17, N-18: takes topics of a megabyte, and a chain of two thousand prefixes, without recursion", () => {
    const long = new Uint8Array(2 ** 20).fill(97);
    const trie = new PrefixTrie(1);
    const first = trie.add(long);
    const other = long.slice();
    other[other.length - 1] = 98;
    const second = trie.add(other);
    expect(second).not.toBe(first);
    expect([trie.find(long), trie.find(other), trie.find(long.subarray(1))]).toEqual([first, second, 0]);
    const chain = new PrefixTrie(1);
    for (let n = 1; n <= 2000; n += 1) chain.add(long.subarray(0, n));
    expect(found(chain, long).map((text) => text.length)).toEqual(
      Array.from({ length: 2000 }, (_, n) => n + 1),
    );
    for (let n = 2000; n >= 1; n -= 1) expect(chain.remove(long.subarray(0, n))).toBeGreaterThan(0);
    expect(chain.hasPrefixOf(long)).toBe(false);
    expect(trie.remove(long)).toBe(first);
    expect(trie.find(other)).toBe(second);
  });

  it("E17: bytes that end early cost their own length, whatever stands below", () => {
    // A row of forks on the way of the bit 0, none of which has to do with a byte of what is asked for.
    const trie = new PrefixTrie(1);
    for (let n = 0; n < 2000; n += 1) {
      const topic = new Uint8Array(n + 1);
      topic[n] = 1;
      trie.add(topic);
    }
    const reads = vi.spyOn(trie.topics, "text");
    expect(found(trie, new Uint8Array(0))).toEqual([]);
    expect(trie.find(new Uint8Array(1))).toBe(0);
    expect(reads.mock.calls.length).toBeLessThan(5);
    vi.restoreAllMocks();
  });

  it("keeps no bytes of topics that are gone, though others have led along them", async () => {
    const size = 2 ** 20;
    const trie = new PrefixTrie(1);
    const before = await memoryInUse();
    for (let i = 0; i < 64; i += 1) {
      const long = new Uint8Array(size).fill(i);
      trie.add(long);
      trie.add(Uint8Array.of(i, i, 1));
      trie.add(Uint8Array.of(i, i, 255));
      expect(trie.remove(long)).toBeGreaterThan(0);
    }
    expect(await memoryInUse(before + 16 * size)).toBeLessThan(before + 16 * size);
    expect(trie.find(Uint8Array.of(7, 7, 255))).toBeGreaterThan(0);
  });

  it("a short topic beside one of a megabyte costs no megabyte", () => {
    const trie = new PrefixTrie(1);
    trie.add(new Uint8Array(2 ** 20).fill(97));
    const short = new Uint8Array(1000).fill(97);
    const copies = [
      vi.spyOn(Uint8Array.prototype, "set"),
      vi.spyOn(Uint8Array.prototype, "slice"),
      vi.spyOn(globalThis, "Uint8Array"),
    ];
    for (let n = 1; n < 1000; n += 1) trie.add(short.subarray(0, n));
    for (let n = 1; n < 1000; n += 1) trie.remove(short.subarray(0, n));
    const counts = copies.map((copy) => copy.mock.calls.length);
    vi.restoreAllMocks();
    expect(counts).toEqual([0, 0, 0]);
  });

  it("memory: a hundred thousand topics take less than 150 bytes each, and leave nothing behind", async () => {
    const count = 100_000;
    const topicOf = (n: number): Uint8Array =>
      Buffer.from(`tenant-${((n * 2654435761) % 2 ** 32).toString(16).padStart(33, "0")}`);
    const trie = new PrefixTrie(1);
    trie.add(topicOf(count));
    const before = await memoryInUse();
    for (let n = 0; n < count; n += 1) trie.add(topicOf(n));
    const taken = (await memoryInUse(before + 140 * count)) - before;
    expect(taken).toBeLessThan(150 * count);
    for (let n = 0; n < count; n += 1) trie.remove(topicOf(n));
    expect(await memoryInUse(before + 2 ** 20)).toBeLessThan(before + 2 ** 20);
    expect(trie.find(topicOf(count))).toBeGreaterThan(0);
  });

  it("a topic that is too long for a fork's place is refused, and nothing of it kept", () => {
    const trie = new PrefixTrie(1);
    const long = new Uint8Array(LONGEST_TOPIC + 1);
    expect(() => trie.add(long)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(trie.topics.after(0)).toBe(0);
    expect(trie.find(long)).toBe(0);
    trie.add(Uint8Array.of(1));
    expect(() => trie.add(long)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(found(trie, Uint8Array.of(1, 2))).toEqual(["\x01"]);
  });
});
