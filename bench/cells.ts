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

export interface CellOptions {
  /** Bytes of a body. */
  sizes: readonly number[];
  highWaterMark: number | undefined;
  window: number | undefined;
  /** Only cells whose name has one of these in it; empty: all. */
  only: readonly string[];
}

function streamCell(
  pattern: "push-pull" | "pub-sub",
  transport: TransportName,
  size: number,
  options: CellOptions,
): Cell {
  const most = Math.max(16, Math.floor(BYTES_UNDER_WAY / size));
  if (pattern === "push-pull") {
    return {
      pattern,
      transport,
      size,
      highWaterMark: Math.min(most, options.highWaterMark ?? 1000),
      window: 0,
    };
  }
  // A PUB drops for a subscriber that is full, so a window keeps clear of the high-water mark.
  const highWaterMark = Math.min(most, options.highWaterMark ?? 100_000);
  const window = Math.min(options.window ?? 10_000, Math.ceil(highWaterMark / 2));
  return { pattern, transport, size, highWaterMark, window };
}

export function planCells(options: CellOptions): Cell[] {
  const cells: Cell[] = [];
  for (const pattern of ["push-pull", "pub-sub"] as const) {
    for (const transport of ["tcp", "ipc"] as const) {
      for (const size of options.sizes) cells.push(streamCell(pattern, transport, size, options));
    }
  }
  for (const transport of ["tcp", "ipc"] as const) {
    cells.push({ pattern: "round-trip", transport, size: ROUND_TRIP_SIZE, highWaterMark: 1000, window: 0 });
  }
  const { only } = options;
  return cells.filter((cell) => only.length === 0 || only.some((part) => cellName(cell).includes(part)));
}
