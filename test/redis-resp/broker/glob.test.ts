import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesGlob } from "../../../src/redis-resp/broker/glob.ts";

const matches = (pattern: string, text: string): boolean =>
  matchesGlob(Buffer.from(pattern, "latin1"), Buffer.from(text, "latin1"));

describe("patterns", () => {
  it.each([
    ["news", "news"],
    ["news.*", "news.art"],
    ["*", "a"],
    ["**a**", "a"],
    ["a*b*c", "a-b-b-c"],
    ["?", "\xff"],
    ["h[ae]llo", "hallo"],
    ["h[^e]llo", "hallo"],
    ["h[a-c]llo", "hbllo"],
    ["h[c-a]llo", "hbllo"],
    ["[a", "a"],
    ["[a-", "-"],
    ["[\\]]", "]"],
    ["\\*", "*"],
    ["a\\", "a\\"],
    ["", ""],
  ])("%j matches %j", (pattern, text) => {
    expect(matches(pattern, text)).toBe(true);
  });

  it.each([
    ["news", "newsx"],
    ["news", "new"],
    ["?", ""],
    ["?", "ab"],
    ["a*b", "a"],
    ["h[^e]llo", "hello"],
    ["[]a]", "a"],
    ["\\*", "a"],
    ["[a-c]", "d"],
    ["A", "a"],
    // Not even the star: the server has it so.
    ["*", ""],
  ])("%j does not match %j", (pattern, text) => {
    expect(matches(pattern, text)).toBe(false);
  });

  it("stars cost no more than pattern times text", () => {
    expect(matches(`${"a*".repeat(50)}b`, "a".repeat(20_000))).toBe(false);
    expect(matches(`${"*[ab]".repeat(50)}c`, "ab".repeat(10_000))).toBe(false);
  });

  it("what is escaped, or put in a class, is itself", () => {
    const text = fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(text, (raw) => {
        expect(matches(raw.replace(/[\s\S]/g, "\\$&"), raw)).toBe(true);
        expect(matches(raw.replace(/[\s\S]/g, "[\\$&]"), raw)).toBe(true);
        expect(matches(`*${raw.replace(/[\s\S]/g, "\\$&")}`, `x${raw}`)).toBe(true);
      }),
    );
  });
});
