import { type Cell, cellTitle } from "./cells.ts";
import { CONTENDERS } from "./contenders.ts";
import { bullets, table } from "./markdown.ts";
import { type BenchResult, type CellResult, kindOf } from "./results.ts";
import { formatSpread, median } from "./statistics.ts";

/** Whose median is divided by whose. */
const RATIOS = [
  ["zmtp", "zeromq.js"],
  ["zmtp", "libzmq"],
  ["zmtp-batch", "libzmq"],
] as const;

const SHORT = { zmtp: "zmtp", "zmtp-batch": "batches", "zeromq.js": "zeromq.js", libzmq: "libzmq" } as const;

type Figure = (sample: CellResult["contenders"][number]["samples"][number]) => number;

function values({ contenders }: CellResult, name: string, figure: Figure): number[] {
  return contenders.find((one) => one.name === name)?.samples.map(figure) ?? [];
}

function ratio(result: CellResult, [above, below]: readonly [string, string], figure: Figure): string {
  const [one, other] = [values(result, above, figure), values(result, below, figure)];
  return one.length === 0 || other.length === 0 ? "" : `${(median(one) / median(other)).toPrecision(2)}x`;
}

function namesIn(results: readonly CellResult[]): { name: string; title: string }[] {
  const has = (name: string) =>
    results.some((result) => values(result, name, (sample) => sample.rate).length > 0);
  return CONTENDERS.filter(({ name }) => has(name));
}

type Ratio = (typeof RATIOS)[number];

/** Those of which both are there. */
function ratiosOf(names: readonly { name: string }[]): Ratio[] {
  return RATIOS.filter((pair) => pair.every((name) => names.some((one) => one.name === name)));
}

function ratioHead([above, below]: Ratio): string {
  return `${SHORT[above]} : ${SHORT[below]}`;
}

function rateTable(results: readonly CellResult[], cores: number): string {
  const names = namesIn(results);
  const rate: Figure = (sample) => sample.rate;
  const ratios = ratiosOf(names);
  const rows = results.map((result) => [
    cellTitle(result.cell),
    ...names.map(({ name }) => cellText(result, name, (rates) => formatSpread(rates))),
    ...ratios.map((pair) => ratio(result, pair, rate)),
    loadText(result),
  ]);
  const heads = [...names.map(({ title }) => title), ...ratios.map(ratioHead), loadHead(cores)];
  return table([["messages/s", ...heads], ...rows]);

  function cellText(result: CellResult, name: string, format: (rates: number[]) => string): string {
    const rates = values(result, name, rate);
    return rates.length === 0 ? "none" : format(rates);
  }
}

function loadText({ load }: CellResult): string {
  return load?.toFixed(1) ?? "";
}

function loadHead(cores: number): string {
  return `load, ${cores} cores`;
}

const bothEnds: Figure = (sample) => sample.cpuSender + sample.cpuReceiver;

function cpuTable(results: readonly CellResult[]): string {
  const names = namesIn(results);
  const ratios = ratiosOf(names);
  const rows = results.map((result) => [
    cellTitle(result.cell),
    ...names.map(({ name }) => {
      const sender = values(result, name, (sample) => sample.cpuSender);
      const receiver = values(result, name, (sample) => sample.cpuReceiver);
      return sender.length === 0 ? "none" : `${median(sender).toFixed(2)} + ${median(receiver).toFixed(2)}`;
    }),
    ...ratios.map((pair) => ratio(result, pair, bothEnds)),
  ]);
  const heads = [...names.map(({ title }) => title), ...ratios.map(ratioHead)];
  return table([["CPU, µs per message: sender + receiver", ...heads], ...rows]);
}

function roundTripTable(results: readonly CellResult[], cores: number): string {
  const names = namesIn(results);
  const micros = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
  const rows = results.flatMap((result) => {
    const row = (what: string, figure: Figure): string[] => [
      `${cellTitle(result.cell)}: ${what}`,
      ...names.map(({ name }) => {
        const figures = values(result, name, figure);
        return figures.length === 0 ? "none" : formatSpread(figures, micros);
      }),
      loadText(result),
    ];
    return [
      row("p50", (sample) => sample.p50!),
      row("p99", (sample) => sample.p99!),
      row("CPU, both ends", bothEnds),
    ];
  });
  return table([["µs", ...names.map(({ title }) => title), loadHead(cores)], ...rows]);
}

