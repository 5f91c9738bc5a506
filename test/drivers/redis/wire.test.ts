import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadDriver, type RedisPubSub } from "../../../src/drivers/index.ts";
import { RedisClient, RedisSubscriber } from "../../../src/redis-resp/index.ts";
import { describeWithRedis, startRedis, useRedis } from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";
import { ERAS, hexOf, samples, updateOf } from "../dragonflow-wire.ts";

describeWithRedis("dragonflow.md 5: channels and payloads through redis-server", () => {
  const server = useRedis(() => startRedis());

  describe.each(ERAS)("of %s", (era, wireForm) => {
    const closing: (() => unknown)[] = [];
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close();
    });
    let driver: RedisPubSub;
    beforeEach(() => {
      driver = loadDriver("redis_db_pubsub_driver", { remoteDbPort: server().port, wireForm }) as RedisPubSub;
      closing.push(
        () => driver.getPublisher().close(),
        () => driver.getSubscriber().close(),
      );
    });

    it("what we publish is what Dragonflow publishes, values included", async () => {
      const subscriber = new RedisSubscriber({ port: server().port });
      closing.push(() => subscriber.close());
      const seen: [Buffer, Buffer][] = [];
      await subscriber.subscribe([""], (payload, channel) =>
        seen.push([Buffer.from(channel), Buffer.from(payload)]),
      );
      await subscriber.psubscribe("*", (payload, channel) =>
        seen.push([Buffer.from(channel), Buffer.from(payload)]),
      );
      for (const sample of samples) {
        await driver.getPublisher().sendEvent(updateOf(sample), sample.event.send_topic);
        await until(`${sample.name} has come`, () => seen.length > 0);
        const [[channel, payload]] = seen.splice(0) as [[Buffer, Buffer]];
        // The original fails on a null topic; here it has the default topic, as over ZMQ.
        const expected = sample[era].redis.error ? sample[era].zmq : sample[era].redis;
        expect([sample.name, channel.toString("hex"), hexOf(payload, expected.data_hex)]).toEqual([
          sample.name,
          expected.topic_hex,
          expected.data_hex,
        ]);
      }
    });

    it("what Dragonflow publishes comes as its callback has it", async () => {
      const called: unknown[][] = [];
      const subscriber = driver.getSubscriber();
      await subscriber.initialize((...args) => called.push(args));
      subscriber.registerTopic("");
      await subscriber.daemonize();
      const client = new RedisClient({ port: server().port });
      closing.push(() => client.close());
      // A sync counts as our own, and the list of nodes is for who selects one.
      const forUsers = samples.filter(({ name }) => name !== "sync" && name !== "redis-ha-nodes");
      expect(forUsers).toHaveLength(samples.length - 2);
      for (const sample of forUsers) {
        const { topic_hex: topic, data_hex: data } = sample[era].zmq;
        if (typeof data !== "string") continue;
        await client.publish(Buffer.from(topic, "hex"), Buffer.from(data, "hex"));
        await until(`${sample.name} has come`, () => called.length > 0);
        const { table, key, action, value, topic: own } = sample[era].callback;
        expect([sample.name, ...called.splice(0)]).toEqual([sample.name, [table, key, action, value, own]]);
      }
      expect(subscriber.stats()).toMatchObject({ undecodable: 0, syncs: 0 });
    });
  });
});
