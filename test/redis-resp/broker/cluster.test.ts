import { once } from "node:events";
import { Cluster } from "ioredis";
import { createCluster } from "redis";
import { afterEach, describe, expect, it } from "vitest";
import { parseClusterNodes } from "../../../src/redis-resp/cluster/parse-nodes.ts";
import { parseClusterShards } from "../../../src/redis-resp/cluster/parse-shards.ts";
import { parseClusterSlots } from "../../../src/redis-resp/cluster/parse-slots.ts";
import { RedisBroker, RedisClient, RedisCluster, type RespValue } from "../../../src/redis-resp/index.ts";
import { describeWithRedis, startRedis } from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";
import { encode, RawClient, type Words } from "./raw-client.ts";

const brokers: RedisBroker[] = [];

afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

async function listening(): Promise<RedisBroker> {
  const broker = new RedisBroker({ cluster: true });
  brokers.push(broker);
  await broker.listen();
  return broker;
}

/** CRC16("foo") mod 16384. */
const FOO = 12_182;

describe("a broker as a cluster of one node", () => {
  it.each([2, 3] as const)("owns all slots but those that were moved, RESP%d", async (protocol) => {
    const broker = await listening();
    const { host, port } = broker.address;
    await using client = new RedisClient({ host, port, protocol });
    const views = async (): Promise<unknown[]> => {
      const nodes = await client.command("CLUSTER", "NODES");
      const text = typeof nodes === "string" ? nodes : Buffer.from(nodes as Uint8Array).toString();
      const shards = (await client.command("CLUSTER", "SHARDS")) as RespValue;
      return [
        parseClusterNodes(text, host),
        parseClusterSlots(await client.command("CLUSTER", "SLOTS"), host),
        parseClusterShards(shards, { askedHost: host, tls: false }),
      ].map((found) => found.map(({ port, slots, role, health }) => ({ port, slots, role, health })));
    };
    const node = { role: "master", health: "online" };
    const alone = [{ ...node, port, slots: [[0, 16_383]] }];
    expect(await views()).toEqual([alone, alone, alone]);
    broker.faults.moved("foo", { host, port: 7001 });
    broker.faults.moved(0, { host, port: 7001 });
    const shared = [
      {
        ...node,
        port: 7001,
        slots: [
          [0, 0],
          [FOO, FOO],
        ],
      },
      {
        ...node,
        port,
        slots: [
          [1, FOO - 1],
          [FOO + 1, 16_383],
        ],
      },
    ];
    for (const view of await views()) expect(view).toEqual(expect.arrayContaining(shared));
    broker.faults.clear();
    expect(await views()).toEqual([alone, alone, alone]);
  });

  it("ioredis: keys, sharded channels, and a slot that moves to another node", async () => {
    const [one, other] = [await listening(), await listening()];
    const cluster = new Cluster([one.address], { shardedSubscribers: true, slotsRefreshTimeout: 5000 });
    cluster.on("error", () => {});
    expect(await cluster.set("foo", "1")).toBe("OK");
    expect(await cluster.get("foo")).toBe("1");
    await expect(cluster.del("foo", "bar")).rejects.toThrow("CROSSSLOT");
    await cluster.ssubscribe("foo");
    const message = once(cluster, "smessage");
    expect(await cluster.spublish("foo", "hello")).toBe(1);
    expect((await message).slice(0, 2)).toEqual(["foo", "hello"]);
    one.faults.moved("foo", other.address);
    expect(await cluster.set("foo", "2")).toBe("OK");
    expect(other.stats().keys).toBe(1);
    await cluster.quit();
  });

  it("node-redis: keys, sharded channels, and a slot that moves to another node", async () => {
    const [one, other] = [await listening(), await listening()];
    const cluster = createCluster({ rootNodes: [{ socket: one.address }] });
    cluster.on("error", () => {});
    await cluster.connect();
    await cluster.set("foo", "1");
    expect(await cluster.get("foo")).toBe("1");
    const heard: string[] = [];
    await cluster.sSubscribe("foo", (payload) => heard.push(payload));
    await cluster.sPublish("foo", "hello");
    await until("the message", () => heard.length === 1);
    await cluster.sUnsubscribe("foo");
    one.faults.moved("foo", other.address);
    await cluster.set("foo", "2");
    expect(other.stats().keys).toBe(1);
    await cluster.close();
  });

  it("our own: a sharded channel moves while it is subscribed", async () => {
    const [one, other] = [await listening(), await listening()];
    await using cluster = new RedisCluster({ nodes: [one.address] });
    await using subscriber = cluster.subscriber();
    const heard: string[] = [];
    await subscriber.ssubscribe("foo", (payload) => heard.push(payload.toString()));
    expect(await cluster.spublish("foo", "before")).toBe(1);
    await until("the first message", () => heard.length === 1);
    one.faults.moved("foo", other.address);
    await until("it is subscribed at the new owner", () => other.stats().shardChannels === 1);
    await cluster.spublish("foo", "after");
    await until("the second message", () => heard.includes("after"));
  });
});

describeWithRedis("a broker as a cluster against redis-server", () => {
  const CASES: readonly (readonly Words[])[] = [
    [
      "SET a 1",
      "GET a",
      "DEL a b",
      "EXISTS {x}a {x}b",
      "EXISTS a b",
      "DEL {x}a {x}b",
      "HSET a b c",
      "SCAN 0 MATCH b",
    ],
    ["SELECT 0", "SELECT 1", "SELECT 16", "SELECT x", "READONLY", "READWRITE", "ASKING", "INFO cluster"],
    [
      "CLUSTER KEYSLOT foo",
      "CLUSTER KEYSLOT {foo}bar",
      "CLUSTER KEYSLOT {}foo",
      "CLUSTER KEYSLOT",
      "CLUSTER FOO",
      "CLUSTER",
    ],
    [
      "SSUBSCRIBE a b",
      "SSUBSCRIBE {x}a {x}b",
      "SUNSUBSCRIBE a b",
      "SUNSUBSCRIBE c",
      "SUNSUBSCRIBE {x}a",
      "SUNSUBSCRIBE",
      "SPUBLISH a b",
    ],
    ["HELLO", "HELLO 3", "SUBSCRIBE a b", "SPUBLISH a b", "PUBLISH a x", "CLUSTER SLOTS x", "CLUSTER MYID x"],
  ];

  it("gives the same replies", async () => {
    const broker = await listening();
    await using redis = await startRedis({ set: ["cluster-enabled yes"] });
    await redis.cli("CLUSTER", "ADDSLOTSRANGE", 0, 16_383);
    await until("all is served", async () =>
      (await redis.cli("CLUSTER", "INFO")).includes("cluster_state:ok"),
    );
    for (const commands of CASES) {
      for (const hello of [[], ["HELLO 3"]]) {
        const replies: string[] = [];
        for (const address of [broker.address, { host: redis.host, port: redis.port }]) {
          const client = await RawClient.connect(address);
          const bytes = Buffer.concat(["FLUSHALL", ...hello, ...commands, "QUIT"].map(encode));
          replies.push((await client.write(bytes).closed()).replace(/(\$2\r\nid\r\n):\d+/g, "$1:0"));
        }
        expect(replies[0], commands.join(" | ")).toBe(replies[1]);
      }
    }
  });
});
