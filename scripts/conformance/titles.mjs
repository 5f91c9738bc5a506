import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/**
 * A title that names items: of a test, of a `describe` with tests in it, or of a row in a table of tests.
 *
 * @typedef {{ file: string, title: string, kind: "test" | "describe" | "row", ids: string[], ranges: string[] }} Title
 */

const NUMBERED = "GR|FR|NU|HB|SU|PS|PP|EP|RC|MO|CL|B|C|N";
const ID = new RegExp(
  `\\b(?:(${NUMBERED})-|(E)(?=\\d))(\\d+)(?: to (?:\\1-|\\2)(\\d+))?\\b|\\bOP-[A-Z0-9_]+`,
  "g",
);
const ROW = new RegExp(`^(?:(?:${NUMBERED})-\\d+|E\\d+|OP-[A-Z0-9_]+)(?:,| to| and|:)`);

/** The items that a title names: `ids` one by one, `ranges` those between the ends of `X-1 to X-3`. */
export function idsOf(title) {
  const ids = [];
  const ranges = [];
  for (const [whole, letters, e, first, last] of title.matchAll(ID)) {
    if (first === undefined) ids.push(whole);
    else if (last === undefined) ids.push(id(letters, e, first));
    else for (let n = Number(first); n <= Number(last); n += 1) ranges.push(id(letters, e, n));
  }
  return { ids: [...new Set(ids)], ranges: [...new Set(ranges)] };
}

/** A title without the items at its beginning, and without those in brackets. */
export function withoutIds(title) {
  const one = "(?:[A-Z]{1,2}-\\d+|E\\d+|OP-[A-Z0-9_]+)";
  const list = `${one}(?:(?:, | to | and )${one})*`;
  const text = title
    .replace(new RegExp(`^${list}[:,] `), "")
    .replaceAll(new RegExp(` \\(${list}\\)`, "g"), "");
  return text === "" ? title : text;
}

function id(letters, e, n) {
  return e === undefined ? `${letters}-${n}` : `E${n}`;
}

/** Every title below `folder` that names an item. Titles are read from the sources: no test is run. */
export function titlesBelow(folder) {
  const files = readdirSync(folder, { recursive: true }).filter(
    // The test of this very page has titles that are only examples.
    (file) => file.endsWith(".ts") && file !== "conformance.test.ts",
  );
  return files.sort().flatMap((file) => titlesIn(file, readFileSync(join(folder, file), "utf8")));
}

/**
 * @param {string} file
 * @param {string} text
 * @returns {Title[]}
 */
export function titlesIn(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const titles = [];
  const visit = (node, skipped) => {
    const call = ts.isCallExpression(node) ? callOf(node) : null;
    const hidden = skipped || call?.skipped === true;
    if (call !== null && call.title !== null) add(call.kind, call.title, node, hidden);
    else if (!isTitle(node)) {
      const row = textOf(node);
      if (row !== null && ROW.test(row)) add("row", row, node, hidden);
    }
    ts.forEachChild(node, (child) => visit(child, hidden));
  };
  const add = (kind, title, node, hidden) => {
    const { ids, ranges } = idsOf(title);
    if (hidden || ids.length + ranges.length === 0) return;
    if (kind === "describe" && !holdsTests(node)) return;
    titles.push({ file: file.replaceAll("\\", "/"), title, kind, ids, ranges });
  };
  visit(source, false);
  return titles;
}

/** What a call defines: `it("title", ...)`, `describe.each(table)("title", ...)`; `skipped` with `skip` or `todo`. */
function callOf(node) {
  const words = [];
  let callee = node.expression;
  while (!ts.isIdentifier(callee)) {
    if (ts.isPropertyAccessExpression(callee)) words.push(callee.name.text);
    else if (!ts.isCallExpression(callee)) return null;
    callee = callee.expression;
  }
  if (!/^(describe\w*|it|test)$/.test(callee.text)) return null;
  const kind = callee.text.startsWith("describe") ? "describe" : "test";
  const skipped = words.includes("skip") || words.includes("todo");
  return { kind, skipped, title: node.arguments.length > 1 ? textOf(node.arguments[0]) : null };
}

function isTitle(node) {
  return (
    ts.isCallExpression(node.parent ?? node) &&
    callOf(node.parent) !== null &&
    node.parent.arguments[0] === node
  );
}

/** The text of a string, `…` for what a template puts in. */
function textOf(node) {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return null;
  return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join("");
}

function holdsTests(describe) {
  let found = false;
  const visit = (node) => {
    const call = ts.isCallExpression(node) ? callOf(node) : null;
    found ||= call?.kind === "test" && call.title !== null && !call.skipped;
    if (!found) ts.forEachChild(node, visit);
  };
  visit(describe);
  return found;
}
