import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import {
  type GapEvent,
  RedisClient,
  RedisSubscriber,
  type SubscriberOptions,
} from "../../../src/redis-resp/index.ts";
import {
  describeWithRedis,
  type RedisServer,
  startRedis,
  startRedisCluster,
  useRedis,
} from "../../support/redis-server.ts";
import { trapRejections } from "../../support/sim-sockets.ts";
import { until } from "../../support/wait.ts";

trapRejections();

/** Numbered messages of one publisher as they come: each follows the last, unless the connection was lost between them. */
class Ledger {
  received = 0;
  last = 0;
  readonly gaps: GapEvent[] = [];
  readonly missedInSilence: string[] = [];
  #wasLost = false;
  /** A loss of which no gap has told yet. */
  owesGap = false;

  constructor(subscriber: RedisSubscriber) {
    subscriber.events.on("disconnect", () => {
      this.#wasLost = true;
      this.owesGap = true;
    });
    subscriber.events.on("gap", (gap) => {
      this.gaps.push(gap);
      this.owesGap = false;
    });
  }

  hear(payload: Buffer): void {
    const number = Number.parseInt(payload.toString("latin1", 0, 20), 10);
    const follows = this.#wasLost ? number > this.last : number === this.last + 1;
    if (!follows) this.missedInSilence.push(`${number} after ${this.last}`);
    this.last = number;
    this.#wasLost = false;
    this.received += 1;
  }
}

async function nextGap(subscriber: RedisSubscriber): Promise<GapEvent> {
  return await new Promise((resolve) => {
    subscriber.events.once("gap", resolve);
  });
}

async function works(subscriber: RedisSubscriber, server: RedisServer): Promise<void> {
  const heard: string[] = [];
  await subscriber.subscribe("works", (payload) => heard.push(payload.toString()));
  await server.cli("PUBLISH", "works", "yes");
  await until("a message has come", () => heard.includes("yes"));
}

