import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type TopicMatch, TopicSet } from "../../../src/drivers/event/topics.ts";

const matches = (set: TopicSet, topic: string) => set.matches(Buffer.from(topic));

describe("dragonflow.md 10, defects 5 to 7: topics", () => {
  it("match the whole topic frame by default", () => {
    const set = new TopicSet();
    expect(set.add("listener_node1")).toBe(true);
    expect(matches(set, "listener_node1")).toBe(true);
    expect(matches(set, "listener_node10")).toBe(false);
    expect(matches(set, "listener_node")).toBe(false);
  });

  it("match the beginning with match: prefix", () => {
    const set = new TopicSet();
    set.add("node", "prefix");
    expect(matches(set, "node")).toBe(true);
    expect(matches(set, "node1")).toBe(true);
    expect(matches(set, "nod")).toBe(false);
  });

  it("one of two prefixes of a length can go", () => {
    const set = new TopicSet();
    for (const prefix of ["ab", "cd"]) set.add(prefix, "prefix");
    set.delete("ab");
    expect(matches(set, "abc")).toBe(false);
    expect(matches(set, "cde")).toBe(true);
  });

  it("nothing registered matches nothing; the empty topic matches everything", () => {
    const set = new TopicSet();
    expect(matches(set, "")).toBe(false);
    set.add("");
    expect(matches(set, "")).toBe(true);
    expect(set.matches(Uint8Array.of(0xff, 0x00))).toBe(true);
    set.delete("");
    expect(matches(set, "x")).toBe(false);
  });

  it("true for a new topic, false for a known one; delete says whether it was there", () => {
    const set = new TopicSet();
    expect([set.add("a"), set.add("a"), set.delete("a"), set.delete("a"), set.add("a")]).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
    expect(set.topics).toEqual(["a"]);
    expect(set.has("a")).toBe(true);
  });

  it("compares UTF-8 bytes, and a view into a larger buffer", () => {
    const set = new TopicSet();
    set.add("é☃");
    expect(set.matches(Buffer.from("xé☃x").subarray(1, 6))).toBe(true);
    expect(matches(set, "é")).toBe(false);
  });

  it("refuses lone surrogates, other kinds, and a change of mind about match", () => {
    const set = new TopicSet();
    set.add("a");
    for (const wrong of [
      () => set.add("\ud800"),
      () => set.add("a", "prefix"),
      () => set.add("b", "glob" as "exact"),
    ]) {
      expect(wrong).toThrow(expect.objectContaining({ code: "EINVAL" }));
    }
    expect(() => set.add(5 as unknown as string)).toThrow(TypeError);
    expect(set.topics).toEqual(["a"]);
  });

  it("agrees with a plain list, whatever is added and deleted", () => {
    const topic = fc.string({ unit: fc.constantFrom("a", "é"), maxLength: 3 });
    const step = fc.record({
      add: fc.boolean(),
      topic,
      match: fc.constantFrom<TopicMatch>("exact", "prefix"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(topic, { minLength: 5 }), (steps, frames) => {
        const set = new TopicSet();
        const list = new Map<string, TopicMatch>();
        for (const { add, topic, match } of steps) {
          if (!add) {
            expect(set.delete(topic)).toBe(list.delete(topic));
          } else if (!list.has(topic)) {
            list.set(topic, match);
            set.add(topic, match);
          }
        }
        for (const frame of frames) {
          const wanted = [...list].some(
            ([t, m]) => t === frame || ((m === "prefix" || t === "") && frame.startsWith(t)),
          );
          expect(matches(set, frame)).toBe(wanted);
        }
      }),
    );
  });
});
