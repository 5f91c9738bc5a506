import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf } from "../../../src/redis-resp/pubsub/channel.ts";
import { NameTable } from "../../../src/redis-resp/pubsub/name-table.ts";
import { Subscription } from "../../../src/redis-resp/pubsub/subscription.ts";

const subscribed = (key: string): Subscription => new Subscription("channel", key);

describe("the table of names", () => {
  it("finds by bytes, any of them, and by the whole name", () => {
    const table = new NameTable();
    const names = ["", "a", "ab", "\x00", "\xff\x80", "é", "x".repeat(1000), `${"x".repeat(999)}y`];
    for (const name of names) table.add(subscribed(name));
    for (const name of names) expect(table.find(bytesOf(name))?.key).toBe(name);
    for (const other of ["b", "aa", "abc", "\x01", "x".repeat(999)])
      expect(table.find(bytesOf(other))).toBeUndefined();
  });

  it("forgets what it found last, when that goes", () => {
    const table = new NameTable();
    const [one, two] = [subscribed("a"), subscribed("a")];
    table.add(one);
    expect(table.find(bytesOf("a"))).toBe(one);
    table.delete(one);
    expect(table.find(bytesOf("a"))).toBeUndefined();
    table.add(two);
    expect(table.find(bytesOf("a"))).toBe(two);
    table.clear();
    expect(table.find(bytesOf("a"))).toBeUndefined();
  });

  it("is like a Map, whatever is added and deleted in whatever order", () => {
    const steps = fc.array(fc.record({ key: fc.nat(300), add: fc.boolean() }), {
      maxLength: 1500,
      size: "max",
    });
    fc.assert(
      fc.property(steps, (all) => {
        const table = new NameTable();
        const map = new Map<string, Subscription>();
        for (const { key: number, add } of all) {
          const key = `channel:${number}`;
          const there = map.get(key);
          if (there === undefined && add) {
            const fresh = subscribed(key);
            table.add(fresh);
            map.set(key, fresh);
          } else if (there !== undefined && !add) {
            table.delete(there);
            map.delete(key);
          }
          expect(table.find(bytesOf(key))).toBe(map.get(key));
        }
        table.delete(subscribed("never added"));
        for (let number = 0; number <= 300; number++)
          expect(table.find(bytesOf(`channel:${number}`))).toBe(map.get(`channel:${number}`));
      }),
      { numRuns: 50 },
    );
  });
});
