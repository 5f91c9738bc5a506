import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeMessage } from "../../src/zmtp/frame.ts";
import { COPY_LIMIT, OutgoingMessage } from "../../src/zmtp/message.ts";
import { OutputQueue } from "../../src/zmtp/output.ts";
import { message } from "../generators/index.ts";
import { ascii, filled, hex, join } from "../support/hex.ts";

const allocate = (size: number): Uint8Array => new Uint8Array(size);

describe("OutgoingMessage", () => {
  it("counts each part with 64 bytes on top", () => {
    expect(new OutgoingMessage([filled(10), filled(0)]).size).toBe(138);
  });

  it("refuses a message without parts, and parts that are no bytes", () => {
    expect(() => new OutgoingMessage([])).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => new OutgoingMessage(["a" as unknown as Uint8Array])).toThrow(TypeError);
  });

  it("joins headers and small bodies, and passes large bodies by reference", () => {
    const small = filled(COPY_LIMIT);
    const large = filled(COPY_LIMIT + 1);
    const message = new OutgoingMessage([small, large, ascii("end")]);
    const wire = message.wire(allocate);
    expect(join(...wire)).toEqual(encodeMessage([small, large, ascii("end")]));
    expect(wire).toHaveLength(3);
    expect(wire[1]).toBe(large);
    small[0] = 99;
    expect(wire[0]?.[9]).toBe(0);
  });

  it("gives no empty chunk when a large body comes last", () => {
    const sizes = new OutgoingMessage([filled(COPY_LIMIT + 1)]).wire(allocate).map((chunk) => chunk.length);
    expect(sizes).toEqual([9, COPY_LIMIT + 1]);
  });

  it("is encoded at most once", () => {
    const message = new OutgoingMessage([ascii("a")]);
    expect(message.isEncoded).toBe(false);
    const wire = message.wire(allocate);
    expect(message.isEncoded).toBe(true);
    expect(message.wire(allocate)).toBe(wire);
    expect(wire).toEqual([hex('00 01 "a"')]);
  });
});

describe("OutputQueue", () => {
  const call = fc.record({ bodies: message(), isEncoded: fc.boolean(), isTaken: fc.boolean() });

  it("gives out what was put in, in order, and never writes to what it has given out", () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
        const queue = new OutputQueue(allocate);
        const given: Uint8Array[] = [];
        const copies: Uint8Array[] = [];
        const take = () => {
          const waiting = queue.length;
          const chunks = queue.take();
          expect(join(...chunks)).toHaveLength(waiting);
          expect(queue.length).toBe(0);
          given.push(...chunks);
          copies.push(...chunks.map((chunk) => chunk.slice()));
        };
        for (const { bodies, isEncoded, isTaken } of calls) {
          if (isEncoded) queue.append(new OutgoingMessage(bodies).wire(allocate));
          else queue.encode(bodies);
          if (isTaken) take();
        }
        take();
        expect(given.map((chunk, i) => Buffer.compare(chunk, copies[i] as Uint8Array))).toEqual(
          given.map(() => 0),
        );
        const expected = join(...calls.map(({ bodies }) => encodeMessage(bodies)));
        expect(Buffer.compare(join(...given), expected)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("copies a small body at the call and passes a large one by reference", () => {
    const queue = new OutputQueue(allocate);
    const small = filled(COPY_LIMIT);
    const large = filled(COPY_LIMIT + 1);
    queue.encode([small, large]);
    small[0] = 99;
    const chunks = queue.take();
    expect(chunks[0]?.[9]).toBe(0);
    expect(chunks[1]).toBe(large);
  });

  it("FR-12: joins small messages into one chunk", () => {
    const queue = new OutputQueue(allocate);
    for (let i = 0; i < 20; i++) queue.encode([ascii("message")]);
    expect(queue.take()).toHaveLength(1);
  });

  it("several takes share one slab, which begins at 256 bytes", () => {
    const slabs: number[] = [];
    const queue = new OutputQueue((size) => {
      slabs.push(size);
      return new Uint8Array(size);
    });
    const buffers = [1, 2, 3].map(() => {
      queue.encode([ascii("ping")]);
      return queue.take()[0]?.buffer;
    });
    expect(new Set(buffers).size).toBe(1);
    expect(slabs).toEqual([256]);
  });

  it("slabs grow to 64 KiB under load, and shrink again", () => {
    const slabs: number[] = [];
    const queue = new OutputQueue((size) => {
      slabs.push(size);
      return new Uint8Array(size);
    });
    for (let i = 0; i < 5000; i++) queue.encode([filled(100)]);
    queue.take();
    expect(Math.max(...slabs)).toBe(65536);
    for (let i = 0; i < 30_000; i++) {
      queue.encode([ascii("a")]);
      queue.take();
    }
    expect(slabs.at(-1)).toBe(1024);
  });

  it("clear drops what waits", () => {
    const queue = new OutputQueue(allocate);
    queue.encode([filled(10)]);
    queue.clear();
    expect(queue.length).toBe(0);
    expect(queue.take()).toEqual([]);
  });
});
