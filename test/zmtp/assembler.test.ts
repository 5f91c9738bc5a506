import { describe, expect, it } from "vitest";
import { MessageAssembler } from "../../src/zmtp/assembler.ts";
import { Frame, MORE } from "../../src/zmtp/frame.ts";

/** Frames of a message of so many parts, each one byte: its number. */
function frames(count: number): Frame[] {
  return Array.from({ length: count }, (_, i) => new Frame(i < count - 1 ? MORE : 0, Uint8Array.of(i)));
}

function assemble(maxParts: number, count: number): unknown {
  const options = { findsSubscriptions: false, onlyFirstSubscribe: false, maxParts };
  const assembler = new MessageAssembler(options);
  let last: unknown = null;
  for (const frame of frames(count)) last = assembler.receive(frame);
  expect(assembler.isPartial).toBe(false);
  return last;
}

describe("RFC 37, Messages: parts in their order", () => {
  it.each([1, 2, 3, 4, 30])("%i of them, as many as are allowed", (count) => {
    const parts = Array.from({ length: count }, (_, i) => Uint8Array.of(i));
    expect(assemble(count, count)).toEqual({ type: "message", parts });
  });

  it.each([1, 2, 3, 30])("one more than %i is refused before it comes", (most) => {
    const options = { findsSubscriptions: false, onlyFirstSubscribe: false, maxParts: most };
    const assembler = new MessageAssembler(options);
    const [...before] = frames(most + 1).slice(0, most);
    const last = before.pop() as Frame;
    for (const frame of before) expect(assembler.receive(frame)).toBeNull();
    expect(() => assembler.receive(last)).toThrow(
      expect.objectContaining({ code: "ERR_ZMTP_MESSAGE_TOO_LARGE", rule: "maxMessageParts" }),
    );
  });
});