function describeQueues(cells: readonly Cell[]): string[] {
  const valuesOf = (pattern: Cell["pattern"], key: "highWaterMark" | "window"): string => {
    const numbers = cells.filter((cell) => cell.pattern === pattern).map((cell) => cell[key]);
    return [...new Set(numbers)].join(" or ");
  };
  const lines: string[] = [];
  const marks = {
    pushPull: valuesOf("push-pull", "highWaterMark"),
    pubSub: valuesOf("pub-sub", "highWaterMark"),
  };
  if (marks.pushPull !== "") lines.push(`PUSH and PULL: high-water mark ${marks.pushPull} on both ends.`);
  if (marks.pubSub !== "") {
    lines.push(
      `PUB and SUB: two frames (topic, body), one subscription, high-water mark ${marks.pubSub} on both ends. So that ` +
        `nobody loses messages, every sender alike (but node:net) keeps at most ${valuesOf("pub-sub", "window")} under ` +
        "way: the receiver acknowledges each quarter of that through a side channel. libzmq has XPUB_NODROP set " +
        "besides. A round that loses messages all the same does not count.",
    );
  }
  if (valuesOf("round-trip", "highWaterMark") !== "") {
    lines.push(
      "Round trips: zmtp through two pairs of PUSH and PULL, zeromq.js and libzmq through REQ and REP.",
    );
  }
  return lines;
}

function problems({ cells }: BenchResult): string[] {
  return cells.flatMap(({ cell, contenders }) =>
    contenders.flatMap(({ name, lossy, failure }) => [
      ...lossy.map(
        ({ round, sent, received }) =>
          `${cellTitle(cell)}, ${name}: round ${round} lost ${sent - received} of ${sent} messages and does not count.`,
      ),
      ...(failure === null ? [] : [`${cellTitle(cell)}, ${name}: failed: ${failure}`]),
    ]),
  );
}

function describeMethod(result: BenchResult): string {
  const { rounds, seconds, warmup, pin } = result;
  if (kindOf(result) !== "cells") {
    return `Medians (min..max) of ${rounds} rounds of ${seconds} s, where a scenario has rounds.`;
  }
  return (
    `Medians (min..max) of ${rounds} rounds of ${seconds} s after ${warmup} s of warm-up, the contenders in turn within each ` +
    `round; two processes over loopback${pin ? ", each pinned to a core of its own" : ""}; time is the receiver's, from its first message to its last.`
  );
}

/** Machine, versions and how it was measured. */
export function describeRun(result: BenchResult): string {
  const { cpu, cores, memoryGiB, kernel, node, zeromqJs, libzmq, loadAverage, date, commit } = result.machine;
  const { redis } = result;
  const peers =
    redis === undefined
      ? `zeromq.js ${zeromqJs}, libzmq in C ${libzmq ?? "not there"}`
      : `ioredis ${redis.ioredis}, node-redis ${redis.nodeRedis}, redis-server ${redis.server}`;
  return [
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}; load average before: ${loadAverage.join(", ")}.`,
    `Node ${node}, ${peers}; zmtp at commit ${commit}, ${date.slice(0, 10)}.`,
    describeMethod(result),
  ].join("\n");
}

/** All cells of a result as markdown that is readable in a terminal too. */
export function formatReport(result: BenchResult): string {
  const streams = result.cells.filter(({ cell }) => cell.pattern !== "round-trip");
  const roundTrips = result.cells.filter(({ cell }) => cell.pattern === "round-trip");
  const { cores } = result.machine;
  const parts = [describeRun(result)];
  if (streams.length > 0) parts.push(rateTable(streams, cores), cpuTable(streams));
  if (roundTrips.length > 0) parts.push(roundTripTable(roundTrips, cores));
  const notes = [
    ...describeQueues(result.cells.map(({ cell }) => cell)),
    ...result.notes,
    ...problems(result),
  ];
  parts.push(
    bullets([
      ...notes,
      "Load is the average number of processes that wanted to run over the minute before, this benchmark's own among them.",
      "CPU is user and system time of the whole process, all threads. libzmq uses two threads a process (also inside zeromq.js) and gains from more cores.",
      '"zmtp" and "zeromq.js" run the same program: `await send()` for each message, `for await` at the other end; "batches" is `trySend()` and `receiveBatch()`. "node:net, bytes only" writes the same bytes framed beforehand and never parses them.',
    ]),
  );
  return parts.join("\n\n");
}
