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
/** No queue and no window holds more than this, so that large messages do not measure the page allocator. */
const BYTES_UNDER_WAY = 64 * 1024 * 1024;

/** e.g. `push-pull tcp 16`: what `--only` is compared with. */
export function cellName(cell: Cell): string {
  return `${cell.pattern} ${cell.transport} ${cell.size}`;
}

/** e.g. `PUSH to PULL, tcp, 1 KiB` */
export function cellTitle({ pattern, transport, size }: Cell): string {
  const titles = { "push-pull": "PUSH to PULL", "pub-sub": "PUB to SUB", "round-trip": "round trip" };
  return `${titles[pattern]}, ${transport}, ${formatSize(size)}`;
}

export function formatSize(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${bytes / (1024 * 1024)} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

function streamCell(
  pattern: "push-pull" | "pub-sub",
  transport: TransportName,
  size: number,
  highWaterMark: number | undefined,
): Cell {
  const most = Math.max(16, Math.floor(BYTES_UNDER_WAY / size));
  // A PUB drops for a subscriber that is full. So it gets a high-water mark that a window of half of it never reaches.
  const mark = Math.min(most, highWaterMark ?? (pattern === "pub-sub" ? 100_000 : 1000));
  return {
    pattern,
    transport,
    size,
    highWaterMark: mark,
    window: pattern === "pub-sub" ? Math.ceil(mark / 2) : 0,
  };
}

/** All cells, or those whose name has one of `only` in it. */
export function planCells(
  sizes: readonly number[],
  highWaterMark: number | undefined,
  only: readonly string[],
): Cell[] {
  const cells: Cell[] = [];
  for (const pattern of ["push-pull", "pub-sub"] as const) {
    for (const transport of ["tcp", "ipc"] as const) {
      for (const size of sizes) cells.push(streamCell(pattern, transport, size, highWaterMark));
    }
  }
  for (const transport of ["tcp", "ipc"] as const) {
    cells.push({ pattern: "round-trip", transport, size: ROUND_TRIP_SIZE, highWaterMark: 1000, window: 0 });
  }
  return cells.filter((cell) => only.length === 0 || only.some((part) => cellName(cell).includes(part)));
}
