import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Database, Store } from "../../../src/redis-resp/broker/store.ts";

const FOR_EVER = Number.POSITIVE_INFINITY;
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const value = (content: string): Uint8Array => Buffer.from(content);

function open(maxBytes = 1_000_000): { store: Store; keys: Database; clock: { now: number } } {
  const clock = { now: 1000 };
  const store = new Store(2, maxBytes, () => clock.now);
  return { store, keys: store.databases[0] as Database, clock };
}

/** All keys, `count` at a time; `between` is called after each step. */
function scanAll(keys: Database, count: number, between: () => void = () => {}): string[] {
  const found: string[] = [];
  let cursor = 0;
  do {
    cursor = keys.scan(cursor, count, (key) => found.push(text(key)));
    between();
  } while (cursor !== 0);
  return found;
}

describe("keys", () => {
  it("live until their time is over", () => {
    const { keys, clock } = open();
    keys.set("a", value("1"), 50);
    keys.set("b", value("1"), FOR_EVER);
    clock.now += 49;
    expect(keys.get("a")?.value).toEqual(value("1"));
    clock.now += 1;
    expect(scanAll(keys, 10)).toEqual(["b"]);
    expect(keys.get("a")).toBeUndefined();
    expect(keys.delete("a")).toBe(false);
    expect(keys.size).toBe(1);
  });

  it("what is set again keeps no deadline of before", () => {
    const { keys, clock } = open();
    keys.set("a", value("1"), 50);
    keys.set("a", value("2"), FOR_EVER);
    expect(keys.expiring).toBe(0);
    clock.now += 100;
    expect(keys.get("a")?.value).toEqual(value("2"));
  });

  it("an expired one that nobody asks for goes when its memory is needed", () => {
    const { store, keys, clock } = open(1000);
    keys.set("a", value("x".repeat(800)), 50);
    expect(store.isFull(500)).toBe(true);
    clock.now += 50;
    expect(store.isFull(500)).toBe(false);
    expect(store.bytes).toBe(0);
  });

  it("count towards one limit for all databases", () => {
    const { store } = open(1000);
    for (const database of store.databases) database.set("a", value("x".repeat(300)), FOR_EVER);
    // 64 and the key for each, besides its value.
    expect(store.bytes).toBe(2 * 365);
    expect(store.isFull(270)).toBe(false);
    expect(store.isFull(271)).toBe(true);
    store.clear();
    expect(store.bytes).toBe(0);
  });

  it("memory is counted exactly, whatever happens", () => {
    const key = fc.constantFrom("a", "bb", "ccc");
    const content = fc.string({ unit: "binary-ascii", maxLength: 20 });
    const action = fc.oneof(
      fc.record({ kind: fc.constant("set" as const), key, content, lifetime: fc.constantFrom(5, FOR_EVER) }),
      fc.record({ kind: fc.constant("field" as const), key, field: key, content }),
      fc.record({ kind: fc.constant("unfield" as const), key, field: key }),
      fc.record({ kind: fc.constant("delete" as const), key }),
      fc.record({ kind: fc.constant("wait" as const), time: fc.nat(6) }),
      fc.record({ kind: fc.constant("clear" as const) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const { store, keys, clock } = open();
        for (const one of actions) {
          if (one.kind === "set") keys.set(one.key, value(one.content), one.lifetime);
          else if (one.kind === "delete") keys.delete(one.key);
          else if (one.kind === "clear") keys.clear();
          else if (one.kind === "wait") clock.now += one.time;
          else {
            let entry = keys.get(one.key);
            if (!(entry?.value instanceof Map)) entry = keys.set(one.key, new Map(), FOR_EVER);
            if (one.kind === "field") keys.setField(entry, one.field, value(one.content));
            else keys.deleteField(entry, one.field);
          }
        }
        keys.sweep();
        let expected = 0;
        keys.scan(0, 100, (name, entry) => {
          expected += name.length + 64;
          if (entry.value instanceof Uint8Array) expected += entry.value.length;
          else for (const [field, bytes] of entry.value) expected += field.length + bytes.length + 64;
        });
        expect(store.bytes).toBe(expected);
      }),
    );
  });
});

describe("scan", () => {
  it("meets every key that is there all the time exactly once, whatever else comes and goes", () => {
    const names = fc.uniqueArray(fc.nat(200), { maxLength: 60 });
    fc.assert(
      fc.property(
        names,
        fc.array(fc.nat(400), { maxLength: 100 }),
        fc.integer({ min: 1, max: 7 }),
        (stable, others, count) => {
          const { keys } = open();
          for (const n of stable) keys.set(`stable-${n}`, value(""), FOR_EVER);
          const changes = [...others];
          const found = scanAll(keys, count, () => {
            for (const n of changes.splice(0, 3)) {
              if (n % 2 === 0) keys.set(`other-${n % 20}`, value(""), FOR_EVER);
              else keys.delete(`other-${(n - 1) % 20}`);
            }
          });
          expect(found.filter((key) => key.startsWith("stable")).sort()).toEqual(
            stable.map((n) => `stable-${n}`).sort(),
          );
        },
      ),
    );
  });

  it("goes on where it was, when most of the keys before are gone", () => {
    const { keys } = open();
    for (let n = 0; n < 1000; n++) keys.set(`k${n}`, value(""), FOR_EVER);
    const cursor = keys.scan(0, 500, () => {});
    for (let n = 0; n < 900; n++) keys.delete(`k${n}`);
    const found: string[] = [];
    expect(keys.scan(cursor, 1000, (key) => found.push(text(key)))).toBe(0);
    expect(found).toEqual(Array.from({ length: 100 }, (_, n) => `k${900 + n}`));
  });
});
