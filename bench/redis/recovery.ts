import { setTimeout as sleep } from "node:timers/promises";
import { type RedisClusterServers, startRedisCluster } from "../../test/support/redis/cluster.ts";
import type { RedisServer } from "../../test/support/redis/server.ts";
import type { Child } from "../child.ts";
import { Figures } from "../scenarios/figures.ts";
import type { Figure, Scenario, ScenarioOptions } from "../scenarios/scenario.ts";
import { type ClientName, RECEIVERS, startProgram } from "./contenders.ts";
import { RawConnection } from "./raw.ts";

const INTERVAL_MS = 10;
const BEFORE_MS = 500;
/** Goes on for so long after the kill: the slowest needs about 6 s. */
const AFTER_MS = 10_000;
const MOST_ROUNDS = 3;
const PATIENCE = 60_000;

/** Microseconds of the system's monotonic clock, the same in every process. */
const now = (): number => Number(process.hrtime.bigint() / 1000n);

interface Outcome {
  /** µs. */
  readonly killedAt: number;
  readonly promotedAt: number | null;
  /** When each number was published. */
  readonly published: readonly number[];
}

interface Report {
  readonly arrivals: readonly (readonly [number: number, at: number])[];
  readonly gaps: number;
}

/** Publishes a number every 10 ms, first through one node and from `switchTo` on through another. */
class Publisher {
  readonly published: number[] = [];
  readonly #command: string;
  readonly #channel: string;
  #connection: RawConnection;
  #running: Promise<void> | null = null;
  #isOver = false;

  constructor(command: "PUBLISH" | "SPUBLISH", channel: string, port: number) {
    this.#command = command;
    this.#channel = channel;
    this.#connection = new RawConnection(port);
  }

  start(): void {
    this.#running = this.#run();
  }

  switchTo(port: number): void {
    this.#connection.close();
    this.#connection = new RawConnection(port);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#connection.close();
  }

  /** What a node refuses, for it is not the owner or not yet a master, is not published and has no number. */
  async #run(): Promise<void> {
    while (!this.#isOver) {
      const at = now();
      const reply = await this.#connection.ask(this.#command, this.#channel, String(this.published.length));
      if (reply?.startsWith(":")) this.published.push(at);
      await sleep(INTERVAL_MS);
    }
  }
}

/** Where the plain subscription is: PUBSUB NUMSUB tells of a node's own subscribers only. */
async function nodeOfSubscription({ nodes }: RedisClusterServers, channel: string): Promise<RedisServer> {
  for (const node of nodes) {
    const answer = await node.cli("PUBSUB", "NUMSUB", channel);
    if (answer.endsWith("\n1")) return node;
  }
  throw new Error(`nobody has subscribed to ${channel}`);
}

async function killPlain(cluster: RedisClusterServers, channel: string): Promise<Outcome> {
  const victim = await nodeOfSubscription(cluster, channel);
  const through = cluster.nodes.find((node) => node !== victim)!;
  const publisher = new Publisher("PUBLISH", channel, through.port);
  publisher.start();
  await sleep(BEFORE_MS);
  const killedAt = now();
  await victim.kill();
  await sleep(AFTER_MS);
  await publisher.stop();
  await victim.restart();
  return { killedAt, promotedAt: null, published: publisher.published };
}

async function killOwner(cluster: RedisClusterServers, channel: string): Promise<Outcome> {
  const owner = await cluster.ownerOf(channel);
  const [heir] = await cluster.replicasOf(owner);
  const publisher = new Publisher("SPUBLISH", channel, owner.port);
  publisher.start();
  await sleep(BEFORE_MS);
  const killedAt = now();
  await owner.kill();
  const promotedAt = await promotion(heir!.port);
  publisher.switchTo(heir!.port);
  await sleep(AFTER_MS);
  await publisher.stop();
  await owner.restart();
  return { killedAt, promotedAt, published: publisher.published };
}

/** Asks every few milliseconds. @returns when it was first seen as a master */
async function promotion(port: number): Promise<number> {
  const connection = new RawConnection(port);
  for (;;) {
    // A replica answers with MOVED.
    const reply = await connection.ask("SET", "{recovery}promoted", "x");
    if (reply === null) throw new Error(`port ${port} has gone`);
    if (!reply.startsWith("-")) break;
    await sleep(5);
  }
  connection.close();
  return now();
}

const KINDS = {
  plain: {
    title: "A cluster of 3 masters and 3 replicas: the node that has the plain subscription is killed",
    goal: "<= 500",
    kill: killPlain,
  },
  sharded: {
    title: "The same cluster: the owner of a sharded channel is killed",
    goal: "<= 500",
    kill: killOwner,
  },
} as const;

type Kind = keyof typeof KINDS;

async function recover(
  kind: Kind,
  name: ClientName,
  cluster: RedisClusterServers,
  channel: string,
  figures: Figures,
): Promise<void> {
  const ports = cluster.nodes.map((node) => node.port).join(",");
  const { child } = await startProgram("follow", "ready", [name, ports, kind, channel]);
  try {
    child.tell("start");
    await child.expect("start", PATIENCE);
    const outcome = await KINDS[kind].kill(cluster, channel);
    addFigures(kind, name, outcome, await reportOf(child), figures);
  } finally {
    await child.close();
  }
  await cluster.settled(PATIENCE);
}

async function reportOf(child: Child): Promise<Report> {
  child.tell("report");
  const [json] = await child.expect("report", PATIENCE);
  return JSON.parse(json!) as Report;
}

function addFigures(kind: Kind, name: ClientName, outcome: Outcome, report: Report, figures: Figures): void {
  const { killedAt, promotedAt, published } = outcome;
  const since = promotedAt ?? killedAt;
  const { goal } = KINDS[kind];
  const back = report.arrivals.find(([number]) => published[number]! > since);
  const milliseconds = back === undefined ? AFTER_MS : (back[1] - since) / 1000;
  const lost = published.length - new Set(report.arrivals.map(([number]) => number)).size;
  if (promotedAt !== null) figures.add(name, "from kill to promotion", "ms", (promotedAt - killedAt) / 1000);
  figures.add(
    name,
    `from ${promotedAt === null ? "kill" : "promotion"} to a message`,
    "ms",
    milliseconds,
    goal,
  );
  figures.add(name, "messages lost of one every 10 ms", "msg", lost);
  figures.add(name, "gaps reported", "events", report.gaps, "1 or more if any was lost");
}

export const recovery: readonly Scenario[] = (Object.keys(KINDS) as Kind[]).map((kind) => ({
  name: `recovery-${kind}`,
  title: KINDS[kind].title,
  async run({ rounds }: ScenarioOptions): Promise<Figure[]> {
    const figures = new Figures();
    await using cluster = await startRedisCluster();
    for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
      for (const name of RECEIVERS)
        await recover(kind, name, cluster, `{recovery}${kind}${round}${name}`, figures);
    }
    return figures.all();
  },
}));
