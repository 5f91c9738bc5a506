import { startRedis } from "../../test/support/redis/server.ts";
import { Figures } from "../scenarios/figures.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { RECEIVERS, startProgram } from "./contenders.ts";

const CHANNELS = 10_000;

export const memory: Scenario = {
  name: "memory",
  title: "Memory of a process that imports the client, connects and subscribes to 10 000 channels",
  async run({ rounds }) {
    const figures = new Figures();
    await using server = await startRedis();
    for (let round = 0; round < rounds; round++) {
      for (const name of RECEIVERS) {
        const args = [name, server.port, CHANNELS];
        const { child, words } = await startProgram("memory", "memory", args, ["--expose-gc"]);
        await child.close();
        const [rss, perChannel] = words.map(Number);
        figures.add(name, "process memory for import and connect", "MiB", rss! / 2 ** 20, "<= 5");
        figures.add(name, "heap for a subscribed channel", "bytes", perChannel!, "<= 250");
      }
    }
    return figures.all();
  },
};
