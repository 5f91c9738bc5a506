import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Output } from "../../../src/redis-resp/broker/output.ts";

const allocate = (size: number): Uint8Array => Buffer.allocUnsafe(size);

/** @returns the batches, in order. */
function drain(output: Output): Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  while (output.size > 0) batches.push(output.take());
  return batches;
}

describe("output", () => {
  it("joins small chunks and passes large ones on", () => {
    const output = new Output(allocate);
    const large = Buffer.alloc(5000, "L");
    for (const chunk of [Buffer.from("ab"), Buffer.from("cd"), large, Buffer.from("ef")]) output.add(chunk);
    expect(output.size).toBe(5006);
    const taken = output.take();
    expect(taken.map((chunk) => chunk.length)).toEqual([4, 5000, 2]);
    expect(taken[1]).toBe(large);
    expect(output.size).toBe(0);
  });

  it("gives out a backlog in portions", () => {
    const output = new Output(allocate);
    const large = Buffer.alloc(100_000);
    for (let n = 0; n < 10; n++) output.add(large);
    expect(output.take()).toHaveLength(3);
    expect(output.size).toBe(700_000);
  });

  it("gives out all bytes in order, whatever is added and taken in between", () => {
    const chunk = fc.oneof(
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 4000, max: 4200 }),
      fc.constant(150_000),
    );
    const action = fc.oneof(
      { weight: 5, arbitrary: chunk },
      { weight: 1, arbitrary: fc.constant("take" as const) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const output = new Output(allocate);
        const added: Uint8Array[] = [];
        const taken: Uint8Array[] = [];
        for (const one of actions) {
          if (one === "take") taken.push(...output.take());
          else {
            const bytes = Buffer.alloc(one, String(added.length));
            added.push(bytes);
            output.add(bytes);
          }
        }
        taken.push(...drain(output).flat());
        expect(Buffer.compare(Buffer.concat(taken), Buffer.concat(added))).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps its order over thousands of chunks that are taken in portions", () => {
    const output = new Output(allocate);
    const sent = Array.from({ length: 5000 }, (_, n) => Buffer.from(`${n}`.padStart(200, ".")));
    for (const chunk of sent) output.add(chunk);
    const batches = drain(output);
    expect(batches.length).toBeGreaterThan(3);
    expect(Buffer.compare(Buffer.concat(batches.flat()), Buffer.concat(sent))).toBe(0);
  });
});
