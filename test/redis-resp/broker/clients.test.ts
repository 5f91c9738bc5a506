import { execFile } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RedisBroker } from "../../../src/redis-resp/index.ts";
import { useChildren } from "../../support/children.ts";
import { probe, requirePeer } from "../../support/peers.ts";
import { describeWithRedis } from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";

const run = promisify(execFile);
const password = "secret";
let broker: RedisBroker;
let port: number;

beforeAll(async () => {
  broker = new RedisBroker({ password });
  await broker.listen();
  port = broker.address.port;
});

afterAll(() => broker.close());

/** So many different clients have a channel: the test's own broker is shared. */
const nobodyListens = (): Promise<void> =>
  until("nobody is subscribed", () => broker.stats().channels + broker.stats().patterns === 0);

describe("ioredis", () => {
  it.each([3, 2] as const)("protocol %d", async (protocol) => {
    await nobodyListens();
    const options = { port, password, protocol, connectionName: "me", lazyConnect: true };
    const client = new Redis(options);
    const subscriber = new Redis({ ...options, shardedSubscribers: true } as typeof options);
    await Promise.all([client.connect(), subscriber.connect()]);
    expect(await client.ping()).toBe("PONG");
    expect(await client.client("GETNAME")).toBe("me");
    await client.flushall();
    expect(await client.set("key", Buffer.from([0, 255]), "EX", 100)).toBe("OK");
    expect(await client.getBuffer("key")).toEqual(Buffer.from([0, 255]));
    expect(await client.set("key", "other", "NX")).toBeNull();
    expect(await client.incr("count")).toBe(1);
    expect(await client.hset("hash", { a: 1, b: 2 })).toBe(2);
    expect(await client.hgetall("hash")).toEqual({ a: "1", b: "2" });
    expect(await client.hkeys("hash")).toEqual(["a", "b"]);
    expect(await client.hdel("hash", "a", "x")).toBe(1);
    await expect(client.get("hash")).rejects.toThrow("WRONGTYPE");
    const pipeline = client.pipeline();
    for (let n = 0; n < 300; n++) pipeline.set(`many:${n}`, n);
    await pipeline.exec();
    const found: string[] = [];
    for await (const some of client.scanStream({ match: "many:*", count: 50 }))
      found.push(...(some as string[]));
    expect(new Set(found).size).toBe(300);

    const message = once(subscriber, "message");
    const pmessage = once(subscriber, "pmessage");
    const smessage = once(subscriber, "smessage");
    expect(await subscriber.subscribe("news", "other")).toBe(2);
    expect(await subscriber.psubscribe("n*")).toBe(3);
    expect(await subscriber.ssubscribe("shard")).toBe(1);
    expect(await client.publish("news", "hello")).toBe(2);
    expect(await client.spublish("shard", "hello")).toBe(1);
    expect(await message).toEqual(["news", "hello"]);
    expect(await pmessage).toEqual(["n*", "news", "hello"]);
    expect(await smessage).toEqual(["shard", "hello"]);
    expect(await client.pubsub("NUMSUB", "news")).toEqual(["news", 1]);
    expect(await subscriber.unsubscribe("news")).toBe(2);
    await Promise.all([subscriber.quit(), client.quit()]);
  });

  it("finds its way back to a broker that has killed it", async () => {
    const subscriber = new Redis({ port, password, retryStrategy: () => 5 });
    await subscriber.subscribe("back");
    const back = once(subscriber, "ready");
    broker.faults.kill({ pubsub: true });
    await back;
    const message = once(subscriber, "message");
    await until("it is subscribed again", () => broker.stats().channels === 1);
    const client = new Redis({ port, password });
    await client.publish("back", "hello");
    expect(await message).toEqual(["back", "hello"]);
    await Promise.all([subscriber.quit(), client.quit()]);
  });
});

