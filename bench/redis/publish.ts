import { startRedis } from "../../test/support/redis/server.ts";
import { formatSize } from "../cells.ts";
import { Figures } from "../scenarios/figures.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { ask, type ClientName, SENDERS, startProgram } from "./contenders.ts";
import { type Racer, race } from "./race.ts";
import { redisBenchmark } from "./redis-benchmark.ts";

const CASES = [
  { size: 16, form: "text", goal: ">= 8x ioredis, >= 1.7x timeout: 0" },
  { size: 100, form: "text", goal: ">= 8x ioredis, >= 1.7x timeout: 0" },
  { size: 1024, form: "text", goal: ">= 5x ioredis, >= 1.7x timeout: 0" },
  { size: 1024, form: "bytes", goal: undefined },
] as const;

async function startPublisher(name: ClientName, port: number, size: number, form: string): Promise<Racer> {
  const { child } = await startProgram("publish", "ready", [name, port, size, form]);
  return {
    name,
    async run(count) {
      const [nanoseconds, cpu] = await ask(child, `round ${count}`);
      return { rate: (count / nanoseconds!) * 1e9, cpu: cpu! / count };
    },
    close: () => child.close(),
  };
}

/** What the server can take, with as many commands under way: nobody goes beyond. */
function inC(port: number, size: number): Racer {
  const flags = ["-c", "1", "-P", "1000"];
  return {
    name: "redis-benchmark",
    run: async (count) => ({ rate: await redisBenchmark(port, flags, count, size), cpu: null }),
    close: async () => {},
  };
}

export const publish: Scenario = {
  name: "publish",
  title: "PUBLISH to redis-server without subscribers: batches of 1000, each awaited as a whole",
  async run(options) {
    const figures = new Figures();
    await using server = await startRedis();
    for (const { size, form, goal } of CASES) {
      const racers: Racer[] = [];
      for (const name of SENDERS) racers.push(await startPublisher(name, server.port, size, form));
      racers.push(inC(server.port, size));
      const what = `${formatSize(size)}${form === "bytes" ? ", as Buffers" : ""}`;
      await race(racers, options, ({ name }, { rate, cpu }) => {
        figures.add(name, what, "msg/s", rate, goal);
        if (cpu !== null) figures.add(name, `${what}, CPU`, "µs/msg", cpu, goal && "<= 0.5x of the better");
      });
    }
    return figures.all();
  },
};
