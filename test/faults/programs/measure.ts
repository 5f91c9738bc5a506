import { setTimeout as sleep } from "node:timers/promises";

/** MiB that the process holds: its heap and what hangs on it, and all that the system counts. */
export interface Memory {
  heap: number;
  rss: number;
}

const MEBIBYTE = 1024 * 1024;

export async function memory(): Promise<Memory> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("run with --expose-gc");
  // Until no more is freed: another thread sweeps buffers in its own time, and callbacks may still hold something.
  let heap = Number.POSITIVE_INFINITY;
  for (let vain = 0; vain < 3; vain += 1) {
    await sleep(20);
    gc();
    const { heapUsed, external } = process.memoryUsage();
    const now = (heapUsed + external) / MEBIBYTE;
    if (now < heap - 0.1) vain = 0;
    heap = Math.min(heap, now);
  }
  return { heap, rss: process.memoryUsage.rss() / MEBIBYTE };
}

/** Keeps the highest RSS seen while `body` runs. */
export async function peak(body: () => Promise<void>): Promise<number> {
  let most = 0;
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss() / MEBIBYTE);
  };
  const timer = setInterval(look, 20);
  try {
    await body();
  } finally {
    clearInterval(timer);
  }
  look();
  return most;
}
