import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstSuccess } from "../../src/redis-resp/cluster/first-success.ts";
import { nodeEnvironment } from "../../src/runtime/node.ts";

const environment = nodeEnvironment();
const NEVER = 2 ** 31 - 1;

describe("firstSuccess", () => {
  it("one that fails is followed by the next, at once", async () => {
    const tried: number[] = [];
    const attempt = async (item: number): Promise<string> => {
      tried.push(item);
      if (item < 3) throw new Error(`not ${item}`);
      return `${item}`;
    };
    expect(await firstSuccess([1, 2, 3, 4], attempt, NEVER, environment)).toBe("3");
    expect(tried).toEqual([1, 2, 3]);
  });

  it("one that hangs is joined by the next, and may still win", async () => {
    let finish = (_result: string): void => {};
    const tried: number[] = [];
    const attempt = (item: number): Promise<string> => {
      tried.push(item);
      return new Promise((resolve) => {
        if (item === 1) finish = resolve;
        else finish("the first");
      });
    };
    expect(await firstSuccess([1, 2], attempt, 1, environment)).toBe("the first");
    expect(tried).toEqual([1, 2]);
  });

  it("when all fail, the last one says why", async () => {
    const attempt = (item: number): Promise<string> => Promise.reject(new Error(`not ${item}`));
    await expect(firstSuccess([1, 2], attempt, NEVER, environment)).rejects.toThrow("not 2");
  });

  it("whoever succeeds, each is tried once at most, in order, and none after a success", async () => {
    const outcomes = fc.array(fc.boolean(), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(outcomes, async (all) => {
        const tried: number[] = [];
        const attempt = async (item: number): Promise<number> => {
          tried.push(item);
          if (!all[item]) throw new Error("no");
          return item;
        };
        const first = all.indexOf(true);
        const result = firstSuccess([...all.keys()], attempt, NEVER, environment);
        if (first < 0) await expect(result).rejects.toThrow("no");
        else expect(await result).toBe(first);
        expect(tried).toEqual([...all.keys()].slice(0, first < 0 ? all.length : first + 1));
      }),
    );
  });
});
