import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { asText, RedisBroker, RespDecoder } from "../../../src/redis-resp/index.ts";
import { describeWithRedis, type RedisServer, startRedis } from "../../support/redis-server.ts";
import { encode, RawClient } from "./raw-client.ts";
import { BEFORE_AUTH, CASES, RAW, TOO_BIG } from "./server-cases.ts";

describeWithRedis("RedisBroker against redis-server", () => {
  let redis: RedisServer;
  let broker: RedisBroker;

  beforeAll(async () => {
    broker = new RedisBroker();
    [redis] = await Promise.all([startRedis(), broker.listen()]);
  });

  afterAll(async () => {
    await Promise.all([redis?.stop(), broker.close()]);
  });

  /** The replies of both to the same bytes on a new connection that QUIT, or the server, ends. */
  async function play(bytes: Uint8Array): Promise<[ours: string, theirs: string]> {
    const one = async (address: { host: string; port: number }): Promise<string> => {
      const client = await RawClient.connect(address);
      return withoutIds(await client.write(bytes).closed());
    };
    return Promise.all([one(broker.address), one({ host: redis.host, port: redis.port })]);
  }

  it.each(CASES.map((commands) => [commands.join(" | ").slice(0, 60), commands] as const))(
    "%j",
    async (_, commands) => {
      for (const hello of [[], ["HELLO 3"]]) {
        const bytes = Buffer.concat(["FLUSHALL", ...hello, ...commands, "QUIT"].map(encode));
        const [ours, theirs] = await play(bytes);
        expect(ours).toBe(theirs);
      }
    },
  );

  it.each(RAW.map((text) => [text.slice(0, 40), text] as const))("bytes %j", async (_, text) => {
    const [ours, theirs] = await play(Buffer.concat([Buffer.from(text, "latin1"), encode("QUIT")]));
    expect(ours).toBe(theirs);
  });

  it.each(TOO_BIG.map((text) => [text.slice(0, 10), text] as const))("too long %j", async (_, text) => {
    const [ours, theirs] = await play(Buffer.from(text));
    expect(ours).toBe(theirs);
  });

  it("messages: to all kinds of subscribers, in both protocols, counted", async () => {
    const ours = await playMessages(broker.address);
    const theirs = await playMessages({ host: redis.host, port: redis.port });
    expect(ours).toEqual(theirs);
  });

  it("any sequence of commands", async () => {
    const word = fc.constantFrom("k", "h", "x", "1", "-1", "NX", "GET", "XX", "EX", "KEEPTTL", "");
    const name = fc.constantFrom(
      ..."GET SET INCR INCRBY DEL EXISTS TYPE HSET HGET HDEL HKEYS HGETALL FLUSHALL DBSIZE PING ECHO NOPE RESET".split(
        " ",
      ),
    );
    const channels = fc.constantFrom(
      ...[
        "SUBSCRIBE a",
        "PSUBSCRIBE a*",
        "SSUBSCRIBE a",
        "UNSUBSCRIBE",
        "UNSUBSCRIBE a",
        "PUNSUBSCRIBE",
        "SUNSUBSCRIBE",
      ],
      ...[
        "PUNSUBSCRIBE a*",
        "SUNSUBSCRIBE a",
        "PUBLISH a x",
        "PUBLISH ab x",
        "SPUBLISH a x",
        "PUBSUB CHANNELS",
      ],
      ...[
        "PUBSUB NUMSUB a",
        "PUBSUB NUMPAT",
        "PUBSUB SHARDCHANNELS",
        "PUBSUB SHARDNUMSUB a",
        "HELLO 3",
        "HELLO 2",
      ],
      ...["SET k 1", "HSET h k 1", "SELECT 1", "SELECT 0", "RESET"],
    );
    const command = fc.oneof(
      fc.tuple(name, fc.array(word, { maxLength: 5 })).map(([first, rest]) => [first, ...rest]),
      channels,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        const [ours, theirs] = await play(Buffer.concat(["FLUSHALL", ...commands, "QUIT"].map(encode)));
        expect(ours).toBe(theirs);
      }),
      { numRuns: 100 },
    );
  });

  it("patterns", async () => {
    const text = (letters: string, maxLength: number): fc.Arbitrary<string> =>
      fc.string({ unit: fc.constantFrom(...letters), maxLength });
    const names = fc.sample(text("abc-]^\\[*?", 4), { numRuns: 150, seed: 1 });
    const servers = [broker.address, { host: redis.host, port: redis.port }];
    const clients = await Promise.all(servers.map((address) => RawClient.connect(address)));
    for (const client of clients) await client.ask("HELLO 3", ["SUBSCRIBE", ...names]);
    await fc.assert(
      fc.asyncProperty(fc.array(text("ab*?[]^-\\", 8), { maxLength: 20 }), async (patterns) => {
        const commands = patterns.map((pattern) => ["PUBSUB", "CHANNELS", pattern]);
        const [ours, theirs] = await Promise.all(
          clients.map(async (client) => lists(await client.ask(...commands))),
        );
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 60 },
    );
    for (const client of clients) client.destroy();
  });

  it("SCAN finds the same keys", async () => {
    const keys = Array.from({ length: 300 }, (_, n) => `key:${n}`);
    const found = await Promise.all(
      [broker.address, { host: redis.host, port: redis.port }].map(async (address) => {
        const client = await RawClient.connect(address);
        await client.ask("FLUSHALL", ...keys.map((key) => `SET ${key} x`), "HSET hash a 1");
        const seen = new Set<string>();
        let cursor = "0";
        do {
          const [reply] = values(await client.ask(`SCAN ${cursor} MATCH key:*[02468] COUNT 7 TYPE string`));
          const [next, some] = reply as [string, string[]];
          for (const key of some) seen.add(key);
          cursor = next;
        } while (cursor !== "0");
        client.destroy();
        return [...seen].sort();
      }),
    );
    expect(found[0]).toHaveLength(150);
    expect(found[0]).toEqual(found[1]);
  });
});

