/**
 * `open`: applies, and no test shows it yet.
 *
 * @typedef {{ id: string, verdict: string, says: string, reason: string, open: boolean }} Item
 * @typedef {{ title: string, note: string, items: Item[] }} Section
 */

/** The verdicts, in the words of the page. */
export const VERDICTS = {
  rfc: "as the RFC",
  libzmq: "as libzmq",
  otherwise: "otherwise",
  ours: "ours",
  "not applicable": "not applicable",
  "not yet": "not yet",
};

/** Verdicts that say what this library does, so that a test has to show it. */
const SHOWN = ["rfc", "libzmq", "otherwise", "ours"];

export function needsTest(item) {
  return SHOWN.includes(item.verdict) && !item.open;
}

/**
 * The sections of a list of items: `# title`, a paragraph, then one item a line, `id | verdict | what it says | reason`.
 * All verdicts but `rfc` and `libzmq` have a reason. `open` before the verdict: no test shows it yet.
 *
 * @param {string} text
 * @returns {Section[]}
 * @throws {Error} naming the line that is none of these
 */
export function parseItems(text) {
  const sections = [];
  const known = new Set();
  for (const [n, line] of text.split("\n").entries()) {
    const fail = (why) => {
      throw new Error(`line ${n + 1}: ${why}: ${line}`);
    };
    if (line.trim() === "") continue;
    if (line.startsWith("# ")) {
      sections.push({ title: line.slice(2), note: "", items: [] });
      continue;
    }
    const section = sections.at(-1) ?? fail("no section");
    const fields = line.split(" | ");
    if (fields.length === 1 && section.items.length === 0) {
      section.note = `${section.note} ${line}`.trim();
      continue;
    }
    const [id, stated, says, reason = ""] = fields;
    const open = stated.startsWith("open ");
    const verdict = open ? stated.slice(5) : stated;
    if (fields.length > 4 || says === undefined) fail("not an item");
    if (!Object.hasOwn(VERDICTS, verdict)) fail(`unknown verdict ${verdict}`);
    if (known.has(id)) fail("twice");
    if (reason === "" && !["rfc", "libzmq"].includes(verdict)) fail("no reason");
    known.add(id);
    section.items.push({ id, verdict, says, reason, open });
  }
  return sections;
}
