import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/**
 * Bytes in use, on the heap and in array buffers. Freed buffers are swept by another thread in its own time: collects until no
 * more than `enough` bytes are in use, or for two seconds.
 */
export async function memoryInUse(enough: number = Number.POSITIVE_INFINITY): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    collectGarbage();
    await sleep(tries === 1 ? 0 : 20);
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    if (heapUsed + arrayBuffers <= enough || tries === 100) return heapUsed + arrayBuffers;
  }
}