describeWithRedis("N-27: RedisSubscriber and redis-server", () => {
  const redis = useRedis(() => startRedis({ unix: true, tls: true }));

  const connect = (options: SubscriberOptions = {}): RedisSubscriber =>
    new RedisSubscriber({ port: redis().port, ...options });

  it.each([3, 2] as const)("RESP%i: channels, patterns, shard channels, in and out", async (protocol) => {
    await using subscriber = connect({ protocol });
    await using client = new RedisClient({ port: redis().port });
    const seen: string[] = [];
    await subscriber.subscribe("news", (payload, channel) => seen.push(`${channel}: ${payload}`));
    await subscriber.psubscribe("n*", (payload, channel, pattern) =>
      seen.push(`${pattern} ${channel}: ${payload}`),
    );
    await subscriber.ssubscribe("shard", (payload, channel) => seen.push(`s ${channel}: ${payload}`));
    expect(await client.publish("news", "hello")).toBe(2);
    expect(await client.spublish("shard", "hi")).toBe(1);
    // The replies to the other connection may be read first.
    await until("all have come", () => seen.length === 3);
    await subscriber.unsubscribe();
    await subscriber.punsubscribe();
    await subscriber.sunsubscribe();
    expect(await client.publish("news", "nobody")).toBe(0);
    expect(seen).toEqual(["news: hello", "n* news: hello", "s shard: hi"]);
  });

  it.each([3, 2] as const)(
    "node-redis#3407, RESP%i: unsubscribing from all channels while a pattern remains resolves, and what follows works",
    async (protocol) => {
      await using subscriber = connect({ protocol });
      const heard: string[] = [];
      await subscriber.subscribe(["a", "b"], () => {});
      await subscriber.psubscribe("w*", (payload) => heard.push(payload.toString()));
      await subscriber.unsubscribe();
      await subscriber.unsubscribe(); // of none at all
      await subscriber.unsubscribe("never");
      await works(subscriber, redis());
      expect(heard).toEqual(["yes"]);
      await subscriber.punsubscribe();
      expect(await redis().cli("PUBSUB", "NUMPAT")).toBe("0");
    },
  );

  it.each([3, 2] as const)(
    "node-redis#467, RESP%i: unsubscribing while messages are under way",
    async (protocol) => {
      await using subscriber = connect({ protocol });
      await using client = new RedisClient({ port: redis().port });
      let heard = 0;
      await subscriber.subscribe(["flood", "b"], () => {
        heard += 1;
      });
      const flood = Promise.all(Array.from({ length: 5000 }, () => client.publish("flood", "x")));
      await until("messages come", () => heard > 0);
      await subscriber.unsubscribe("flood");
      const before = heard;
      await flood;
      await subscriber.unsubscribe("b");
      expect(heard).toBe(before);
    },
  );

  it("node-redis#1190, #2155: keyspace notifications are channels like others, also after a loss", async () => {
    await redis().cli("CONFIG", "SET", "notify-keyspace-events", "KEA");
    await using subscriber = connect();
    const heard: string[] = [];
    await subscriber.psubscribe("__keyspace@0__:k*", (payload, channel) =>
      heard.push(`${channel} ${payload}`),
    );
    const gap = nextGap(subscriber);
    await redis().cli("CLIENT", "KILL", "TYPE", "pubsub");
    expect((await gap).patterns.map(String)).toEqual(["__keyspace@0__:k*"]);
    await redis().cli("SET", "key", "1");
    await until("the notification has come", () => heard.length > 0);
    expect(heard).toEqual(["__keyspace@0__:key set"]);
  });

  it("over a Unix socket", async () => {
    await using subscriber = new RedisSubscriber({ path: redis().unix as string });
    await works(subscriber, redis());
  });

  it("over TLS", async () => {
    const { tls, tlsPort } = redis();
    const ca = readFileSync(tls?.ca as string);
    await using subscriber = new RedisSubscriber({
      port: tlsPort as number,
      tls: { ca, servername: "localhost" },
    });
    await works(subscriber, redis());
  });

  it("names of any bytes", async () => {
    await using subscriber = connect();
    await using client = new RedisClient({ port: redis().port });
    const name = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const heard: Buffer[] = [];
    await subscriber.subscribe(name, (_, channel) => heard.push(channel));
    expect(await client.publish(name, "x")).toBe(1);
    await until("it has come", () => heard.length === 1);
    expect(Buffer.compare(heard[0] as Buffer, name)).toBe(0);
  });

  it("without listeners: loops and batches", async () => {
    await using subscriber = connect();
    await using client = new RedisClient({ port: redis().port });
    await subscriber.subscribe("in");
    await subscriber.psubscribe("i*");
    for (let i = 0; i < 3; i += 1) await client.publish("in", String(i));
    const seen: string[] = [];
    for await (const { kind, pattern, channel, payload } of subscriber) {
      seen.push(`${kind} ${pattern} ${channel} ${payload}`);
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(["channel null in 0", "pattern i* in 0", "channel null in 1", "pattern i* in 1"]);
    await until("the rest is there", () => subscriber.stats().queued === 2);
    expect(await subscriber.receiveBatch()).toHaveLength(2);
  });

  it("10,000 channels: all confirmed, all back after a loss, one gap that names them", async () => {
    await using subscriber = connect();
    const names = Array.from({ length: 10_000 }, (_, i) => `many:${i}`);
    let heard = 0;
    await subscriber.subscribe(names, () => {
      heard += 1;
    });
    const gap = nextGap(subscriber);
    await redis().cli("CLIENT", "KILL", "TYPE", "pubsub");
    expect((await gap).channels).toHaveLength(10_000);
    expect(names.every((name) => subscriber.state(name) === "confirmed")).toBe(true);
    expect(await redis().cli("PUBLISH", "many:9999", "x")).toBe("1");
    await until("it has come", () => heard === 1);
    expect(subscriber.stats().gaps).toBe(1);
    await subscriber.unsubscribe();
    expect(await redis().cli("PUBSUB", "CHANNELS", "many:*")).toBe("");
  });

  it("killed again and again under load: each message has come or is covered by a gap", async () => {
    await using subscriber = connect();
    await using client = new RedisClient({ port: redis().port });
    const ledger = new Ledger(subscriber);
    const retries: number[] = [];
    subscriber.events.on("disconnect", ({ retryIn }) => retries.push(retryIn));
    await subscriber.subscribe("load", (payload) => ledger.hear(payload));
    let published = 0;
    let isOver = false;
    const load = (async () => {
      while (!isOver) {
        for (let i = 0; i < 20; i += 1) {
          published += 1;
          void client.publish("load", String(published));
        }
        await client.ping();
        await sleep(1);
      }
    })();
    for (let round = 1; round <= 3; round += 1) {
      const before = ledger.received;
      await until("messages come", () => ledger.received > before + 50);
      await redis().cli("CLIENT", "KILL", "TYPE", "pubsub");
      await until("the gap is told", () => ledger.gaps.length === round);
    }
    isOver = true;
    await load;
    // What the load published last may be within the gap: this one is after it, and has to come.
    published += 1;
    expect(await client.publish("load", String(published))).toBe(1);
    await until("the last has come", () => ledger.last === published);
    expect([ledger.missedInSilence, ledger.owesGap]).toEqual([[], false]);
    expect(retries[0]).toBeLessThanOrEqual(1);
    expect(ledger.gaps.map(({ reason, channels }) => `${reason} ${channels}`)).toEqual(
      Array(3).fill("reconnect load"),
    );
  });

  it("node-redis#284, #384: 64 MB in one message", async () => {
    await redis().cli("CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0");
    await using subscriber = connect();
    await using client = new RedisClient({ port: redis().port });
    const body = randomBytes(64 * 2 ** 20);
    const heard: Buffer[] = [];
    await subscriber.subscribe("huge", (payload) => heard.push(payload));
    expect(await client.publish("huge", body)).toBe(1);
    await until("it has come", () => heard.length === 1);
    expect(heard[0]?.equals(body)).toBe(true);
  });
});

describeWithRedis("N-26: RedisSubscriber and a redis-server in trouble", () => {
  it("node-redis#540, #1114: too slow for the server's output buffer: the gap covers what is missing, the counts add up", async () => {
    await using server = await startRedis({ set: ["client-output-buffer-limit pubsub 4mb 4mb 60"] });
    await using subscriber = new RedisSubscriber({ port: server.port });
    await using client = new RedisClient({ port: server.port });
    const ledger = new Ledger(subscriber);
    await subscriber.subscribe("big", (payload) => {
      ledger.hear(payload);
      // Each takes its time: the server does not get rid of them as fast as they come.
      for (const end = performance.now() + 1; performance.now() < end; );
    });
    // By another process: this one is busy. In the end more than the limit at once.
    const script = (count: number): string =>
      `for i = 1, ${count} do redis.call('PUBLISH', 'big', redis.call('INCR', 'n') .. string.rep(' ', 16384)) end`;
    await server.cli("-r", 20, "EVAL", script(50), 0);
    await server.cli("EVAL", script(400), 0);
    await until("the gap is told", () => ledger.gaps.length > 0, 20_000);
    // The connection may be another one that is on its way out: what is published into it is covered by the next gap.
    let published = 1400;
    await until(
      "what is published now comes",
      async () => {
        published += 1;
        await client.publish("big", String(published));
        return ledger.last > 1400;
      },
      20_000,
      50,
    );
    await until("the last has come", () => ledger.last === published);
    expect([ledger.missedInSilence, ledger.owesGap]).toEqual([[], false]);
    expect(ledger.received).toBeLessThan(published);
    expect(server.log).toContain("overcoming of output buffer limits");
    expect(subscriber.stats()).toMatchObject({ received: ledger.received, gaps: ledger.gaps.length });
  }, 60_000);

  it("frozen: found by the PING that is not answered, and all is well when it comes to", async () => {
    await using server = await startRedis();
    await using subscriber = new RedisSubscriber({
      port: server.port,
      pingInterval: 200,
      pingTimeout: 1500, // long enough for a server that is only kept waiting
    });
    await subscriber.subscribe("a", () => {});
    const lost = new Promise<string>((resolve) => {
      subscriber.events.once("disconnect", ({ error }) => resolve(error.code));
    });
    const gap = nextGap(subscriber);
    server.freeze();
    try {
      expect(await lost).toBe("ETIMEDOUT");
      expect(subscriber.state("a")).toBe("pending");
    } finally {
      server.thaw();
    }
    expect((await gap).channels.map(String)).toEqual(["a"]);
    await works(subscriber, server);
  });

  it("killed and started again: subscriptions made meanwhile stand too, those ended meanwhile do not", async () => {
    await using server = await startRedis();
    await using subscriber = new RedisSubscriber({ port: server.port });
    await subscriber.subscribe(["a", "b"], () => {});
    const gap = nextGap(subscriber);
    await server.kill();
    await until("the loss is seen", () => subscriber.state("a") === "pending");
    const during = subscriber.subscribe("c", () => {});
    await subscriber.unsubscribe("b");
    await server.restart();
    await during;
    expect((await gap).channels.map(String)).toEqual(["a"]);
    const channels = await server.cli("PUBSUB", "CHANNELS");
    expect(channels.split("\n").sort()).toEqual(["a", "c"]);
    await works(subscriber, server);
  });

  it("shard channels of several slots, at one node of a cluster: CROSSSLOT, so each alone", {
    timeout: 60_000,
  }, async () => {
    await using cluster = await startRedisCluster({ masters: 1, replicas: 0 });
    const server = cluster.nodes[0] as RedisServer;
    await using subscriber = new RedisSubscriber({ port: server.port });
    await subscriber.ssubscribe(["a", "b", "c"], () => {});
    await subscriber.sunsubscribe(["a", "b"]);
    expect(await server.cli("PUBSUB", "SHARDCHANNELS")).toBe("c");
    await subscriber.ssubscribe(["a", "b"], () => {});
    await subscriber.sunsubscribe();
    expect(await server.cli("PUBSUB", "SHARDCHANNELS")).toBe("");
  });

  it.each([3, 2] as const)(
    "RESP%i: who is forbidden to PING while connected is subscribed and unsubscribed all the same",
    async (protocol) => {
      await using server = await startRedis();
      // No PING of the subscriber's own helps out.
      await using subscriber = new RedisSubscriber({ port: server.port, protocol, pingInterval: 0 });
      await using client = new RedisClient({ port: server.port });
      const heard: string[] = [];
      await subscriber.subscribe("before", () => {});
      await server.cli("ACL", "SETUSER", "default", "-ping");
      await subscriber.subscribe(["a", "b"], (payload) => heard.push(payload.toString()));
      await subscriber.unsubscribe("before");
      expect(await client.publish("before", "nobody")).toBe(0);
      await server.cli("ACL", "SETUSER", "default", "-psubscribe");
      await expect(subscriber.psubscribe("p*", () => {})).rejects.toMatchObject({ code: "NOPERM" });
      await subscriber.unsubscribe("b");
      await client.publish("a", "yes");
      await until("the message has come", () => heard.length > 0);
      expect(heard).toEqual(["yes"]);
      expect(subscriber.stats()).toMatchObject({ channels: 1, patterns: 0, connections: 1, gaps: 0 });
    },
  );

  it("NOPERM: at the call it rejects, at the reconnect it is an event; the other channels stand", async () => {
    await using server = await startRedis();
    await server.cli("ACL", "SETUSER", "u", "on", ">pw", "+@all", "resetchannels", "&a", "&b", "&c");
    const options = { port: server.port, username: "u", password: "pw" };
    await using subscriber = new RedisSubscriber(options);
    const errors: string[] = [];
    subscriber.events.on("error", ({ channel, error }) =>
      errors.push(`${channel} ${(error as Error & { code?: string }).code}`),
    );
    await subscriber.subscribe(["a", "b", "c"], () => {});
    await expect(subscriber.subscribe("d", () => {})).rejects.toMatchObject({ code: "NOPERM" });
    // A pattern must be granted letter by letter.
    await expect(subscriber.psubscribe("a*", () => {})).rejects.toMatchObject({ code: "NOPERM" });
    await expect(subscriber.subscribe(["a", "e"], () => {})).rejects.toMatchObject({ code: "NOPERM" });
    expect(subscriber.stats()).toMatchObject({ channels: 3, patterns: 0 });
    // The server cuts who holds a channel that is taken away.
    const gap = nextGap(subscriber);
    await server.cli("ACL", "SETUSER", "u", "resetchannels", "&a", "&c");
    expect((await gap).channels.map(String).sort()).toEqual(["a", "b", "c"]);
    expect(errors).toEqual(["b NOPERM"]);
    expect(["a", "b", "c"].map((name) => subscriber.state(name))).toEqual([
      "confirmed",
      "failed",
      "confirmed",
    ]);
    await server.cli("ACL", "SETUSER", "u", "&b");
    await subscriber.subscribe("b", () => {});
    expect(subscriber.state("b")).toBe("confirmed");
  });

  it("a server that cannot save, and answers MISCONF to every PING, publishes all the same", {
    timeout: 60_000,
  }, async () => {
    await using server = await startRedis({ set: ["save 3600 1"] });
    await using early = new RedisSubscriber({ port: server.port });
    await works(early, server);
    const [, folder] = (await server.cli("CONFIG", "GET", "dir")).split("\n");
    mkdirSync(`${folder}/dump.rdb`); // in the way
    await server.cli("BGSAVE");
    for (let info = ""; !info.includes("rdb_last_bgsave_status:err"); await sleep(20))
      info = await server.cli("INFO", "persistence");
    const heard: string[] = [];
    const listener = (payload: Buffer): void => void heard.push(payload.toString());
    await early.subscribe("news", listener);
    await using subscriber = new RedisSubscriber({ port: server.port });
    await subscriber.subscribe("news", listener);
    await using client = new RedisClient({ port: server.port });
    await expect(client.ping()).rejects.toMatchObject({ code: "MISCONF" });
    expect(await client.publish("news", "all the same")).toBe(2);
    await until("both have heard", () => heard.length === 2);
  });

  it("a wrong password: the call rejects", async () => {
    await using server = await startRedis({ requirepass: "right" });
    await using subscriber = new RedisSubscriber({ port: server.port, password: "wrong" });
    await expect(subscriber.subscribe("a")).rejects.toMatchObject({ code: "WRONGPASS" });
    await using other = new RedisSubscriber({ port: server.port });
    await expect(other.subscribe("a")).rejects.toMatchObject({ code: "NOAUTH" });
    expect(other.stats().channels).toBe(0);
  });
});
