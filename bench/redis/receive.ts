import { startRedis } from "../../test/support/redis/server.ts";
import { formatSize } from "../cells.ts";
import type { Child } from "../child.ts";
import { Figures } from "../scenarios/figures.ts";
import type { Figure, Scenario, ScenarioOptions } from "../scenarios/scenario.ts";
import { ask, type ClientName, RECEIVERS, startProgram } from "./contenders.ts";
import { type Racer, race } from "./race.ts";

const SIZES = [16, 100, 1024];
const CHANNELS = [1, 10_000];
const PATIENCE = 60_000;

interface Case {
  readonly size: number;
  readonly channels: number;
}

/** A receiver and who feeds it, which has the channels of a prefix for itself. */
async function startPair(
  name: ClientName,
  port: number,
  feeder: Child,
  { size, channels }: Case,
): Promise<Racer> {
  const { child } = await startProgram("receive", "ready", [name, port, size, channels, name]);
  return {
    name,
    async run(count) {
      await ask(child, `round ${count}`);
      feeder.tell(`flood ${count}`);
      const [nanoseconds, cpu] = (await child.expect("done", PATIENCE)).map(Number);
      await feeder.expect("flood", PATIENCE);
      // The watch starts with the first message.
      return { rate: ((count - 1) / nanoseconds!) * 1e9, cpu: cpu! / count };
    },
    close: async () => {
      await Promise.all([child.close(), feeder.close()]);
    },
  };
}

async function startCanned(name: ClientName, one: Case): Promise<Racer> {
  const feeder = await startProgram("stand-in", "listening", [one.size, one.channels, name]);
  return startPair(name, Number(feeder.words[0]), feeder.child, one);
}

async function startReal(name: ClientName, port: number, one: Case): Promise<Racer> {
  const feeder = await startProgram("flood", "ready", [port, one.size, one.channels, name]);
  return startPair(name, port, feeder.child, one);
}

async function measure(
  what: string,
  start: (name: ClientName) => Promise<Racer>,
  goal: string | undefined,
  options: ScenarioOptions,
  figures: Figures,
): Promise<void> {
  const racers: Racer[] = [];
  for (const name of RECEIVERS) racers.push(await start(name));
  await race(racers, options, ({ name }, { rate, cpu }) => {
    figures.add(name, what, "msg/s", rate, goal);
    if (cpu !== null) figures.add(name, `${what}, CPU`, "µs/msg", cpu);
  });
}

const canned: Scenario = {
  name: "receive",
  title: "Receiving pushes that were made beforehand, from a stand-in for the server: a listener for Buffers",
  async run(options): Promise<Figure[]> {
    const figures = new Figures();
    for (const channels of CHANNELS) {
      for (const size of SIZES) {
        const what = `${formatSize(size)}${channels > 1 ? `, ${channels} channels` : ""}`;
        const goal = size > 100 ? ">= 1.2x node-redis" : ">= 2x node-redis";
        await measure(what, (name) => startCanned(name, { size, channels }), goal, options, figures);
      }
    }
    return figures.all();
  },
};

/** The server must not end whoever is slow: all of the flood has to be received. */
const UNLIMITED = "client-output-buffer-limit pubsub 0 0 0";

const real: Scenario = {
  name: "receive-redis",
  title: "Receiving through redis-server, which shares the cores with who publishes and who receives",
  async run(options): Promise<Figure[]> {
    const figures = new Figures();
    await using server = await startRedis({ set: [UNLIMITED] });
    for (const size of SIZES) {
      const start = (name: ClientName): Promise<Racer> => startReal(name, server.port, { size, channels: 1 });
      await measure(formatSize(size), start, undefined, options, figures);
    }
    return figures.all();
  },
};

export const receive: readonly Scenario[] = [canned, real];
