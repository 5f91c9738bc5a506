import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allocateUint8Array, ByteQueue } from "../../src/zmtp/byte-queue.ts";
import { chunked, chunking } from "../generators/index.ts";
import { byteByByte, cut } from "../support/chunks.ts";
import { filled } from "../support/hex.ts";

function queueOf(chunks: Uint8Array[]): ByteQueue {
  const queue = new ByteQueue(allocateUint8Array);
  for (const chunk of chunks) queue.push(chunk);
  return queue;
}

describe("ByteQueue", () => {
  it("hands out a view of what lies in one chunk", () => {
    const chunk = filled(10);
    const taken = queueOf([chunk]).take(4);
    expect(taken).toEqual(filled(10).subarray(0, 4));
    expect(taken.buffer).toBe(chunk.buffer);
  });

  it("copies what straddles chunks once, into memory of exactly its size", () => {
    const sizes: number[] = [];
    const queue = new ByteQueue((size) => {
      sizes.push(size);
      return new Uint8Array(size);
    });
    for (const chunk of cut(filled(100), [30, 60])) queue.push(chunk);
    expect(queue.take(90)).toEqual(filled(100).subarray(0, 90));
    expect(sizes).toEqual([90]);
    expect(queue.length).toBe(10);
  });

  it("gives back the bytes in order, however they were cut and are taken", () => {
    const takes = fc.array(fc.nat(300), { maxLength: 30 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), chunking(), takes, (bytes, cuts, sizes) => {
        const queue = queueOf(chunked(bytes, cuts));
        let at = 0;
        for (const size of sizes) {
          const n = Math.min(size, queue.length);
          expect(queue.take(n)).toEqual(bytes.subarray(at, at + n));
          at += n;
          if (queue.length > 0) expect(queue.takeByte()).toBe(bytes[at++]);
          expect(queue.length).toBe(bytes.length - at);
        }
      }),
    );
  });

  it("gives back the bytes in order when pushes and takes alternate, many chunks joined or not", () => {
    const size = fc.oneof(
      fc.constant(1),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1000, max: 3000 }),
    );
    const step = fc.record({ pushes: fc.array(size, { maxLength: 150 }), take: fc.nat(3000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const queue = new ByteQueue(allocateUint8Array);
        const views: [Uint8Array, Uint8Array][] = [];
        let pushed = 0;
        let taken = 0;
        for (const { pushes, take } of steps) {
          for (const n of pushes) {
            queue.push(filled(n, pushed * 31));
            pushed += n;
          }
          const n = Math.min(take, queue.length);
          views.push([queue.take(n), filled(n, taken * 31)]);
          taken += n;
        }
        // At the end, so that a view that was written to later shows.
        for (const [view, expected] of views) expect(Buffer.compare(view, expected)).toBe(0);
        expect(queue.length).toBe(pushed - taken);
      }),
      { numRuns: 60 },
    );
  });

  it("joins many small chunks, so that a byte does not cost a chunk", () => {
    let allocated = 0;
    const queue = new ByteQueue((size) => {
      allocated += size;
      return new Uint8Array(size);
    });
    const bytes = filled(200_000);
    for (const chunk of byteByByte(bytes)) queue.push(chunk);
    expect(queue.take(50)).toEqual(bytes.subarray(0, 50));
    const joined = queue.take(100_000);
    expect(Buffer.compare(joined, bytes.subarray(50, 100_050))).toBe(0);
    // A view: what was sent byte by byte lies in one piece.
    expect(joined.buffer.byteLength).toBeGreaterThan(100_000);
    expect(allocated).toBeLessThan(8 * bytes.length);
  });

  it("keeps large chunks as they are, however many", () => {
    let allocated = 0;
    const queue = new ByteQueue((size) => {
      allocated += size;
      return new Uint8Array(size);
    });
    for (let i = 0; i < 200; i++) queue.push(filled(1024, i));
    expect(allocated).toBe(0);
    expect(queue.length).toBe(200 * 1024);
  });
});
