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
  // Twice, for what the first one finalizes; with a turn between, for callbacks that still hold something.
  for (let i = 0; i < 2; i += 1) {
    await sleep(20);
    gc();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: (heapUsed + external) / MEBIBYTE, rss: rss / MEBIBYTE };
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