describe("node-redis", () => {
  it.each([3, 2] as const)("RESP %d", async (RESP) => {
    await nobodyListens();
    const client = createClient({ socket: { port }, password, RESP, name: "me" });
    const subscriber = client.duplicate();
    await Promise.all([client.connect(), subscriber.connect()]);
    expect(await client.ping()).toBe("PONG");
    expect(await client.clientGetName()).toBe("me");
    await client.flushAll();
    expect(await client.set("key", "value", { expiration: { type: "EX", value: 100 } })).toBe("OK");
    expect(await client.get("key")).toBe("value");
    expect(await client.set("key", "other", { condition: "NX" })).toBeNull();
    expect(await client.incr("count")).toBe(1);
    expect(await client.hSet("hash", { a: "1", b: "2" })).toBe(2);
    expect({ ...(await client.hGetAll("hash")) }).toEqual({ a: "1", b: "2" });
    expect(await client.hKeys("hash")).toEqual(["a", "b"]);
    expect(await client.hDel("hash", ["a", "x"])).toBe(1);
    await expect(client.get("hash")).rejects.toThrow("WRONGTYPE");
    await Promise.all(Array.from({ length: 300 }, (_, n) => client.set(`many:${n}`, `${n}`)));
    const found: string[] = [];
    for await (const some of client.scanIterator({ MATCH: "many:*", COUNT: 50 })) found.push(...some);
    expect(new Set(found).size).toBe(300);

    const heard: string[] = [];
    await subscriber.subscribe("news", (payload, channel) => heard.push(`${channel} ${payload}`));
    await subscriber.pSubscribe("n*", (payload, channel) => heard.push(`pattern ${channel} ${payload}`));
    await subscriber.sSubscribe("shard", (payload, channel) => heard.push(`shard ${channel} ${payload}`));
    expect(await client.publish("news", "hello")).toBe(2);
    expect(await client.sPublish("shard", "hello")).toBe(1);
    await until("three messages", () => heard.length === 3);
    expect(heard.sort()).toEqual(["news hello", "pattern news hello", "shard shard hello"]);
    expect(await client.pubSubNumSub(["news"])).toEqual({ news: 1 });
    await subscriber.unsubscribe();
    await subscriber.pUnsubscribe();
    await subscriber.sUnsubscribe();
    expect(String(await subscriber.ping())).toBe("PONG");
    await Promise.all([subscriber.close(), client.close()]);
  });
});

const python = probe("/usr/bin/python3", ["-c", "import redis"]);
requirePeer(python, "python3-redis");

describe.skipIf(python === null)("redis-py", () => {
  it("commands, a pipeline, publish and subscribe", async () => {
    await nobodyListens();
    const script = fileURLToPath(new URL("./redis_client.py", import.meta.url));
    const { stdout } = await run("/usr/bin/python3", [script, String(port), password], { timeout: 15_000 });
    expect(JSON.parse(stdout)).toEqual({
      ping: true,
      name: "py",
      get: "00ff",
      ttl: true,
      nx: null,
      incr: [expect.any(Number), expect.any(Number)],
      hash: expect.arrayContaining([
        ["a", "1"],
        ["b", "2"],
      ]),
      hkeys: ["a", "b"],
      hdel: 1,
      pipeline: 1,
      scan: 499,
      info: "7.0.15",
      error: "WRONGTYPE Operation against a key holding the wrong kind of value",
      subscribed: [1, 2, 3],
      published: 2,
      messages: ["hello", "hello"],
      channels: ["news", "other"],
      numsub: 1,
      pong: "",
      unsubscribed: [expect.any(Number), expect.any(Number), 0],
    });
  });
});

describeWithRedis("redis-cli and redis-benchmark", () => {
  const children = useChildren();
  const login = (): string[] => ["-p", String(port), "-a", password];

  it.each([[[]], [["-3"]]])("redis-cli %j", async (protocol) => {
    await nobodyListens();
    const cli = async (...command: string[]): Promise<string> => {
      const answer = run("/usr/bin/redis-cli", ["--no-auth-warning", ...login(), ...protocol, ...command]);
      answer.child.stdin?.end();
      return (await answer).stdout.trimEnd();
    };
    await cli("FLUSHALL");
    expect(await cli("PING")).toBe("PONG");
    expect(await cli("HSET", "hash", "a", "1", "b", "2")).toBe("2");
    expect((await cli("HGETALL", "hash")).split(/\s+/)).toEqual(["a", "1", "b", "2"]);
    expect(await cli("GET", "hash")).toContain("WRONGTYPE");
    expect(await cli("INFO", "replication")).toContain("role:master");
    expect(await cli("PUBLISH", "a", "b")).toBe("0");
    expect(await cli("--scan", "--pattern", "h*")).toBe("hash");
  });

  it.each([[[]], [["-3"]]])("redis-cli %j as a subscriber", async (protocol) => {
    await nobodyListens();
    const child = children.start("/usr/bin/redis-cli", [
      "--no-auth-warning",
      ...login(),
      ...protocol,
      "SUBSCRIBE",
      "cli",
    ]);
    await until("it is subscribed", () => broker.stats().channels === 1);
    const publisher = new Redis({ port, password });
    expect(await publisher.publish("cli", "hello")).toBe(1);
    await child.line(/hello/);
    await publisher.quit();
    await child.kill();
  });

  it.each([[[]], [["-3"]]])("redis-benchmark %j", async (protocol) => {
    await nobodyListens();
    const few = ["--csv", "-c", "5", "-P", "16", "-n", "2000"];
    const bench = async (...command: string[]): Promise<string[]> => {
      const { stdout } = await run(
        "/usr/bin/redis-benchmark",
        [...login(), ...protocol, ...few, ...command],
        { timeout: 15_000 },
      );
      return stdout.trim().split("\n").slice(1);
    };
    const { commands } = broker.stats();
    expect(await bench("-t", "ping,set,get,incr,hset")).toHaveLength(6);
    expect(await bench("PUBLISH", "channel", "payload")).toHaveLength(1);
    expect(broker.stats().commands).toBeGreaterThanOrEqual(commands + 14_000);
  });
});
