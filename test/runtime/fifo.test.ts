import fc from "fast-check";
import { expect, it } from "vitest";
import { Fifo } from "../../src/runtime/fifo.ts";

it("looks at and replaces items in their place, as an array does", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("push" as const), value: fc.integer() }),
    fc.record({ kind: fc.constant("shift" as const), value: fc.constant(0) }),
    fc.record({ kind: fc.constant("set" as const), value: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const fifo = new Fifo<number>();
      const items: number[] = [];
      for (const { kind, value } of steps) {
        if (kind === "push") {
          fifo.push(value);
          items.push(value);
        } else if (kind === "shift") {
          expect(fifo.shift()).toBe(items.shift());
        } else if (items.length > 0) {
          const index = value % items.length;
          fifo.set(index, -value);
          items[index] = -value;
        }
        expect(items.map((_, i) => fifo.at(i))).toEqual(items);
        expect([fifo.length, ...fifo]).toEqual([items.length, ...items]);
      }
    }),
  );
});
