import { afterEach, expect, it, vi } from "vitest";
import { RedisClient } from "../../../src/redis-resp/client/client.ts";
import { RedisCluster } from "../../../src/redis-resp/cluster/cluster.ts";
import { parseClusterNodes } from "../../../src/redis-resp/cluster/parse-nodes.ts";
import { parseClusterShards } from "../../../src/redis-resp/cluster/parse-shards.ts";
import { parseClusterSlots } from "../../../src/redis-resp/cluster/parse-slots.ts";
import { slotOf } from "../../../src/redis-resp/cluster/slot.ts";
import { type ClusterNode, Topology } from "../../../src/redis-resp/cluster/topology.ts";
import { asText } from "../../../src/redis-resp/protocol/values.ts";
import {
  describeWithRedis,
  type RedisServer,
  startRedisCluster,
  useRedis,
} from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";

/** Enough for a failover on a slow machine. */
const PATIENT = { maxRedirections: 200 };

/** ms for a test with a failover, or a slot that moves, on a slow machine. */
const TIME = 60_000;

describeWithRedis("RedisCluster, 3 masters and 3 replicas", () => {
  const servers = useRedis(() => startRedisCluster());

  afterEach(async () => {
    for (const node of servers().nodes) if (!node.isRunning) await node.restart();
    await servers().settled();
  }, TIME);

  function open(options = {}): RedisCluster {
    const nodes = servers().nodes.map(({ host, port }) => ({ host, port }));
    return new RedisCluster({ nodes, ...options });
  }

  it("each node, in each way and protocol, tells the same of itself and the others", {
    timeout: TIME,
  }, async () => {
    // SLOTS leaves out replicas to which nothing has been replicated yet.
    await using cluster = open();
    for (let i = 0; i < 100; i++) await cluster.set(`replicated:${i}`, i);
    for (const [i, { host, port }] of servers().nodes.entries()) {
      await using client = new RedisClient({ host, port, protocol: i % 2 === 0 ? 2 : 3 });
      await vi.waitFor(async () => {
        const shards = parseClusterShards(await client.cluster("SHARDS"), { askedHost: host, tls: false });
        const slots = parseClusterSlots(await client.cluster("SLOTS"), host);
        const nodes = parseClusterNodes(String(asText(await client.cluster("NODES"))), host);
        expect(byId(slots)).toEqual(byId(nodes));
        expect(byId(shards)).toEqual(byId(nodes));
        expect(new Topology(nodes).isComplete).toBe(true);
        expect(ports(nodes)).toEqual(ports(servers().nodes));
      }, 15_000);
    }
  });

  it.each([2, 3] as const)(
    "each command finds the owner of its key, in RESP%i, knowing one node",
    async (protocol) => {
      const { host, port } = servers().nodes[5]!;
      await using cluster = new RedisCluster({ nodes: [{ host, port }], protocol });
      const addresses = new Set<string>();
      cluster.events.on("connect", ({ address }) => addresses.add(address));
      const keys = Array.from({ length: 100 }, (_, i) => `key:${protocol}:${i}`);
      expect(await Promise.all(keys.map((key) => cluster.set(key, key)))).toEqual(keys.map(() => true));
      expect(await Promise.all(keys.map((key) => cluster.get(key, { text: true })))).toEqual(keys);
      expect(await cluster.exists(["{t}a", "{t}b"])).toBe(0);
      await expect(cluster.del(["a", "b"])).rejects.toMatchObject({ code: "CROSSSLOT" });
      expect(addresses.size).toBeGreaterThanOrEqual(3);
      const masters = (await servers().view()).filter(({ flags }) => flags.includes("master"));
      expect(ports(cluster.topology!.masters)).toEqual(ports(masters));
    },
  );

  it("PUBLISH goes to one node, in order; SPUBLISH to the owner of the channel", async () => {
    await using cluster = open();
    await cluster.refresh();
    await Promise.all(Array.from({ length: 20 }, () => cluster.publish("news", "x")));
    for (const channel of ["a", "b", "c"]) {
      const { host, port } = await servers().ownerOf(channel);
      await using client = new RedisClient({ host, port });
      // Sent without a way to the owner it would have been refused.
      expect(await client.spublish(channel, "x")).toBe(0);
      expect(await cluster.spublish(channel, "x")).toBe(0);
    }
  });

  it("keys that are counted up while their slot moves, key by key: ASK, then MOVED", {
    timeout: TIME,
  }, async () => {
    await using cluster = open();
    const key = "{moving}counter";
    const owner = await servers().ownerOf(key);
    const target = await otherMaster(owner);
    let counted = 0;
    let stopped = false;
    const counting = (async () => {
      while (!stopped) {
        await cluster.incr(key);
        counted += 1;
      }
    })();
    await until("it counts", () => counted > 0);
    await migrate(owner, target, key, async () => {
      const asked = counted;
      await until("it counts at the importing node", () => counted > asked + 20);
    });
    const moved = counted;
    await until("it counts at the new owner", () => counted > moved + 20);
    stopped = true;
    await counting;
    expect(Number(await cluster.get(key, { text: true }))).toBe(counted);
    // Whom a redirection made us ask may not have known it yet: the next one does the same.
    await until("the move is known", async () => {
      await cluster.get(key);
      return cluster.topology?.ownerOf(slotOf(key))?.port === target.port;
    });
    await cluster.del(key);
  });

  it("several keys, of which one has moved already: TRYAGAIN until the others have too", async () => {
    await using cluster = open(PATIENT);
    const keys = ["{pair}a", "{pair}b"];
    const owner = await servers().ownerOf("pair");
    for (const key of keys) await cluster.set(key, 1);
    let count: Promise<number> | null = null;
    await migrate(owner, await otherMaster(owner), keys[0]!, async (moveKey) => {
      count = cluster.exists(keys);
      await until("it was refused", async () => {
        const stats = await owner.cli("INFO", "errorstats");
        return stats.includes("errorstat_TRYAGAIN");
      });
      await moveKey(keys[1]!);
      expect(await count).toBe(2);
    });
    expect(count).not.toBeNull();
    await cluster.del(keys);
  });

  it("an owner killed: nothing is carried out twice, and its replica takes over", {
    timeout: TIME,
  }, async () => {
    await using cluster = open(PATIENT);
    const key = "{killed}counter";
    const owner = await servers().ownerOf(key);
    const outcome = await countThrough(cluster, key, async () => {
      await owner.kill();
    });
    expect(outcome.value).toBeLessThanOrEqual(outcome.counted + outcome.unknown);
    expect(cluster.topology?.ownerOf(slotOf(key))?.port).not.toBe(owner.port);
    await cluster.del(key);
  });

  it("an owner frozen: what it has is of unknown fate, the rest goes to its replica", {
    timeout: TIME,
  }, async () => {
    await using cluster = open({ ...PATIENT, pingInterval: 200, pingTimeout: 1000 });
    const key = "{frozen}counter";
    const owner = await servers().ownerOf(key);
    try {
      const outcome = await countThrough(cluster, key, async () => owner.freeze());
      expect(outcome.unknown).toBeGreaterThan(0);
      expect(outcome.value).toBeLessThanOrEqual(outcome.counted + outcome.unknown);
    } finally {
      owner.thaw();
    }
    await cluster.del(key);
  });

  it("a node killed to which PUBLISH goes: another takes its place", { timeout: TIME }, async () => {
    await using cluster = open(PATIENT);
    for (const node of servers().nodes) await node.cli("CONFIG", "RESETSTAT");
    await cluster.publish("news", "x");
    // The node that was asked for the topology may be another.
    const counts = await Promise.all(servers().nodes.map(published));
    expect([...counts].sort()).toEqual([0, 0, 0, 0, 0, 1]);
    await servers().nodes[counts.indexOf(1)]!.kill();
    let failures = 0;
    for (let i = 0; i < 50; i++) await cluster.publish("news", "x").catch(() => (failures += 1));
    expect(failures).toBeLessThanOrEqual(1);
  });

  /** Counts until it has been disturbed and works again, at least five times. */
  async function countThrough(
    cluster: RedisCluster,
    key: string,
    disturb: () => Promise<void>,
  ): Promise<{ counted: number; unknown: number; value: number }> {
    let counted = 0;
    let unknown = 0;
    const count = async (): Promise<void> => {
      try {
        await cluster.incr(key);
        counted += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: "EUNKNOWN" });
        unknown += 1;
      }
    };
    for (let i = 0; i < 5; i++) await count();
    const underWay = Array.from({ length: 50 }, count);
    await disturb();
    await Promise.all(underWay);
    const goal = counted + 5;
    while (counted < goal) await count();
    return { counted, unknown, value: Number(await cluster.get(key, { text: true })) };
  }

  async function otherMaster(than: RedisServer): Promise<RedisServer> {
    const masters = (await servers().view()).filter(({ flags }) => flags.includes("master"));
    const port = masters.find((node) => node.port !== than.port && node.master === null)!.port;
    return servers().nodes.find((node) => node.port === port)!;
  }

  /** Moves the slot of the key as redis-cli --cluster reshard does. @param between the key has moved, its slot has not. */
  async function migrate(
    owner: RedisServer,
    target: RedisServer,
    key: string,
    between: (moveKey: (key: string) => Promise<unknown>) => Promise<void>,
  ): Promise<void> {
    const slot = slotOf(key);
    const [ownerId, targetId] = await Promise.all([owner, target].map((node) => node.cli("CLUSTER", "MYID")));
    const moveKey = (name: string) => owner.cli("MIGRATE", target.host, target.port, name, 0, 5000);
    await target.cli("CLUSTER", "SETSLOT", slot, "IMPORTING", ownerId!);
    await owner.cli("CLUSTER", "SETSLOT", slot, "MIGRATING", targetId!);
    await moveKey(key);
    await between(moveKey);
    for (const node of [target, owner]) await node.cli("CLUSTER", "SETSLOT", slot, "NODE", targetId!);
  }
});

async function published(node: RedisServer): Promise<number> {
  const stats = await node.cli("INFO", "commandstats");
  return Number(/cmdstat_publish:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

function ports(nodes: readonly { port: number }[]): number[] {
  return nodes.map(({ port }) => port).sort();
}

/** What CLUSTER SLOTS tells too, in one order. */
function byId(nodes: readonly ClusterNode[]): unknown[] {
  return [...nodes]
    .sort((one, other) => (one.id < other.id ? -1 : 1))
    .map(({ id, host, port, role, masterId, slots }) => ({ id, host, port, role, masterId, slots }));
}
