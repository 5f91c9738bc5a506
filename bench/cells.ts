/** What is measured: a cell is one pattern over one transport at one size, and every contender takes part in each. */

export type Pattern = "push-pull" | "pub-sub" | "round-trip";
export type TransportName = "tcp" | "ipc";

export interface Cell {
  readonly pattern: Pattern;
  readonly transport: TransportName;
  /** Bytes of a body. */
  readonly size: number;
  /** Messages, on both ends. */
  readonly highWaterMark: number;
  /** Messages under way at most; 0: only the pattern's own back-pressure. */
  readonly window: number;
}

const ROUND_TRIP_SIZE = 64;
const SMALL = 1024;
/** No queue of bodies that are not small holds more than this, so that they do not measure the page allocator. */
const BYTES_UNDER_WAY = 64 * 1024 * 1024;
/** A PUB drops for a subscriber that is full: its mark is out of the way. */
const DEFAULT_MARKS: Readonly<Record<Pattern, number>> = {
  "push-pull": 1000,
  "pub-sub": 100_000,
  "round-trip": 1000,
};

/** e.g. `push-pull tcp 16`, or `push-pull tcp 16 hwm 100000` with another mark than usual: what `--only` is compared with. */
export function cellName(cell: Cell): string {
  return `${cell.pattern} ${cell.transport} ${cell.size}${isUsual(cell) ? "" : ` hwm ${cell.highWaterMark}`}`;
}

/** e.g. `PUSH to PULL, tcp, 1 KiB` */
export function cellTitle(cell: Cell): string {
  const titles = { "push-pull": "PUSH to PULL", "pub-sub": "PUB to SUB", "round-trip": "round trip" };
  const title = `${titles[cell.pattern]}, ${cell.transport}, ${formatSize(cell.size)}`;
  return isUsual(cell) ? title : `${title}, hwm ${cell.highWaterMark}`;
}

function isUsual({ pattern, highWaterMark }: Cell): boolean {
  return highWaterMark === DEFAULT_MARKS[pattern];
}

export function formatSize(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${bytes / (1024 * 1024)} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

export interface CellOptions {
  /** Bytes of a body. */
  sizes: readonly number[];
  /** PUSH and PULL are measured with each, PUB and SUB with the highest. Empty: the pattern's usual one. */
  highWaterMarks: readonly number[];
  window: number | undefined;
  /** Only cells whose name has one of these in it; empty: all. */
  only: readonly string[];
}

/** The most messages of a size that a queue may hold here. */
function mostOf(size: number): number {
  return size <= SMALL ? Number.POSITIVE_INFINITY : Math.max(16, Math.floor(BYTES_UNDER_WAY / size));
}

function pushPullCells(transport: TransportName, size: number, { highWaterMarks }: CellOptions): Cell[] {
  const wanted = highWaterMarks.length > 0 ? highWaterMarks : [DEFAULT_MARKS["push-pull"]];
  const fitting = wanted.filter((mark) => mark <= mostOf(size));
  return (fitting.length > 0 ? fitting : [mostOf(size)]).map((highWaterMark) => ({
    pattern: "push-pull",
    transport,
    size,
    highWaterMark,
    window: 0,
  }));
}

function pubSubCell(transport: TransportName, size: number, options: CellOptions): Cell {
  const { highWaterMarks, window = 10_000 } = options;
  const mark = highWaterMarks.length > 0 ? Math.max(...highWaterMarks) : DEFAULT_MARKS["pub-sub"];
  const highWaterMark = Math.min(mark, mostOf(size));
  // The window keeps clear of the mark, so that nothing is dropped.
  return {
    pattern: "pub-sub",
    transport,
    size,
    highWaterMark,
    window: Math.min(window, Math.ceil(highWaterMark / 2)),
  };
}

export function planCells(options: CellOptions): Cell[] {
  const transports = ["tcp", "ipc"] as const;
  const cells: Cell[] = [];
  for (const transport of transports) {
    for (const size of options.sizes) cells.push(...pushPullCells(transport, size, options));
  }
  for (const transport of transports) {
    for (const size of options.sizes) cells.push(pubSubCell(transport, size, options));
  }
  for (const transport of transports) {
    const highWaterMark = DEFAULT_MARKS["round-trip"];
    cells.push({ pattern: "round-trip", transport, size: ROUND_TRIP_SIZE, highWaterMark, window: 0 });
  }
  const { only } = options;
  return cells.filter((cell) => only.length === 0 || only.some((part) => cellName(cell).includes(part)));
}
