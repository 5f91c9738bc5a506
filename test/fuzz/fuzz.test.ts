import { describe, expect, it } from "vitest";
import { ByteQueue } from "../../src/zmtp/byte-queue.ts";
import { FrameDecoder } from "../../src/zmtp/index.ts";
import { Fuzzer, readCase, run, spell } from "./fuzzer.ts";
import { generated, kept } from "./seeds.ts";
import { Slate } from "./slate.ts";
import { Finding, TARGETS, type TargetName } from "./targets.ts";

const NAMES = Object.keys(TARGETS) as TargetName[];

/** Runs with one method of the engine replaced. */
function withFault<T extends object, K extends keyof T>(
  owner: T,
  name: K,
  fault: T[K],
  act: () => void,
): void {
  const before = Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor;
  Object.defineProperty(owner, name, { ...before, value: fault });
  try {
    act();
  } finally {
    Object.defineProperty(owner, name, before);
  }
}

describe("FR-8, E16: arbitrary bytes give events or a ProtocolError, in bounded steps and memory, the same however cut", () => {
  it("some thousand inputs from a fixed seed; `npm run fuzz` tries millions", () => {
    const fuzzer = new Fuzzer(37);
    while (fuzzer.count < 6000) {
      const one = fuzzer.next();
      try {
        fuzzer.tell(one, run(one));
      } catch (error) {
        throw new Error(`npm run fuzz -- --replay ${spell(one)}`, { cause: error });
      }
    }
    expect(fuzzer.signatures).toBeGreaterThan(100);
  });

  it.each(NAMES)("%s: the corpus and what the generators give, as it is", (target) => {
    for (const [i, bytes] of [...kept(target), ...generated(target, 40, 1)].entries()) {
      expect(run({ target, bytes, choice: (i * 37) % 256, cuts: i })).toBeTypeOf("number");
    }
  });
});

describe("the fuzzer", () => {
  it("gives the same inputs for the same seed", () => {
    const spelled = (): string[] => {
      const fuzzer = new Fuzzer(5);
      return Array.from({ length: 200 }, () => {
        const one = fuzzer.next();
        fuzzer.tell(one, run(one));
        return spell(one);
      });
    };
    expect(spelled()).toEqual(spelled());
  });

  it("spells an input so that it can be run again", () => {
    const one = { target: "traffic" as const, bytes: Uint8Array.of(0, 255), choice: 200, cuts: 2 ** 32 - 1 };
    expect(spell(one)).toBe("traffic:200:4294967295:00ff");
    expect(readCase(spell(one))).toEqual(one);
    expect(() => readCase("nothing:1:2:00")).toThrow("TARGET:CHOICE:CUTS:HEX");
    const slate = new Slate();
    slate.write(one);
    expect(new Slate(slate.memory).read()).toEqual(one);
  });

  it("finds another exception, a result that depends on the cuts, and an end that never comes", () => {
    const bytes = Uint8Array.of(0, 3, 1, 2, 3);
    const findings = (): string[] =>
      Array.from({ length: 40 }, (_, cuts) => {
        try {
          run({ target: "decoder", bytes, choice: 0, cuts });
          return "";
        } catch (error) {
          return error instanceof Finding ? error.message : "no Finding";
        }
      });
    const { next } = FrameDecoder.prototype;
    const { push } = ByteQueue.prototype;
    const throwing = (): never => {
      throw new RangeError("a fault");
    };
    function forgetting(this: ByteQueue, chunk: Uint8Array): void {
      push.call(this, chunk.subarray(0, 4));
    }
    function endless(this: FrameDecoder): ReturnType<typeof next> {
      this.push(Uint8Array.of(0, 0));
      return next.call(this);
    }
    const any = (text: string): unknown => expect.stringContaining(text);
    withFault(FrameDecoder.prototype, "next", throwing, () =>
      expect(findings()).toContainEqual(any("RangeError")),
    );
    withFault(ByteQueue.prototype, "push", forgetting, () =>
      expect(findings()).toContainEqual(any("when cut")),
    );
    withFault(FrameDecoder.prototype, "next", endless, () =>
      expect(findings()).toContainEqual(any("more frames")),
    );
    expect(findings()).toEqual(findings().map(() => ""));
  });
});
