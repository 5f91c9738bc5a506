import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface Item {
  id: string;
  verdict: string;
  says: string;
  reason: string;
  open: boolean;
}
interface Section {
  title: string;
  note: string;
  items: Item[];
}
interface Title {
  file: string;
  title: string;
  kind: "test" | "describe" | "row";
  ids: string[];
  ranges: string[];
}

const load = (name: string) => import(new URL(`../scripts/${name}`, import.meta.url).href);
const { conformance, PAGE }: { conformance(): { text: string; problems: string[] }; PAGE: string } =
  await load("conformance.mjs");
const { parseItems }: { parseItems(text: string): Section[] } = await load("conformance/items.mjs");
const {
  idsOf,
  titlesIn,
  withoutIds,
}: {
  idsOf(title: string): object;
  titlesIn(file: string, text: string): Title[];
  withoutIds(title: string): string;
} = await load("conformance/titles.mjs");
const {
  page,
  problems,
}: {
  page(head: string, sections: Section[], titles: Title[]): string;
  problems(sections: Section[], titles: Title[]): string[];
} = await load("conformance/page.mjs");

describe("docs/conformance.md", () => {
  const found = conformance();

  it("every item that applies has a test, and every test names items that exist", () => {
    expect(found.problems).toEqual([]);
  });

  it("is up to date: `npm run conformance` writes it", () => {
    expect(readFileSync(PAGE, "utf8")).toBe(found.text);
  });
});

describe("docs/conformance.md: how it is made", () => {
  it("reads the items, one a line", () => {
    expect(parseItems("# A\n\nof a kind\n\nX-1 | rfc | one\nX-2 | open otherwise | two | why\n")).toEqual([
      {
        title: "A",
        note: "of a kind",
        items: [
          { id: "X-1", verdict: "rfc", says: "one", reason: "", open: false },
          { id: "X-2", verdict: "otherwise", says: "two", reason: "why", open: true },
        ],
      },
    ]);
  });

  it.each([
    ["no section", "X-1 | rfc | one"],
    ["unknown verdict", "# A\nX-1 | maybe | one"],
    ["twice", "# A\nX-1 | rfc | one\nX-1 | rfc | one"],
    ["no reason", "# A\nX-1 | otherwise | one"],
    ["not an item", "# A\nX-1 | rfc"],
  ])("refuses an item: %s", (why, text) => {
    expect(() => parseItems(text)).toThrow(why);
  });

  it("finds ids in titles, alone and in ranges", () => {
    expect(idsOf("PS-15, RC-6: again")).toEqual({ ids: ["PS-15", "RC-6"], ranges: [] });
    expect(idsOf("GR-5 to GR-7, GR-14")).toEqual({ ids: ["GR-14"], ranges: ["GR-5", "GR-6", "GR-7"] });
    expect(idsOf("C-46 and C-47")).toEqual({ ids: ["C-46", "C-47"], ranges: [] });
    expect(idsOf("UTF-8, Latin-1, RFC 37, ABC-1, E, EINVAL")).toEqual({ ids: [], ranges: [] });
  });

  it("shows titles without the ids", () => {
    expect(withoutIds("PS-15, RC-6 to RC-8: again (E21)")).toBe("again");
    expect(withoutIds("C-3, READY and C-4")).toBe("READY and C-4");
    expect(withoutIds("RFC 37, Framing")).toBe("RFC 37, Framing");
  });

  const SOURCE = [
    'describe("PS-1: a", () => {',
    '  it("b", () => {});',
    '  it.each([["PS-2, row", 1]])("PS-3: %s", () => {});',
    '  it.skip("PS-4: not run", () => {});',
    "});",
    "describe.each(peers)(`PS-5: with $" + '{x}`, () => it("c", f));',
    'const text = "not PS-6";',
  ].join("\n");

  it("finds titles of tests, of groups and of rows, not those that are skipped", () => {
    expect(titlesIn("a.test.ts", SOURCE)).toEqual([
      { file: "a.test.ts", title: "PS-1: a", kind: "describe", ids: ["PS-1"], ranges: [] },
      { file: "a.test.ts", title: "PS-3: %s", kind: "test", ids: ["PS-3"], ranges: [] },
      { file: "a.test.ts", title: "PS-2, row", kind: "row", ids: ["PS-2"], ranges: [] },
      { file: "a.test.ts", title: "PS-5: with …", kind: "describe", ids: ["PS-5"], ranges: [] },
    ]);
  });

  const sections = parseItems("# A\nPS-1 | rfc | a *b* | c\nPS-9 | libzmq | d\nPS-8 | not yet | e | f");

  it("tells of items without a test and of tests without an item", () => {
    expect(
      problems(sections, titlesIn("a.test.ts", 'describe("PS-1, PS-7", () => { it("x", f); })')),
    ).toEqual(["PS-9 has no test: d", 'a.test.ts: "PS-1, PS-7" names PS-7, which is no item']);
    // A group in which nothing is tested shows nothing.
    expect(problems(sections, titlesIn("a.test.ts", 'describe("PS-1, PS-9", () => {})'))).toHaveLength(2);
  });

  it("an open item needs no test; once it has one it needs its verdict", () => {
    const sections = parseItems("# A\nPS-1 | open rfc | a");
    expect(problems(sections, [])).toEqual([]);
    expect(page("", sections, [])).toContain("| PS-1 | a | open |  |");
    expect(problems(sections, titlesIn("a.test.ts", 'it("PS-1: a", f)'))).toEqual([
      "PS-1 is open no more, a.test.ts shows it: give it its verdict",
    ]);
  });

  it("is one table a section", () => {
    const text = page("# Head", sections, titlesIn("x/a.test.ts", 'it("PS-1: a|b", f); it("PS-1: c", f);'));
    expect(text).toContain("3 items: 1 as the RFC, 1 as libzmq, 1 not yet.");
    expect(text).toContain("\n## A\n\n| item | what it says | here | tests |\n| --- | --- | --- | --- |\n");
    expect(text).toContain("| PS-1 | a \\*b\\* | as the RFC: c | **x/a**: a\\|b; c |\n");
    expect(text).toContain("| PS-8 | e | not yet: f |  |\n");
  });
});
