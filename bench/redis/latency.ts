import { startRedis } from "../../test/support/redis/server.ts";
import type { Child } from "../child.ts";
import { Figures } from "../scenarios/figures.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { ask, SENDERS, startProgram } from "./contenders.ts";

const CLIENTS = SENDERS.filter((name) => name !== "ioredis-auto");
const WARM_UP_SECONDS = 1;

export const latency: Scenario = {
  name: "latency",
  title:
    "From publish to listener through redis-server: 200 messages of 100 bytes a second, both ends in one process",
  async run({ rounds, seconds }) {
    const figures = new Figures();
    const children: Child[] = [];
    await using server = await startRedis();
    try {
      for (const name of CLIENTS) {
        const { child } = await startProgram("latency", "ready", [name, server.port]);
        children.push(child);
        await ask(child, `round ${WARM_UP_SECONDS}`);
      }
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < CLIENTS.length; i++) {
          const at = (i + round) % CLIENTS.length;
          const [p50, p99] = await ask(children[at]!, `round ${Math.ceil(seconds)}`);
          figures.add(CLIENTS[at]!, "p50", "µs", p50! / 1000, "below both");
          figures.add(CLIENTS[at]!, "p99", "µs", p99! / 1000);
        }
      }
    } finally {
      await Promise.all(children.map((child) => child.close()));
    }
    return figures.all();
  },
};
