import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import type { ClusterSubscriber } from "../../../src/redis-resp/cluster/cluster-subscriber.ts";
import { slotOf } from "../../../src/redis-resp/cluster/slot.ts";
import { RedisClient, RedisCluster } from "../../../src/redis-resp/index.ts";
import {
  describeWithRedis,
  type RedisServer,
  startRedisCluster,
  useRedis,
} from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";
import { Load } from "./load.ts";

/** ms for a test with a failover, or a slot that moves, on a slow machine. */
const TIME = 60_000;

describeWithRedis("N-28: ClusterSubscriber, 3 masters and 3 replicas", () => {
  const servers = useRedis(() => startRedisCluster());

  afterEach(async () => {
    for (const node of servers().nodes) if (!node.isRunning) await node.restart();
    await servers().settled();
  }, TIME);

  function open(options = {}): RedisCluster {
    const nodes = servers().nodes.map(({ host, port }) => ({ host, port }));
    return new RedisCluster({ nodes, maxRedirections: 200, ...options });
  }

  async function masters(): Promise<RedisServer[]> {
    const lines = (await servers().view()).filter(({ flags }) => flags.includes("master"));
    return lines.map(({ port }) => servers().nodes.find((node) => node.port === port)!);
  }

  /** A channel whose slot this master serves. */
  async function channelAt(owner: RedisServer, name: string): Promise<string> {
    for (let i = 0; ; i++) if ((await servers().ownerOf(`${name}:${i}`)) === owner) return `${name}:${i}`;
  }

  /** A subscriber whose channels and patterns come from a master. */
  async function openAtMaster(
    cluster: RedisCluster,
  ): Promise<{ subscriber: ClusterSubscriber; node: RedisServer }> {
    for (;;) {
      const subscriber = cluster.subscriber();
      const addresses: string[] = [];
      subscriber.events.on("connect", ({ address }) => addresses.push(address));
      await subscriber.subscribe("anything", () => {});
      const node = (await masters()).find(({ host, port }) => addresses[0] === `${host}:${port}`);
      if (node !== undefined) return { subscriber, node };
      await subscriber.close();
    }
  }

  it("all kinds, over all shards in one call; unsubscribed, nothing comes any more", async () => {
    await using cluster = open();
    const subscriber = cluster.subscriber();
    const seen: string[] = [];
    const note = (payload: Buffer, channel: Buffer, pattern: Buffer | null): void => {
      seen.push(`${pattern ?? ""} ${channel} ${payload}`);
    };
    const names = Array.from({ length: 50 }, (_, i) => `shard:${i}`);
    await Promise.all([
      subscriber.subscribe("news", note),
      subscriber.psubscribe("n?ws", note),
      subscriber.ssubscribe(names, note),
    ]);
    for (const name of names) expect(subscriber.state(name, "shard")).toBe("confirmed");
    await cluster.publish("news", "hello");
    for (const name of names) expect(await cluster.spublish(name, "hi")).toBe(1);
    await until("all have come", () => seen.length === 52);
    expect(seen.sort()).toEqual(
      [" news hello", "n?ws news hello", ...names.map((name) => ` ${name} hi`)].sort(),
    );
    expect(subscriber.stats()).toMatchObject({
      channels: 1,
      patterns: 1,
      shardChannels: 50,
      received: 52,
      gaps: 0,
    });
    await subscriber.sunsubscribe(names.slice(1));
    await subscriber.unsubscribe();
    await subscriber.punsubscribe();
    for (const name of names) expect(await cluster.spublish(name, "x")).toBe(name === names[0] ? 1 : 0);
    await subscriber.sunsubscribe();
    expect(await cluster.spublish(names[0]!, "x")).toBe(0);
    expect(subscriber.stats()).toMatchObject({ channels: 0, patterns: 0, shardChannels: 0 });
  });

  it("without a listener, all kinds come into one inbox", async () => {
    await using cluster = open({ protocol: 2 });
    const subscriber = cluster.subscriber();
    await subscriber.subscribe("news");
    await subscriber.ssubscribe(["a", "b", "c"]);
    for (const name of ["a", "b", "c"]) await cluster.spublish(name, "x");
    await cluster.publish("news", "x");
    const kinds: string[] = [];
    for await (const { kind, channel } of subscriber) if (kinds.push(`${kind} ${channel}`) === 4) break;
    expect(kinds.sort()).toEqual(["channel news", "shard a", "shard b", "shard c"]);
  });

  it.each([
    ["killed", {}],
    // Before the others hold it to be dead, and not for a node that is only kept waiting.
    ["frozen", { pingInterval: 200, pingTimeout: 1000 }],
    // Nobody asks the node itself whether it lives.
    ["frozen, and held to be dead by the others", { slotsRefreshInterval: 300, pingInterval: 0 }],
  ])("a node %s: others take over, each loss is told", { timeout: TIME }, async (what, options) => {
    await using cluster = open(options);
    const { subscriber, node: victim } = await openAtMaster(cluster);
    const other = (await masters()).find((node) => node !== victim)!;
    await using client = new RedisClient({ host: other.host, port: other.port });
    const publish = (channel: string, payload: string) => client.publish(channel, payload);
    const spublish = (channel: string, payload: string) => cluster.spublish(channel, payload);
    const [plain, pattern, lost, kept] = await Promise.all([
      Load.start(subscriber, "channel", "news", publish),
      Load.start(subscriber, "pattern", "patterned", publish, "p*d"),
      Load.start(subscriber, "shard", await channelAt(victim, "lost"), spublish),
      Load.start(subscriber, "shard", await channelAt(other, "kept"), spublish),
    ]);
    const all = [plain, pattern, lost, kept];
    for (const load of all) await load.flows();
    try {
      if (what === "killed") await victim.kill();
      else victim.freeze();
      await until("the gaps", () => [plain, pattern, lost].every(({ gaps }) => gaps.length > 0), 30_000);
      for (const load of all) await load.flows();
      for (const load of all) await load.stop();
    } finally {
      if (victim.isRunning) victim.thaw();
    }
    for (const load of all) load.expectCovered();
    expect(plain.gaps[0]!.reason).toBe("failover");
    expect(pattern.gaps[0]!.reason).toBe("failover");
    expect(lost.gaps[0]!.reason).toBe("failover");
    expect(kept.gaps).toEqual([]);
  });

  it("a slot that moves under load, while others are subscribed to: moved, and told", {
    timeout: TIME,
  }, async () => {
    await using cluster = open();
    const subscriber = cluster.subscriber();
    const [from, to] = (await masters()) as [RedisServer, RedisServer];
    const channel = await channelAt(from, "moving");
    const spublish = (name: string, payload: string) => cluster.spublish(name, payload);
    const load = await Load.start(subscriber, "shard", channel, spublish);
    await load.flows();
    const others = Array.from({ length: 100 }, (_, i) => `{other:${i % 20}}:${i}`);
    await Promise.all([
      servers().moveSlot(channel, to),
      ...others.map((name) => subscriber.ssubscribe(name, () => {})),
    ]);
    await until("the gap", () => load.gaps.length > 0);
    await load.flows();
    await load.stop();
    load.expectCovered();
    expect(load.gaps[0]!.reason).toBe("moved");
    for (const name of others) expect(subscriber.state(name, "shard")).toBe("confirmed");
    for (const name of others) expect(await cluster.spublish(name, "x")).toBe(1);
  });

  it("a slot that has moved unnoticed: its new owner is found by MOVED", { timeout: TIME }, async () => {
    await using cluster = open();
    const subscriber = cluster.subscriber();
    const [from, to] = (await masters()) as [RedisServer, RedisServer];
    const channel = await channelAt(from, "unnoticed");
    await cluster.refresh();
    await servers().moveSlot(channel, to);
    await subscriber.ssubscribe(channel, () => {});
    expect(await cluster.spublish(channel, "x")).toBe(1);
    expect(subscriber.stats().gaps).toBe(0);
  });

  it("our SUNSUBSCRIBE and the server's own cross: no other call is hit by it", {
    timeout: TIME,
  }, async () => {
    await using cluster = open();
    const subscriber = cluster.subscriber();
    const [from, to] = (await masters()) as [RedisServer, RedisServer];
    const channel = await channelAt(from, "crossing");
    const spublish = (name: string, payload: string) => cluster.spublish(name, payload);
    const kept = await Load.start(subscriber, "shard", await channelAt(from, "staying"), spublish);
    for (const target of [to, from, to, from]) {
      await subscriber.ssubscribe(channel, () => {});
      const moved = servers().moveSlot(channel, target);
      let left: Promise<void> | null = null;
      // The server gives the slot up at some moment of the move: each of these may be the one.
      while (left === null || Math.random() < 0.5) {
        left = subscriber.sunsubscribe(channel);
        await Promise.all([left, subscriber.ssubscribe(channel, () => {})]);
      }
      await moved;
      await subscriber.sunsubscribe(channel);
      expect(subscriber.state(channel, "shard")).toBeNull();
      expect(await cluster.spublish(channel, "x")).toBe(0);
    }
    await kept.flows();
    await kept.stop();
    kept.expectCovered();
    expect(kept.gaps).toEqual([]);
  });

  it("an owner that is made a replica, all its connections alive: its channels are taken from the new one", {
    timeout: TIME,
  }, async () => {
    await using cluster = open();
    const subscriber = cluster.subscriber();
    const [owner] = (await masters()) as [RedisServer];
    const [replica] = (await servers().replicasOf(owner)) as [RedisServer];
    const spublish = (name: string, payload: string) => cluster.spublish(name, payload);
    const load = await Load.start(subscriber, "shard", await channelAt(owner, "demoted"), spublish);
    await load.flows();
    await replica.cli("CLUSTER", "FAILOVER");
    await servers().promoted(replica);
    await until("the gap", () => load.gaps.length > 0);
    await load.flows();
    await load.stop();
    load.expectCovered();
    expect(cluster.topology?.ownerOf(slotOf(load.channel))?.port).toBe(replica.port);
  });

  it("connections cut by the server: made again, and told", { timeout: TIME }, async () => {
    await using cluster = open();
    const subscriber = cluster.subscriber();
    const { nodes } = servers();
    const publish = (channel: string, payload: string) => cluster.publish(channel, payload);
    const spublish = (channel: string, payload: string) => cluster.spublish(channel, payload);
    const plain = await Load.start(subscriber, "channel", "news", publish);
    const shard = await Load.start(subscriber, "shard", "cut", spublish);
    for (let round = 0; round < 3; round++) {
      for (const load of [plain, shard]) await load.flows();
      for (const node of nodes) await node.cli("CLIENT", "KILL", "TYPE", "pubsub");
      await until("the gaps", () => [plain, shard].every(({ gaps }) => gaps.length > round));
    }
    for (const load of [plain, shard]) await load.stop();
    for (const load of [plain, shard]) load.expectCovered();
    expect(shard.gaps.map(({ reason }) => reason)).toEqual(["reconnect", "reconnect", "reconnect"]);
  });

  it("subscribed to while the owner is down: confirmed when its replica has taken over", {
    timeout: TIME,
  }, async () => {
    await using cluster = open();
    const subscriber = cluster.subscriber();
    const [owner] = (await masters()) as [RedisServer];
    const channel = await channelAt(owner, "late");
    await cluster.refresh();
    await owner.kill();
    const given = new AbortController();
    const givenUp = subscriber.ssubscribe(`{${channel}}:2`, () => {}, { signal: given.signal });
    const subscribed = subscriber.ssubscribe(channel, () => {});
    expect(subscriber.state(channel, "shard")).toBe("pending");
    given.abort(new Error("enough"));
    await expect(givenUp).rejects.toThrow("enough");
    await subscribed;
    expect(await cluster.spublish(channel, "x")).toBe(1);
    expect(subscriber.stats()).toMatchObject({ shardChannels: 1, gaps: 0 });
  });

  it("a channel that is not allowed: an error of its own, and part of the gap", {
    timeout: TIME,
  }, async () => {
    await using cluster = open();
    const subscriber = cluster.subscriber();
    const errors: string[] = [];
    subscriber.events.on("error", ({ channel, error }) => {
      if (channel !== undefined) errors.push(`${channel}: ${(error as { code?: string }).code}`);
    });
    const gaps: string[][] = [];
    subscriber.events.on("gap", ({ shardChannels }) => gaps.push(shardChannels.map(String)));
    const [allowed, refused] = ["{same}:allowed", "{same}:refused"];
    await subscriber.ssubscribe([allowed, refused], () => {});
    try {
      for (const node of servers().nodes)
        await node.cli("ACL", "SETUSER", "default", "resetchannels", `&${allowed}`);
      // Who has lost a right is cut off by the server.
      await until("the gap", () => gaps.length > 0);
      expect(gaps[0]!.sort()).toEqual([allowed, refused]);
      expect(errors).toEqual([`${refused}: NOPERM`]);
      expect(subscriber.state(allowed, "shard")).toBe("confirmed");
      expect(subscriber.state(refused, "shard")).toBe("failed");
      await expect(subscriber.ssubscribe(["{other}:1", allowed], () => {})).rejects.toMatchObject({
        code: "NOPERM",
      });
      expect(subscriber.state("{other}:1", "shard")).toBeNull();
      expect(subscriber.state(allowed, "shard")).toBe("confirmed");
    } finally {
      for (const node of servers().nodes) await node.cli("ACL", "SETUSER", "default", "allchannels");
    }
  });

  it("a cluster that is closed closes its subscribers", async () => {
    const cluster = open();
    const subscriber = cluster.subscriber({ maxInboxMessages: 10 });
    await subscriber.ssubscribe("a");
    const waiting = expect(subscriber.receive()).rejects.toMatchObject({ code: "EBADF" });
    await cluster.close();
    await waiting;
    expect(subscriber.closed).toBe(true);
    await expect(subscriber.subscribe("a")).rejects.toMatchObject({ code: "EBADF" });
    expect(() => cluster.subscriber()).toThrow(expect.objectContaining({ code: "EBADF" }));
    expect(() => open().subscriber({ host: "x" } as never)).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
  });
});

describeWithRedis("a cluster with TLS and users", () => {
  const acl = { username: "ada", password: "secret" };
  const servers = useRedis(() => startRedisCluster({ masters: 2, replicas: 0, tls: true, acl }));

  it("commands and subscriptions at all nodes", async () => {
    const { port, tls } = servers().nodes[0]!;
    const options = { nodes: [{ port }], tls: { ca: readFileSync(tls!.ca) }, ...acl };
    await using cluster = new RedisCluster(options);
    const subscriber = cluster.subscriber();
    const names = Array.from({ length: 10 }, (_, i) => `name:${i}`);
    await subscriber.ssubscribe(names, () => {});
    await subscriber.psubscribe("*", () => {});
    for (const name of names) {
      expect(await cluster.set(name, name)).toBe(true);
      expect(await cluster.spublish(name, "x")).toBe(1);
    }
    await using stranger = new RedisCluster({ ...options, password: "wrong" });
    await expect(stranger.get("a")).rejects.toMatchObject({ code: "WRONGPASS" });
    await expect(stranger.subscriber().ssubscribe("a", () => {})).rejects.toMatchObject({
      code: "WRONGPASS",
    });
  });
});
