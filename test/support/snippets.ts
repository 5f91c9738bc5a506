import { spawn } from "node:child_process";

/** A fenced block of a Markdown text. */
export interface Block {
  /** The first word after the fence; empty when there is none. */
  language: string;
  text: string;
  /** Of the opening fence, from 1. */
  line: number;
}

/** A program of a README with the output that the page promises, or null when it promises none. */
export interface Snippet {
  line: number;
  source: string;
  output: string | null;
}

export interface Outcome {
  /** The exit code, or the signal that ended it. */
  exit: number | NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** The fenced blocks of a page, in order. @throws {Error} when a fence is left open. */
export function blocks(markdown: string): Block[] {
  const found: Block[] = [];
  let open: { block: Block; fence: string; lines: string[] } | null = null;
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    const [, fence = "", language = ""] = /^(`{3,})\s*(\S*)/.exec(text) ?? [];
    if (open === null) {
      if (fence) open = { block: { language, text: "", line: index + 1 }, fence, lines: [] };
    } else if (fence.length >= open.fence.length && language === "") {
      found.push({ ...open.block, text: open.lines.join("\n") });
      open = null;
    } else open.lines.push(text);
  }
  if (open) throw new Error(`line ${open.block.line}: the block is not closed`);
  return found;
}

/** Every ```js block. A ```text block that is the next block after it and under the same heading is its output. */
export function snippets(markdown: string): Snippet[] {
  const lines = markdown.split(/\r?\n/);
  const all = blocks(markdown);
  return all.flatMap((block, index) => {
    if (block.language !== "js") return [];
    const next = all[index + 1];
    const end = block.line + block.text.split("\n").length + 1;
    const between = next ? lines.slice(end, next.line - 1) : [];
    const isOutput = next?.language === "text" && !between.some((line) => line.startsWith("#"));
    return [{ line: block.line, source: block.text, output: isOutput ? next.text : null }];
  });
}

/**
 * Runs plain ESM JavaScript as a user would, in `cwd`: a package there is found under its own name. After `milliseconds`
 * it is killed.
 */
export function runSnippet(source: string, cwd: string, milliseconds: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = { cwd, timeout: milliseconds, killSignal: "SIGKILL" } as const;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", source], options);
    const outcome: Outcome = { exit: null, stdout: "", stderr: "" };
    child.stdin.end();
    child.stdout.setEncoding("utf8").on("data", (text) => {
      outcome.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      outcome.stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ ...outcome, exit: code ?? signal }));
  });
}
