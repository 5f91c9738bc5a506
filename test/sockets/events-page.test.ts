import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name]) => name!);

describe("MO-1: docs/events.md", () => {
  const page = read("docs/events.md");
  const source = read("src/sockets/events/events.ts");

  it("has a row for every event, and for no other", () => {
    const types = all(source, /\btype: "([a-z:]+)"/g);
    expect(types).toContain("connect:retry");
    expect(all(page, /^\| `([a-z:]+)` \|/gm).sort()).toEqual(types.sort());
  });

  it("names every reason of a disconnect", () => {
    const reasons = all(source, /^ {2}\| "([a-z]+)"/gm);
    expect(reasons).toContain("heartbeat");
    expect(reasons.filter((reason) => !page.includes(`(\`${reason}\`)`))).toEqual([]);
  });
});
