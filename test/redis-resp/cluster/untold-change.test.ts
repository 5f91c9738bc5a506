import { describe, expect, it } from "vitest";
import type { ClusterSubscriber } from "../../../src/redis-resp/cluster/cluster-subscriber.ts";
import { RedisCluster } from "../../../src/redis-resp/index.ts";
import type { Environment } from "../../../src/runtime/environment.ts";
import type { SimulatedStream } from "../../support/simulation.ts";
import { Simulation } from "../../support/simulation.ts";
import { likeRedis, ScriptedServer } from "../scripted.ts";
import { allSlots } from "./scripted-node.ts";

/** Two nodes, of which one serves all slots, until it is a replica of the other. Neither ever speaks unasked. */
class World extends Simulation {
  readonly environmentOfCluster: Environment = { ...this.environment, transports: { tcp: this.network } };
  master = 7000;
  /** Commands of pub/sub, behind the port where they came. */
  readonly seen: string[] = [];
  readonly gaps: { at: number; reason: string; shardChannels: string[] }[] = [];

  constructor() {
    super();
    for (const port of [7000, 7001]) {
      this.network.listeners.set(`tcp://127.0.0.1:${port}`, (stream) => {
        const server = new ScriptedServer(stream as SimulatedStream);
        server.answer = (command) => this.#answer(port, command);
      });
    }
  }

  open(options = {}): { cluster: RedisCluster; subscriber: ClusterSubscriber } {
    const cluster = new RedisCluster({ nodes: [{ port: 7000 }], ...options }, this.environmentOfCluster);
    const subscriber = cluster.subscriber();
    subscriber.events.on("gap", ({ reason, shardChannels }) =>
      this.gaps.push({ at: this.time, reason, shardChannels: shardChannels.map(String) }),
    );
    return { cluster, subscriber };
  }

  #answer(port: number, command: string[]): string {
    const [name = "", ...args] = command;
    if (command.join(" ") === "CLUSTER SLOTS") return allSlots(this.master);
    if (name === "CLUSTER") return "-ERR unknown subcommand\r\n";
    if (!name.endsWith("SUBSCRIBE")) return likeRedis(command);
    this.seen.push(`${port} ${command.join(" ")}`);
    const kind = name.toLowerCase();
    return args.map((arg) => `>3\r\n+${kind}\r\n$${arg.length}\r\n${arg}\r\n:1\r\n`).join("");
  }
}

describe("redis#12558: no node tells that the owner of a shard channel is a replica by now", () => {
  it.each([
    [{}, 15_000],
    [{ slotsRefreshInterval: 700 }, 700],
  ])("%o: a look at the topology finds it, after %i ms at most", async (options, interval) => {
    const world = new World();
    const { cluster, subscriber } = world.open(options);
    const since = world.time;
    await world.run(subscriber.ssubscribe("news", () => {}));
    await world.advance(500); // it looks once more soon after the first connection
    expect(world.seen.splice(0)).toEqual(["7000 SSUBSCRIBE news"]);

    world.master = 7001;
    await world.advance(since + interval - 1 - world.time);
    expect(world.seen).toEqual([]);
    expect(world.gaps).toEqual([]);
    await world.advance(1);
    expect(world.seen).toEqual(["7001 SSUBSCRIBE news"]);
    expect(world.gaps).toEqual([{ at: since + interval, reason: "moved", shardChannels: ["news"] }]);

    cluster.destroy();
    await world.settle();
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("and again, for as long as there is a subscriber", async () => {
    const world = new World();
    const { cluster, subscriber } = world.open();
    await world.run(subscriber.ssubscribe("news", () => {}));
    for (const master of [7001, 7000, 7001]) {
      world.master = master;
      world.seen.length = 0;
      await world.advance(15_000);
      expect(world.seen).toContain(`${master} SSUBSCRIBE news`);
    }
    await subscriber.close();
    world.master = 7000;
    await world.advance(60_000);
    expect(cluster.topology?.ownerOf(0)?.port).toBe(7001);
    cluster.destroy();
  });
});