describeWithRedis("RedisBroker with a password against redis-server", () => {
  it("says the same to who has not given it", async () => {
    await using broker = new RedisBroker({ password: "secret" });
    await broker.listen();
    await using redis = await startRedis({ requirepass: "secret" });
    for (const script of BEFORE_AUTH) {
      const bytes = typeof script === "string" ? Buffer.from(script) : Buffer.concat(script.map(encode));
      const replies: string[] = [];
      for (const address of [broker.address, { host: redis.host, port: redis.port }]) {
        const client = await RawClient.connect(address);
        replies.push(withoutIds(await client.write(Buffer.concat([bytes, encode("QUIT")])).closed()));
      }
      expect(replies[0], JSON.stringify(script)).toBe(replies[1]);
    }
  });
});

/** Subscribers of every kind and protocol, and a publisher. @returns what each has received. */
async function playMessages(address: { host: string; port: number }): Promise<string[]> {
  const subscribers = await Promise.all(["2", "3"].map(() => RawClient.connect(address)));
  for (const [at, client] of subscribers.entries()) {
    await client.ask(`HELLO ${at + 2}`, "SUBSCRIBE a b", "PSUBSCRIBE a* ?", "SSUBSCRIBE a");
  }
  const publisher = await RawClient.connect(address);
  const said = await publisher.ask(
    "PUBLISH a 1",
    "PUBLISH ab 2",
    "PUBLISH b 3",
    "PUBLISH none 4",
    "SPUBLISH a 5",
    "SPUBLISH b 6",
    ["PUBLISH", "a", ""],
    ["PUBLISH", "a", "\0\r\n\xff"],
    ["PUBLISH", "a", "x".repeat(4000)],
    ["PUBLISH", "a", "x".repeat(100_000)],
    "PUBSUB NUMSUB a b c",
    "PUBSUB NUMPAT",
    "PUBSUB SHARDNUMSUB a b",
    "PUBSUB SHARDCHANNELS",
  );
  const heard: string[] = [];
  for (const client of subscribers) heard.push(await client.quit());
  // Whose messages match two patterns, gets them in any order.
  return [
    said,
    ...heard.map((text) =>
      values(withoutIds(text))
        .map((value) => JSON.stringify(value))
        .sort()
        .join("\n"),
    ),
  ];
}

/** Replies, pushes too. */
function values(text: string): unknown[] {
  const decoder = new RespDecoder();
  decoder.push(Buffer.from(text, "latin1"));
  const found: unknown[] = [];
  for (let value = decoder.next(); value !== undefined; value = decoder.next()) {
    found.push("items" in Object(value) ? value : asText(value as never));
  }
  return found;
}

function lists(text: string): string[][] {
  return values(text).map((value) => [...(value as string[])].sort());
}

function withoutIds(text: string): string {
  return text.replace(/(\$2\r\nid\r\n):\d+/g, "$1:0");
}
