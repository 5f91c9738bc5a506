import { expect, it } from "vitest";
import { RedisClient, RedisSubscriber } from "../../src/redis-resp/index.ts";
import { describeWithRedis, startRedis, useRedis } from "../support/redis-server.ts";

describeWithRedis("RedisSubscriber", () => {
  const redis = useRedis(() => startRedis());

  it.each([3, 2] as const)("RESP%i: channels, patterns, unsubscribe", async (protocol) => {
    await using subscriber = new RedisSubscriber({ port: redis().port, protocol });
    await using client = new RedisClient({ port: redis().port });
    const seen: string[] = [];
    await subscriber.subscribe("news", (payload, channel) => seen.push(`${channel}: ${payload}`));
    await subscriber.psubscribe("n*", (payload, channel, pattern) =>
      seen.push(`${pattern} ${channel}: ${payload}`),
    );
    await subscriber.ssubscribe("shard", (payload, channel) => seen.push(`s ${channel}: ${payload}`));
    expect(await client.publish("news", "hello")).toBe(2);
    expect(await client.spublish("shard", "hi")).toBe(1);
    await subscriber.unsubscribe();
    await subscriber.punsubscribe();
    await subscriber.sunsubscribe();
    expect(await client.publish("news", "nobody")).toBe(0);
    expect(seen).toEqual(["news: hello", "n* news: hello", "s shard: hi"]);
  });
});
