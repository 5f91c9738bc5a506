import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RedisClient, type RedisOptions } from "../../../src/redis-resp/index.ts";
import { useChildren } from "../../support/children.ts";
import { describeWithRedis, startRedis, useRedis } from "../../support/redis-server.ts";
import { until, within } from "../../support/wait.ts";

const SLOW = 60_000;
const TEXT = { text: true } as const;
/** A quick way back. */
const KEEN: RedisOptions = { reconnectInterval: 5, reconnectMaxInterval: 50 };

describeWithRedis("RedisClient and redis-server", () => {
  const redis = useRedis(() => startRedis());
  const children = useChildren();

  describe.each([3, 2] as const)("RESP%i", (protocol) => {
    const open = (): RedisClient => new RedisClient({ port: redis().port, protocol });
    const key = (name: string): string => `${protocol}:${name}`;

    it("strings", async () => {
      await using client = open();
      expect(await client.get(key("a"))).toBeNull();
      expect(await client.set(key("a"), "é€😀")).toBe(true);
      expect(await client.get(key("a"), TEXT)).toBe("é€😀");
      expect(await client.get(key("a"))).toEqual(Buffer.from("é€😀"));
      expect(await client.get(key("a"))).toBeInstanceOf(Buffer);
      expect(await client.set(key("a"), "x", { nx: true })).toBe(false);
      expect(await client.set(key("b"), "x", { xx: true })).toBe(false);
      expect(await client.set(key("b"), "x", { ex: 100 })).toBe(true);
      expect(await client.command("TTL", key("b"))).toBeGreaterThan(90);
      expect(await client.set(key("b"), "x", { px: 100_000, xx: true })).toBe(true);
      expect(await client.exists([key("a"), key("b"), key("none")])).toBe(2);
      expect(await client.del([key("a"), key("b"), key("none")])).toBe(2);
      expect(await client.exists(key("a"))).toBe(0);
      expect(await client.incr(key("n"))).toBe(1);
    });

    it("binary keys, fields and values, and those with CR and LF", async () => {
      await using client = open();
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      expect(await client.set(bytes, bytes)).toBe(true);
      expect(await client.get(bytes)).toEqual(bytes);
      expect(await client.hset(key("bin"), new Map([[bytes, bytes]]))).toBe(1);
      expect(await client.hkeys(key("bin"))).toEqual([bytes]);
      expect(await client.hget(key("bin"), bytes)).toEqual(bytes);
      expect(await client.del(bytes)).toBe(1);
    });

    it("hashes", async () => {
      await using client = open();
      expect(await client.hset(key("h"), { a: "1", b: 2, "": Buffer.from("3") })).toBe(3);
      expect(await client.hset(key("h"), new Map([["a", "9"]]))).toBe(0);
      expect(await client.hget(key("h"), "a", TEXT)).toBe("9");
      expect(await client.hget(key("h"), "none")).toBeNull();
      expect((await client.hkeys(key("h"), TEXT)).sort()).toEqual(["", "a", "b"]);
      expect(await client.hgetall(key("h"), TEXT)).toEqual(
        new Map([
          ["a", "9"],
          ["b", "2"],
          ["", "3"],
        ]),
      );
      expect((await client.hgetall(key("h"))).get("b")).toEqual(Buffer.from("2"));
      expect(await client.hgetall(key("none"))).toEqual(new Map());
      expect(await client.hset(key("proto"), { ["__proto__"]: "x", constructor: "y" })).toBe(2);
      expect((await client.hgetall(key("proto"), TEXT)).get("__proto__")).toBe("x");
      expect(await client.hdel(key("h"), ["a", "b", "none"])).toBe(2);
    });

    it("SCAN, PING, INFO, CLUSTER, any command", async () => {
      await using client = open();
      for (let i = 0; i < 50; i++) await client.set(`${protocol}scan${i}`, i);
      const found = new Set<string>();
      let cursor = "0";
      do {
        const step = await client.scan(cursor, {
          match: `${protocol}scan*`,
          count: 10,
          type: "string",
          text: true,
        });
        for (const one of step.keys) found.add(one);
        cursor = step.cursor;
      } while (cursor !== "0");
      expect(found.size).toBe(50);
      expect(await client.ping()).toBe("PONG");
      expect(await client.info("server")).toContain("redis_version:");
      expect(await client.info()).toContain("# Clients");
      await expect(client.cluster("NODES")).rejects.toMatchObject({ code: "ERR" });
      expect(await client.command("CONFIG", "GET", "maxclients", TEXT)).toEqual(
        protocol === 3 ? new Map([["maxclients", "10000"]]) : ["maxclients", "10000"],
      );
      expect(await client.command("CLIENT", "INFO", TEXT)).toContain(`resp=${protocol}`);
    });

    it("ioredis#2136, ioredis#2164: large integers, there and back", async () => {
      await using client = open();
      for (const [value, digits] of [
        [1e21, "1000000000000000000000"],
        [2 ** 53, "9007199254740992"],
        [-(2 ** 53), "-9007199254740992"],
        [9_223_372_036_854_775_807n, "9223372036854775807"],
        [0.1, "0.1"],
      ] as const) {
        await client.set(key("int"), value);
        expect(await client.get(key("int"), TEXT)).toBe(digits);
      }
      await client.set(key("int"), 2 ** 53 - 2);
      expect(await client.incr(key("int"))).toBe(2 ** 53 - 1);
      expect(await client.incr(key("int"))).toBe(2n ** 53n);
      await client.set(key("int"), 2n ** 63n - 2n);
      expect(await client.incr(key("int"))).toBe(2n ** 63n - 1n);
      await expect(client.incr(key("int"))).rejects.toMatchObject({ code: "ERR" });
      await client.set(key("int"), -(2n ** 63n));
      expect(await client.command("INCRBY", key("int"), 0)).toBe(-(2n ** 63n));
    });

    it("errors reject their own command, and no other", async () => {
      await using client = open();
      await client.hset(key("wrong"), { a: 1 });
      const settled = await Promise.allSettled([
        client.ping(),
        client.get(key("wrong")),
        client.command("NOPE"),
        client.ping(),
      ]);
      expect(settled).toMatchObject([
        { value: "PONG" },
        { reason: { name: "ReplyError", code: "WRONGTYPE" } },
        { reason: { code: "ERR", message: expect.stringContaining("unknown command") } },
        { value: "PONG" },
      ]);
    });

    it("a database and a name", async () => {
      const options = { port: redis().port, protocol, db: 3, clientName: "it-is-me" };
      await using client = new RedisClient(options);
      expect(await client.command("CLIENT", "INFO", TEXT)).toMatch(/ name=it-is-me .* db=3 /);
    });
  });

  it("node-redis#1082: a value stays as it is while 10 000 others come", async () => {
    await using client = new RedisClient({ port: redis().port });
    await client.set("kept", "k".repeat(50));
    await client.set("other", "o".repeat(50));
    const kept = await client.get("kept");
    await Promise.all(Array.from({ length: 10_000 }, () => client.get("other")));
    expect(String(kept)).toBe("k".repeat(50));
  });

  it("ioredis#2088: 600 publishes of 1 MB in one turn", { timeout: SLOW }, async () => {
    await using client = new RedisClient({ port: redis().port });
    const megabyte = Buffer.alloc(2 ** 20, "x");
    const counts = await Promise.all(Array.from({ length: 600 }, () => client.publish("none", megabyte)));
    expect(counts).toEqual(new Array(600).fill(0));
  });

  it("64 MB there and back", { timeout: SLOW }, async () => {
    await using client = new RedisClient({ port: redis().port });
    const large = Buffer.alloc(64 * 2 ** 20, "0123456789abcde");
    await client.set("large", large);
    expect(large.equals((await client.get("large")) as Buffer)).toBe(true);
    await client.del("large");
    await using careful = new RedisClient({ port: redis().port, maxBulk: 1000 });
    await careful.set("longer", "x".repeat(1001));
    await expect(careful.get("longer")).rejects.toMatchObject({
      code: "EUNKNOWN",
      cause: { code: "EPROTO" },
    });
    expect(await careful.ping()).toBe("PONG");
  });

  it("the process ends by itself, with a client that is connected and idle", { timeout: SLOW }, async () => {
    const child = children.node("test/redis-resp/programs/idle-client.ts", [String(redis().port)]);
    await child.line(/^receivers 0$/, SLOW);
    expect(await within(SLOW, "the end of the process", child.exited)).toEqual({ code: 0, signal: null });
    expect(child.stderr).toBe("");
  });
});

