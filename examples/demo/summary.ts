import { type ControllerAccount, faults, settle, total } from "./accounting.ts";
import type { ControllerReport, WriterReport } from "./messages.ts";

/** What was killed, and how often. */
export interface Kills {
  readonly victim: string;
  readonly count: number;
}

/** All that became of a run. */
export interface Outcome {
  readonly accounts: readonly ControllerAccount[];
  readonly kills: Kills;
  /** What was not as it must be; empty: all is well. */
  readonly faults: readonly string[];
}

/** @param writers, controllers their reports, in the order of their numbers. */
export function outcome(
  writers: readonly WriterReport[],
  controllers: readonly ControllerReport[],
  kills: Kills,
): Outcome {
  const accounts = controllers.map((report, index) => accountOf(report, index + 1, writers));
  return { accounts, kills, faults: accounts.flatMap((account) => faults(account, kills.count)) };
}

function accountOf(
  report: ControllerReport,
  controller: number,
  writers: readonly WriterReport[],
): ControllerAccount {
  const { topics, syncs, differences } = report;
  const accounts = [];
  let refused = 0;
  for (const [writer, { topics: counts }] of writers.entries()) {
    for (const topic of topics) {
      const stream = report.streams.find((one) => one.writer === writer && one.topic === topic);
      const unheard = { writer, topic, received: 0, duplicates: 0, highest: 0, gaps: [], synced: 0 };
      accounts.push(settle(stream ?? unheard, counts[topic]!.sent));
      refused += counts[topic]!.refused;
    }
  }
  return { ...total(accounts), controller, topics, refused, syncs, differences };
}

/** The summary's lines: per controller what became of the events on its topics, and the verdict. */
export function summaryLines({ accounts, kills, faults: found }: Outcome): string[] {
  const header = [
    "controller",
    "sent",
    "received",
    "covered",
    "uncovered",
    "duplicates",
    "refused",
    "syncs",
    "copy",
    "topics",
  ];
  const rows = accounts.map((account) => [
    ...[account.controller, account.sent, account.received, account.covered, account.uncovered],
    ...[account.duplicates, account.refused, account.syncs],
    account.differences === 0 ? "equal" : `${account.differences} differ`,
    account.topics.join(" "),
  ]);
  return [
    "Per controller, over its topics: sent = received + covered + uncovered",
    ...aligned([header, ...rows]),
    `Kills of the ${kills.victim}: ${kills.count}`,
    ...(found.length === 0 ? ["OK: every event was received, or covered by a later sync"] : []),
    ...found.map((fault) => `FAILED: ${fault}`),
  ];
}

/** Columns to the right, the last one to the left. */
function aligned(rows: readonly (readonly (string | number)[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? String(cell) : String(cell).padStart(widths[column]!),
      )
      .join("  "),
  );
}
