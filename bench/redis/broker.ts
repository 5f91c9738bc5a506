import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startRedis } from "../../test/support/redis/server.ts";
import { Figures } from "../scenarios/figures.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { startProgram } from "./contenders.ts";

const run = promisify(execFile);
const COUNT = 200_000;
const CASES = [
  ["PUBLISH, 100 commands under way", ["-c", "1", "-P", "100"]],
  ["PUBLISH, 50 clients, one command each", ["-c", "50"]],
] as const;

/** Requests per second, as redis-benchmark has it. */
async function benchmark(port: number, flags: readonly string[]): Promise<number> {
  const args = ["-p", String(port), ...flags, "-n", String(COUNT), "-q", "PUBLISH", "bench", "x".repeat(100)];
  const running = run("/usr/bin/redis-benchmark", args);
  running.child.stdin?.end();
  const { stdout } = await running;
  return Number(/([\d.]+) requests per second/.exec(stdout)?.[1]);
}

export const broker: Scenario = {
  name: "broker",
  title: "The embedded broker and redis-server: 100 bytes to nobody, by redis-benchmark",
  async run({ rounds }) {
    const figures = new Figures();
    await using server = await startRedis();
    const { child, words } = await startProgram("broker", "listening", []);
    try {
      for (let round = 0; round < rounds; round++) {
        for (const [what, flags] of CASES) {
          figures.add("zmtp", `${what}: RedisBroker`, "msg/s", await benchmark(Number(words[0]), flags));
          figures.add("zmtp", `${what}: redis-server`, "msg/s", await benchmark(server.port, flags));
        }
      }
    } finally {
      await child.close();
    }
    return figures.all();
  },
};
