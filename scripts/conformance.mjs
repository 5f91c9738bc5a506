#!/usr/bin/env node
// npm run conformance: writes docs/conformance.md from the list of items and the titles of the tests.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseItems } from "./conformance/items.mjs";
import { page, problems } from "./conformance/page.mjs";
import { titlesBelow } from "./conformance/titles.mjs";

const root = new URL("..", import.meta.url);
const path = (name) => fileURLToPath(new URL(name, root));
export const PAGE = path("docs/conformance.md");

/** The page as it should be, and what is wrong with the items and the tests. */
export function conformance() {
  const sections = parseItems(readFileSync(path("test/conformance/items.txt"), "utf8"));
  const titles = titlesBelow(path("test"));
  const head = readFileSync(path("test/conformance/head.md"), "utf8");
  return { text: page(head, sections, titles), problems: problems(sections, titles) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { text, problems } = conformance();
  writeFileSync(PAGE, text);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
