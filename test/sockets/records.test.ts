import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Chain } from "../../src/sockets/patterns/chain.ts";
import { Records } from "../../src/sockets/patterns/records.ts";
import { memoryInUse } from "../support/memory.ts";

describe("Records", () => {
  it("agree with a map, over many pages, as they come and go", () => {
    // Long runs of one kind, so that pages fill and empty.
    const run = fc.record({
      what: fc.constantFrom("add", "add", "remove oldest", "remove newest"),
      count: fc.integer({ min: 1, max: 5000 }),
    });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 8 }), (runs) => {
        const records = new Records(3);
        const model = new Map<number, number>();
        let n = 0;
        for (const { what, count } of runs) {
          for (let i = 0; i < count; i += 1) {
            if (what === "add") {
              const id = records.add();
              if (id < 1 || model.has(id)) throw new Error(`number ${id} given twice`);
              const fresh = [0, 1, 2].map((field) => records.get(id, field));
              if (fresh.some((value) => value !== 0)) throw new Error(`fields ${fresh}`);
              n += 1;
              records.set(id, 0, n);
              records.set(id, 2, -n);
              records.setText(id, `${n}`);
              model.set(id, n);
            } else {
              const id = what === "remove oldest" ? model.keys().next().value : [...lastOf(model)][0];
              if (id === undefined) break;
              model.delete(id);
              records.remove(id);
            }
          }
          for (const [id, n] of model)
            if (records.get(id, 0) !== n || records.get(id, 2) !== -n || records.text(id) !== `${n}`)
              throw new Error(`record ${id} has changed`);
          const ids: number[] = [];
          for (let id = records.after(0); id !== 0; id = records.after(id)) ids.push(id);
          expect(ids).toEqual([...model.keys()].sort((a, b) => a - b));
        }
      }),
      { numRuns: 30 },
    );
  });

  /** The greatest number. */
  function lastOf(model: Map<number, number>): number[] {
    let last = 0;
    for (const id of model.keys()) if (id > last) last = id;
    return last === 0 ? [] : [last];
  }

  it("memory: few take little, and many that have gone nothing", async () => {
    const before = await memoryInUse();
    const many = Array.from({ length: 1000 }, () => new Records(4));
    for (const records of many) records.add();
    const few = 2 ** 21;
    expect((await memoryInUse(before + few)) - before).toBeLessThan(few);
    const [records] = many as [Records];
    const ids = Array.from({ length: 1_000_000 }, () => records.add());
    for (const id of ids) if (id !== 1) records.remove(id);
    ids.length = 0;
    expect((await memoryInUse(before + few)) - before).toBeLessThan(few);
    expect(records.get(1, 0)).toBe(0);
  });
});

describe("Chain", () => {
  it("agrees with an array", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 100 }), (steps) => {
        const records = new Records(3);
        const chain = new Chain(records, 1, 2);
        const model: number[] = [];
        for (const step of steps) {
          const id = model[step];
          if (id === undefined) {
            const added = records.add();
            chain.add(added);
            model.push(added);
          } else {
            chain.remove(id);
            records.remove(id);
            model.splice(step, 1);
          }
          const ids: number[] = [];
          for (let next = chain.first; next !== 0; next = records.get(next, 1)) ids.push(next);
          expect(ids).toEqual(model);
          expect(chain.last).toBe(model.at(-1) ?? 0);
        }
      }),
    );
  });
});
