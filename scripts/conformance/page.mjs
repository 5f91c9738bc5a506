import { needsTest, VERDICTS } from "./items.mjs";
import { withoutIds } from "./titles.mjs";

/** Titles shown for an item; the rest is counted. */
const SHOWN = 4;

/**
 * The titles that show an item. Those that name it only as part of a range count where no other does.
 */
export function showing(id, titles) {
  const named = titles.filter(({ ids }) => ids.includes(id));
  return named.length > 0 ? named : titles.filter(({ ranges }) => ranges.includes(id));
}

/** What is wrong with items and titles, a line each: an item without a test, an open one that has some, a test for what is no item. */
export function problems(sections, titles) {
  const items = sections.flatMap((section) => section.items);
  const known = new Set(items.map(({ id }) => id));
  const untested = items.filter((item) => needsTest(item) && showing(item.id, titles).length === 0);
  const unknown = titles.flatMap(({ file, title, ids, ranges }) =>
    [...ids, ...ranges]
      .filter((id) => !known.has(id))
      .map((id) => `${file}: "${title}" names ${id}, which is no item`),
  );
  const shown = items.filter((item) => item.open && showing(item.id, titles).length > 0);
  return [
    ...shown.map(
      ({ id }) => `${id} is open no more, ${showing(id, titles)[0].file} shows it: give it its verdict`,
    ),
    ...untested.map(({ id, says }) => `${id} has no test: ${says}`),
    ...unknown,
  ];
}

/** The page: `head`, then a table for each section. */
export function page(head, sections, titles) {
  const tables = sections.map((section) =>
    [`## ${section.title}`, section.note, table(section, titles)].filter((text) => text !== "").join("\n\n"),
  );
  return `${[head.trimEnd(), counts(sections), ...tables].join("\n\n")}\n`;
}

function counts(sections) {
  const items = sections.flatMap((section) => section.items);
  const used = Object.entries(VERDICTS).map(([verdict, words]) => [
    words,
    items.filter((item) => item.verdict === verdict && !item.open).length,
  ]);
  const open = items.filter((item) => item.open).length;
  const shown = [...used, ["open", open]]
    .filter(([, count]) => count > 0)
    .map(([words, count]) => `${count} ${words}`);
  return `${items.length} items: ${shown.join(", ")}.`;
}

function table(section, titles) {
  const rows = section.items.map((item) => {
    const verdict = item.open ? "open" : VERDICTS[item.verdict];
    const said = item.reason === "" || item.open ? verdict : `${verdict}: ${item.reason}`;
    return `| ${cell(item.id)} | ${cell(item.says)} | ${cell(said)} | ${testsOf(showing(item.id, titles))} |`;
  });
  return ["| item | what it says | here | tests |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function testsOf(titles) {
  const named = titles.slice(0, SHOWN);
  const files = [...new Set(named.map(({ file }) => file))];
  const shown = files.map((file) => {
    const own = named.filter((title) => title.file === file).map(titleOf);
    return `**${shortName(file)}**: ${own.join("; ")}`;
  });
  if (titles.length > SHOWN) shown.push(`${titles.length - SHOWN} more`);
  return shown.join("; ");
}

/** A title as the page shows it: without the items that it names. */
function titleOf({ title }) {
  return cell(withoutIds(title).replaceAll(/%[a-z]/g, "…"));
}

function shortName(file) {
  return file.replace(/(\.test)?\.ts$/, "");
}

/** Text in a table's cell, shown as it is. */
function cell(text) {
  return text
    .replaceAll(/[\\`*_<>[\]]/g, "\\$&")
    .replaceAll("|", "\\|")
    .replaceAll("\n", " ");
}
