import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/drivers/index.ts";
import { blocks, runSnippet, type Snippet, snippets } from "./support/snippets.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const TIME_LIMIT = 15_000;

/** Other languages would be code that nobody runs. */
const LANGUAGES = ["js", "text", "sh", "ini", "json"];

async function check({ source, output }: Snippet, milliseconds: number = TIME_LIMIT): Promise<void> {
  const { exit, stdout, stderr } = await runSnippet(source, root, milliseconds);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  if (output !== null) expect(stdout.trim()).toBe(output.trim());
}

/** The scripts that a page's shell blocks call by `npm NAME` or `npm run NAME`. */
function scriptsOf(page: string): string[] {
  const shell = blocks(page).filter(({ language }) => language === "sh");
  const calls = shell.flatMap(({ text }) => [...text.matchAll(/\bnpm (?:run )?([\w:]+)/g)]);
  return calls.map(([, name]) => name!).filter((name) => name !== "ci" && name !== "install");
}

describe("README.md", () => {
  const path = join(root, "README.md");
  if (!existsSync(path)) {
    it("is there", () => {
      throw new Error("README.md is missing");
    });
    return;
  }
  const readme = readFileSync(path, "utf8");

  it("holds only languages that are run or are no code of ours", () => {
    const others = blocks(readme).filter(({ language }) => !LANGUAGES.includes(language));
    expect(others.map(({ line, language }) => `line ${line}: ${language || "no language"}`)).toEqual([]);
  });

  it("has snippets, and the package is built", () => {
    expect(snippets(readme)).not.toEqual([]);
    expect(existsSync(join(root, "dist/index.js")), "run `npm run build` first").toBe(true);
  });

  it("the commands it names are scripts of the package", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(scriptsOf(readme)).toEqual(expect.arrayContaining(["start", "test"]));
    expect(scriptsOf(readme).filter((name) => !(name in scripts))).toEqual([]);
  });

  const files = blocks(readme).filter(({ language }) => language === "ini");
  it.each(files)("the configuration in line $line is read without a warning", ({ text }) => {
    const folder = mkdtempSync(join(tmpdir(), "zmtp-readme-"));
    try {
      const file = join(folder, "dragonflow.ini");
      writeFileSync(file, text);
      const warnings: string[] = [];
      const config = loadConfig({ file, env: {}, onWarning: (message) => warnings.push(message) });
      expect(warnings).toEqual([]);
      expect(config).not.toEqual(loadConfig({ env: {} }));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const snippet of snippets(readme)) {
    it(`the snippet in line ${snippet.line} runs`, () => check(snippet), TIME_LIMIT + 5000);
  }
});

describe("docs/redis.md", () => {
  const page = readFileSync(join(root, "docs/redis.md"), "utf8");

  it("holds programs", () => {
    expect(snippets(page).length).toBeGreaterThan(1);
  });

  for (const snippet of snippets(page)) {
    it(`the snippet in line ${snippet.line} runs`, () => check(snippet), TIME_LIMIT + 5000);
  }
});

describe("README.md: the check itself", () => {
  const page = [
    "# One",
    "```js",
    'import * as zmtp from "zmtp";',
    "console.log(typeof zmtp);",
    "```",
    "prints",
    "```text",
    "object",
    "```",
    "```sh",
    "exit 1",
    "```",
    "```js",
    "await 1;",
    "```",
    "## Two",
    "```text",
    "of another section",
    "```",
  ].join("\n");

  it("finds every program and the output it promises", () => {
    expect(snippets(page)).toEqual([
      { line: 2, source: 'import * as zmtp from "zmtp";\nconsole.log(typeof zmtp);', output: "object" },
      { line: 13, source: "await 1;", output: null },
    ]);
  });

  it("a longer fence holds shorter ones", () => {
    expect(blocks("````text\n```js\n```\n````")).toEqual([{ language: "text", line: 1, text: "```js\n```" }]);
  });

  it("a block that is left open is an error", () => {
    expect(() => blocks("```js\n1;")).toThrow("line 1");
  });

  it("accepts a program that uses the package by name and prints what is promised", async () => {
    for (const snippet of snippets(page)) await check(snippet);
  });

  it.each([
    ["a wrong output", { source: "console.log(1);", output: "2" }],
    ["an exit code", { source: "process.exitCode = 3;", output: null }],
    ["an exception", { source: "throw new Error('no');", output: null }],
    ["a warning", { source: "process.emitWarning('old');", output: null }],
    ["TypeScript", { source: "const n: number = 1;", output: null }],
    ["an entry that does not exist", { source: 'import "zmtp/nothing";', output: null }],
    ["a program that never ends", { source: "setInterval(() => {}, 1000);", output: null }],
  ])("refuses %s", async (_, { source, output }) => {
    await expect(check({ line: 1, source, output }, 2000)).rejects.toThrow("expected");
  });
});
