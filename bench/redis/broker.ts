import { startRedis } from "../../test/support/redis/server.ts";
import { Figures } from "../scenarios/figures.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { startProgram } from "./contenders.ts";
import { redisBenchmark } from "./redis-benchmark.ts";

const COUNT = 200_000;
const SIZE = 100;
const CASES = [
  ["PUBLISH, 100 commands under way", ["-c", "1", "-P", "100"]],
  ["PUBLISH, 50 clients, one command each", ["-c", "50"]],
] as const;

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
          const measure = (port: number): Promise<number> => redisBenchmark(port, flags, COUNT, SIZE);
          figures.add("zmtp", `${what}: RedisBroker`, "msg/s", await measure(Number(words[0])));
          figures.add("zmtp", `${what}: redis-server`, "msg/s", await measure(server.port));
        }
      }
    } finally {
      await child.close();
    }
    return figures.all();
  },
};
