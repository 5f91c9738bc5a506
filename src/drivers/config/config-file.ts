import { parse } from "ini";
import { ConfigError } from "../errors.ts";
import { pythonJson } from "../event/python-json.ts";

/** Texts by group, then by key. Both without a prototype. */
export type ConfigGroups = { readonly [group: string]: { readonly [key: string]: string } };

/**
 * Reads a file of oslo.config: `[group]`, `key = value` or `key: value`, comments from the first column with `#` or `;`, and
 * values that go on in indented lines (joined by line feeds). A key that comes twice has its last value.
 *
 * The ini package reads another dialect, in which `eth0;239.192.1.1` ends at the semicolon and neither colons nor
 * continuations exist. So each assignment is handed to it as one line with the value in quotes.
 *
 * @param text of the whole file. @param source names it in errors.
 * @throws {ConfigError} naming the line that is no assignment, no group and no comment.
 */
export function parseConfigFile(text: string, source: string): ConfigGroups {
  const lines: string[] = [];
  let assignment: { key: string; value: string[] } | null = null;
  let inGroup = false;
  const flush = () => {
    if (assignment !== null) lines.push(`${assignment.key} = ${quoted(assignment.value.join("\n"))}`);
    assignment = null;
  };
  text.split(/\r\n|\r|\n/).forEach((raw, index) => {
    const line = raw.trimEnd();
    const wrong = (why: string) => new ConfigError(line, `${source}, line ${index + 1}: ${why}`);
    if (/^\s/.test(line)) {
      if (assignment === null) throw wrong("a continuation of nothing");
      assignment.value.push(line.trimStart());
      return;
    }
    flush();
    if (line === "" || /^[#;]/.test(line)) return;
    if (line.startsWith("[")) {
      lines.push(groupLine(line) ?? fail(wrong("a group name is not closed")));
      inGroup = true;
      return;
    }
    if (!inGroup) throw wrong("an assignment before any [group]");
    assignment = keyAndValue(line) ?? fail(wrong("neither [group] nor key = value"));
  });
  flush();
  return parse(lines.join("\n")) as ConfigGroups;
}

function groupLine(line: string): string | null {
  const name = /^\[([^\]]+)\]$/.exec(line)?.[1]?.trim();
  // A dot would nest the group within another.
  return name ? `[${plainName(name).replaceAll(".", "\\.")}]` : null;
}

function keyAndValue(line: string): { key: string; value: string[] } | null {
  const match = /^([^=:]+)[=:](.*)$/s.exec(line);
  return match ? { key: plainName(match[1]!.trim()), value: [match[2]!.trim()] } : null;
}

/** Quotes, brackets and escapes mean something to the ini package; a name that has one is no option of anybody. */
function plainName(name: string): string {
  return name.replace(/[^\w.-]/g, "?");
}

/** A JSON string in ASCII, which the ini package takes literally. Quotes around the whole value are not part of it. */
function quoted(value: string): string {
  return pythonJson(/^(["']).*\1$/s.test(value) ? value.slice(1, -1) : value);
}

function fail(error: Error): never {
  throw error;
}
