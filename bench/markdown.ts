import { markdownTable } from "markdown-table";

type Align = "l" | "r";

/** @param align by column; if not given, the first is a label and the others are numbers */
export function table(
  rows: string[][],
  align: Align[] = rows[0]!.map((_, column) => (column === 0 ? "l" : "r")),
): string {
  return markdownTable(rows, { align });
}

export function bullets(lines: readonly string[]): string {
  return lines.map((line) => `* ${line}`).join("\n");
}
