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

const KIB = 1024;

/** So many of the same bytes, from an offset on. */
function at(offset: number, size: number): Uint8Array {
  return filled(size, offset * 31);
}

/** A queue that tells what memory it takes. */
function counting(): { queue: ByteQueue; sizes: number[] } {
  const sizes: number[] = [];
  const queue = new ByteQueue((size) => {
    sizes.push(size);
    return new Uint8Array(size);
  });
  sizes.length = 0;
  return { queue, sizes };
}

describe("ByteQueue, large bodies", () => {
  it("takes memory for one only when a quarter of it has come", () => {
    const { queue, sizes } = counting();
    queue.push(filled(24 * KIB), true);
    queue.expect(100 * KIB);
    expect(sizes).toEqual([]);
    queue.keep();
    sizes.length = 0;
    queue.push(at(24 * KIB, KIB));
    queue.expect(100 * KIB);
    expect(sizes).toEqual([100 * KIB]);
    queue.push(at(25 * KIB, 75 * KIB + 5));
    expect(queue.length).toBe(100 * KIB + 5);
    expect(Buffer.compare(queue.take(100 * KIB), filled(100 * KIB))).toBe(0);
    expect(queue.take(5)).toEqual(at(100 * KIB, 5));
    expect(sizes).toEqual([100 * KIB]);
  });

  it("takes it at once for one no larger than what has come before", () => {
    const { queue, sizes } = counting();
    queue.push(filled(25 * KIB), true);
    queue.expect(100 * KIB);
    queue.push(filled(75 * KIB));
    queue.take(100 * KIB);
    queue.expect(100 * KIB + 1);
    expect(queue.space(1)).toBeNull();
    queue.expect(100 * KIB);
    expect(queue.space(1)).toHaveLength(100 * KIB);
    expect(sizes).toEqual([100 * KIB, 100 * KIB]);
  });

  it("has space for what is missing, and hands out the same memory", () => {
    const { queue } = counting();
    queue.push(filled(30 * KIB), true);
    expect(queue.space(1)).toBeNull();
    queue.expect(100 * KIB);
    expect(queue.space(70 * KIB + 1)).toBeNull();
    const space = queue.space(70 * KIB) as Uint8Array;
    expect(space).toHaveLength(70 * KIB);
    space.set(at(30 * KIB, 50 * KIB));
    queue.filled(50 * KIB);
    expect(queue.length).toBe(80 * KIB);
    expect(queue.space(1)).toHaveLength(20 * KIB);
    queue.push(at(80 * KIB, 20 * KIB));
    expect(queue.space(1)).toBeNull();
    const body = queue.take(100 * KIB);
    expect(body.buffer).toBe(space.buffer);
    expect(Buffer.compare(body, filled(100 * KIB))).toBe(0);
  });

  it("leaves a small one to the chunks, and forgets all when cleared", () => {
    const { queue, sizes } = counting();
    queue.push(filled(10 * KIB), true);
    queue.expect(16 * KIB - 1);
    expect(sizes).toEqual([]);
    queue.expect(16 * KIB);
    expect(sizes).toEqual([16 * KIB]);
    queue.clear();
    expect([queue.length, queue.space(1)]).toEqual([0, null]);
    queue.push(filled(3));
    expect(queue.take(3)).toEqual(filled(3));
  });

  it("leaves those of chunks that are its own to them until all has come: one copy", () => {
    const { queue, sizes } = counting();
    queue.push(filled(30 * KIB));
    queue.expect(100 * KIB);
    expect([queue.space(1), sizes]).toEqual([null, []]);
    queue.push(at(30 * KIB, 70 * KIB));
    expect(Buffer.compare(queue.take(100 * KIB), filled(100 * KIB))).toBe(0);
    expect(sizes).toEqual([100 * KIB]);
  });
});

describe("ByteQueue, lent chunks", () => {
  it("copies what is taken first by itself, and the rest once", () => {
    const queue = new ByteQueue(allocateUint8Array);
    const lent = filled(20);
    queue.push(lent, true);
    const first = queue.take(5);
    const second = queue.take(10);
    queue.keep();
    lent.fill(0xee);
    const third = queue.take(5);
    expect([first, second, third]).toEqual([filled(5), at(5, 10), at(15, 5)]);
    expect(second.buffer).toBe(third.buffer);
    expect(second.buffer).not.toBe(first.buffer);
  });

  it("copies the beginning of a large body only once, behind a topic too", () => {
    const { queue, sizes } = counting();
    const lent = filled(64 * KIB);
    queue.push(lent, true);
    expect(queue.take(5)).toEqual(filled(5));
    queue.expect(100 * KIB);
    queue.keep();
    lent.fill(0xee);
    queue.push(at(64 * KIB, 36 * KIB + 5), true);
    expect(Buffer.compare(queue.take(100 * KIB), at(5, 100 * KIB))).toBe(0);
    expect(sizes).toEqual([5, 100 * KIB]);
  });

  it("hands out no view of it, whatever is taken before or after keep", () => {
    const step = fc.record({
      size: fc.integer({ min: 1, max: 90_000 }),
      isLent: fc.boolean(),
      takes: fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 16_000, max: 70_000 }))),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const queue = new ByteQueue(allocateUint8Array);
        const views: [Uint8Array, Uint8Array][] = [];
        let pushed = 0;
        let taken = 0;
        let wanted = 0;
        for (const { size, isLent, takes } of steps) {
          const chunk = filled(size, pushed * 31);
          queue.push(chunk, isLent);
          pushed += size;
          // As a decoder does: what it has asked for is what it takes next.
          for (const take of takes) {
            if (wanted === 0) wanted = take;
            if (queue.length < wanted) {
              queue.expect(wanted);
              break;
            }
            views.push([queue.take(wanted), filled(wanted, taken * 31)]);
            taken += wanted;
            wanted = 0;
          }
          queue.keep();
          if (isLent) chunk.fill(0xee);
          expect(queue.length).toBe(pushed - taken);
        }
        for (const [view, expected] of views) expect(Buffer.compare(view, expected)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
