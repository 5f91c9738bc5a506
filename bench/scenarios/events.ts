import { fileURLToPath } from "node:url";
import { Child } from "../child.ts";
import type { Figure, Scenario, ScenarioOptions } from "./scenario.ts";

const LIBRARY = new URL("../../dist/dragonflow.js", import.meta.url).href;
/** Bytes of an event's second frame. */
const SIZE = 200;
/** Events under way at most, for a PUB does not wait for its subscribers. A tenth of the drivers' high-water mark. */
const WINDOW = 10_000;
const PER_SECOND = 10_000;
const PATIENCE = 20_000;
/** Seconds before the first round counts. */
const WARM_UP = 1;
const GOALS = { rate: ">= 250 000", p50: "<= 0.4", p99: "<= 3" };

/** `saturated`: as fast as they go; `paced`: 10 000 events a second. */
type Mode = "saturated" | "paced";

interface Round {
  /** Microseconds of processor time of the whole process per event. */
  readonly cpu: readonly [writer: number, service: number, controller: number];
  /** What the controller says of the round, besides. */
  readonly figures: readonly number[];
}

/** A writer, the publisher service of its host, and a controller: three processes. */
class Chain {
  readonly #writer: Child;
  readonly #service: Child;
  readonly #controller: Child;

  private constructor(writer: Child, service: Child, controller: Child) {
    this.#writer = writer;
    this.#service = service;
    this.#controller = controller;
  }

  static async start(mode: Mode, path: string): Promise<Chain> {
    const command = (program: string, address: string): string[] => [
      process.execPath,
      fileURLToPath(new URL(`../programs/${program}.mjs`, import.meta.url)),
      ...[LIBRARY, mode, address, SIZE, 0, mode === "paced" ? 0 : WINDOW].map(String),
    ];
    const started: Child[] = [];
    try {
      const service = new Child("service", command("event-service", path));
      started.push(service);
      const [address] = await service.expect("listening", PATIENCE);
      const writer = new Child("writer", command("event-writer", path));
      started.push(writer);
      const controller = new Child("controller", command("event-controller", address!), writer);
      started.push(controller);
      await Promise.all([writer.expect("ready", PATIENCE), controller.expect("ready", PATIENCE)]);
      return new Chain(writer, service, controller);
    } catch (error) {
      await Promise.all(started.map((child) => child.close()));
      throw error;
    }
  }

  /** Rejects when an event is lost. */
  async round(count: number): Promise<Round> {
    this.#controller.tell(`round ${count}`);
    await this.#controller.expect("go", PATIENCE);
    this.#service.tell(`round ${count}`);
    this.#writer.tell(`round ${count}`);
    const [controllerCpu, ...figures] = (await this.#controller.expect("done", PATIENCE)).map(Number);
    const cpu = await Promise.all([this.#writer, this.#service].map((child) => this.#cpuOf(child)));
    const [writer, service, controller] = [...cpu, controllerCpu!].map((each) => each / count);
    return { cpu: [writer!, service!, controller!], figures };
  }

  async #cpuOf(child: Child): Promise<number> {
    child.tell("end");
    const [cpu] = await child.expect("done", PATIENCE);
    return Number(cpu);
  }

  /** The service last: what the others still have to say is said to it. */
  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#controller.close()]);
    await this.#service.close();
  }
}

/** Events a second, and the processor time of each process. */
async function saturated({ rounds, seconds, folder }: ScenarioOptions): Promise<Figure[]> {
  const chain = await Chain.start("saturated", `${folder}/saturated`);
  const rates: number[] = [];
  const cpu: Record<"writer" | "service" | "controller", number[]> = {
    writer: [],
    service: [],
    controller: [],
  };
  try {
    let perSecond = 20_000;
    const until = performance.now() + WARM_UP * 1000;
    while (rates.length < rounds) {
      const isWarm = performance.now() >= until;
      const { cpu: used, figures } = await chain.round(Math.ceil(perSecond * (isWarm ? seconds : 0.2)));
      perSecond = (figures[0]! / figures[1]!) * 1e9;
      if (!isWarm) continue;
      rates.push(perSecond);
      for (const [i, name] of (["writer", "service", "controller"] as const).entries())
        cpu[name].push(used[i]!);
    }
  } finally {
    await chain.close();
  }
  return [
    figure("events, none lost", "events/s", rates, GOALS.rate),
    ...Object.entries(cpu).map(([name, samples]) => figure(`CPU per event, ${name}`, "µs", samples)),
  ];
}

/** From the call of `sendEvent` to the call of the callback. */
async function paced({ rounds, seconds, folder }: ScenarioOptions): Promise<Figure[]> {
  const chain = await Chain.start("paced", `${folder}/paced`);
  const p50: number[] = [];
  const p99: number[] = [];
  try {
    await chain.round(PER_SECOND * WARM_UP);
    for (let round = 0; round < rounds; round++) {
      const { figures } = await chain.round(Math.ceil(PER_SECOND * seconds));
      p50.push(figures[1]! / 1e6);
      p99.push(figures[2]! / 1e6);
    }
  } finally {
    await chain.close();
  }
  return [
    figure("latency at 10 000 events/s, p50", "ms", p50, GOALS.p50),
    figure("latency at 10 000 events/s, p99", "ms", p99, GOALS.p99),
  ];
}

function figure(what: string, unit: string, samples: readonly number[], goal?: string): Figure {
  return { what, contender: "zmtp", unit, samples, ...(goal !== undefined && { goal }) };
}

export const events: Scenario = {
  name: "events",
  title: "Dragonflow events of 200 bytes: writer, ipc, publisher service, tcp, controller's callback",
  run: async (options) => [...(await saturated(options)), ...(await paced(options))],
};