describeWithRedis("ways to a server", () => {
  const acl = { username: "me", password: "p@ss:word" };
  const redis = useRedis(() => startRedis({ tls: true, unix: true, acl }));
  const ca = (): Buffer => readFileSync(redis().tls!.ca);

  const whoAmI = async (options: RedisOptions): Promise<unknown> => {
    await using client = new RedisClient(options);
    return await client.command("ACL", "WHOAMI", TEXT);
  };

  it.each([3, 2] as const)("user and password, RESP%i", async (protocol) => {
    expect(await whoAmI({ port: redis().port, protocol, ...acl })).toBe("me");
    expect(await whoAmI({ url: `redis://me:p%40ss%3Aword@127.0.0.1:${redis().port}`, protocol })).toBe("me");
    expect(await whoAmI({ port: redis().port, protocol, credentials: async () => acl })).toBe("me");
    const wrong = { port: redis().port, protocol, username: "me", password: "wrong" };
    await expect(whoAmI(wrong)).rejects.toMatchObject({ code: "WRONGPASS" });
    await expect(whoAmI({ port: redis().port, protocol })).rejects.toMatchObject({ code: "NOAUTH" });
  });

  it("a user who may only publish", async () => {
    await redis().cli(
      "ACL",
      "SETUSER",
      "writer",
      "on",
      ">w",
      "resetkeys",
      "resetchannels",
      "&news",
      "+publish",
    );
    await using client = new RedisClient({ port: redis().port, username: "writer", password: "w" });
    expect(await client.publish("news", "x")).toBe(0);
    await expect(client.publish("other", "x")).rejects.toMatchObject({ code: "NOPERM" });
    await expect(client.ping()).rejects.toMatchObject({ code: "NOPERM" });
  });

  it("a Unix socket", async () => {
    expect(await whoAmI({ path: redis().unix as string, ...acl })).toBe("me");
    expect(await whoAmI({ url: `unix://${redis().unix}`, ...acl })).toBe("me");
  });

  it("TLS", async () => {
    const port = redis().tlsPort as number;
    expect(await whoAmI({ host: "localhost", port, tls: { ca: ca() }, ...acl })).toBe("me");
    expect(await whoAmI({ port, tls: { ca: ca() }, ...acl })).toBe("me"); // the certificate names the address too
    expect(await whoAmI({ url: `rediss://127.0.0.1:${port}`, tls: { ca: ca() }, ...acl })).toBe("me");
    expect(await whoAmI({ port, tls: { rejectUnauthorized: false }, ...acl })).toBe("me");
    const absent = { checkServerIdentity: undefined, minDHSize: undefined, servername: undefined };
    expect(await whoAmI({ port, tls: { ca: ca(), ...absent }, ...acl })).toBe("me");
    await using client = new RedisClient({ port, tls: { ca: ca() }, ...acl });
    const large = Buffer.alloc(2 ** 20, "x");
    expect(await client.set("tls", large)).toBe(true);
    expect(large.equals((await client.get("tls")) as Buffer)).toBe(true);
  });

  it.each<[string, () => RedisOptions, string]>([
    ["an authority that is not trusted", () => ({ tls: true }), "SELF_SIGNED_CERT_IN_CHAIN"],
    [
      "a name that the certificate does not have",
      () => ({ tls: { ca: ca(), servername: "example.com" } }),
      "ERR_TLS_CERT_ALTNAME_INVALID",
    ],
  ])("TLS: %s", async (_, options, code) => {
    await using client = new RedisClient({ port: redis().tlsPort as number, ...acl, ...options() });
    await expect(client.connect()).rejects.toMatchObject({ code });
  });

  it("TLS: a PEM that cannot be read fails the attempt", async () => {
    const cert = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    await using client = new RedisClient({ port: redis().tlsPort as number, tls: { cert }, ...acl });
    await expect(client.connect()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
  });

  it("TLS to a server without, and none to one with: an attempt that fails", async () => {
    await using over = new RedisClient({ port: redis().port, tls: true, connectTimeout: 1000, ...acl });
    await expect(over.connect()).rejects.toThrow();
    await using under = new RedisClient({ port: redis().tlsPort as number, connectTimeout: 1000, ...acl });
    await expect(under.connect()).rejects.toThrow();
  });
});

describeWithRedis("a server that goes away", () => {
  it("killed and restarted: what is asked meanwhile waits", { timeout: SLOW }, async () => {
    await using redis = await startRedis();
    await using client = new RedisClient({ port: redis.port, ...KEEN });
    const seen: string[] = [];
    client.events.on("connect", ({ address }) => seen.push(`connect ${address}`));
    client.events.on("disconnect", ({ address }) => seen.push(`disconnect ${address}`));
    let failures = 0;
    client.events.on("error", () => {
      failures += 1;
    });
    await client.ping();
    await redis.kill();
    await until("it is noticed", () => seen.length === 2);
    const pong = client.ping();
    await until("attempts fail", () => failures > 2);
    await redis.restart();
    expect(await within(SLOW, "the answer", pong)).toBe("PONG");
    const address = `127.0.0.1:${redis.port}`;
    expect(seen).toEqual([`connect ${address}`, `disconnect ${address}`, `connect ${address}`]);
  });

  it("frozen (SIGSTOP): noticed within the PING's deadline, and recovered", { timeout: SLOW }, async () => {
    await using redis = await startRedis();
    // Long enough for a server that is only kept waiting.
    const options = { port: redis.port, ...KEEN, pingInterval: 200, pingTimeout: 1500 };
    await using client = new RedisClient(options);
    await client.ping();
    const lost = new Promise<{ error: { code: string } }>((resolve) =>
      client.events.once("disconnect", resolve),
    );
    redis.freeze();
    const got = client.get("a");
    await expect(within(SLOW, "the rejection", got)).rejects.toMatchObject({
      code: "EUNKNOWN",
      cause: { code: "ETIMEDOUT" },
    });
    expect((await lost).error.code).toBe("ETIMEDOUT");
    const pong = client.ping();
    redis.thaw();
    expect(await within(SLOW, "the answer", pong)).toBe("PONG");
  });

  it("killed under load: each call is settled once, and none is carried out twice", {
    timeout: SLOW,
  }, async () => {
    await using redis = await startRedis({ set: ["appendonly yes", "appendfsync always"] });
    await using client = new RedisClient({ port: redis.port, ...KEEN });
    const outcomes = { done: 0, unknown: 0 };
    let isOver = false;
    const load = async (): Promise<void> => {
      while (!isOver) {
        const batch = Array.from({ length: 50 }, () => client.incr("n"));
        for (const one of await Promise.allSettled(batch)) {
          if (one.status === "fulfilled") outcomes.done += 1;
          else if (one.reason.code === "EUNKNOWN") outcomes.unknown += 1;
          else expect(["LOADING", "ECONNRESET", "EPIPE"]).toContain(one.reason.code); // not carried out
        }
      }
    };
    const loads = [load(), load()];
    for (let round = 0; round < 3; round++) {
      const { done } = outcomes;
      await until("some more are done", () => outcomes.done > done + 500, SLOW);
      await redis.kill();
      await redis.restart();
    }
    isOver = true;
    await within(SLOW, "the last replies", Promise.all(loads));
    const carriedOut = Number(await client.get("n", TEXT));
    expect(carriedOut).toBeGreaterThanOrEqual(outcomes.done);
    expect(carriedOut).toBeLessThanOrEqual(outcomes.done + outcomes.unknown);
    expect(client.stats()).toMatchObject({ pending: 0, queued: 0, connections: 4 });
  });

  it("CLIENT KILL: back at once", { timeout: SLOW }, async () => {
    await using redis = await startRedis();
    await using client = new RedisClient({ port: redis.port });
    await client.ping();
    const back = new Promise((resolve) => client.events.once("connect", resolve));
    await redis.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await within(SLOW, "the next connection", back);
    expect(client.stats().connections).toBe(2);
  });
});
