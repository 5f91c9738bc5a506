import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What the C program reaches with PUBLISH. @param flags e.g. `-c 1 -P 1000`. @returns commands per second */
export async function redisBenchmark(
  port: number,
  flags: readonly string[],
  count: number,
  size: number,
): Promise<number> {
  const args = [
    "-p",
    String(port),
    ...flags,
    "-n",
    String(count),
    "-q",
    "PUBLISH",
    "bench",
    "x".repeat(size),
  ];
  const running = run("/usr/bin/redis-benchmark", args);
  running.child.stdin?.end(); // without a terminal it reads an argument from there
  const { stdout } = await running;
  const rate = /([\d.]+) requests per second/.exec(stdout)?.[1];
  if (rate === undefined)
    throw new Error(
      `redis-benchmark said: ${stdout
        .trim()
        .split(/[\r\n]/)
        .at(-1)}`,
    );
  return Number(rate);
}
