import { expect, it } from "vitest";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { Context } from "../../../src/sockets/index.ts";
import { describeWithRedis, startRedis, useRedis } from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";
import { NO_SYNC, useWorld } from "../world.ts";
import { RedisWorld } from "./redis-world.ts";

describeWithRedis("a server that refuses", () => {
  const server = useRedis(() => startRedis());
  const world = useWorld();
  const redis = new RedisWorld(world, server);
  const allow = (...rights: string[]) =>
    server().cli("ACL", "SETUSER", "reader", "on", ">secret", "+@all", "resetchannels", ...rights);
  const connection = { username: "reader", password: "secret" };

  it("one channel (NOPERM): the others work, settled() waits, and one sync comes when it is allowed", async () => {
    await allow("&D", "&mine");
    const controller = await redis.controller({ connection }).start([], ["D", "mine", "theirs"]);
    const writer = redis.writer();
    await world.write(writer, "a", "mine");
    await controller.has("a");
    expect(controller.errors).toMatchObject([{ code: "NOPERM" }]);
    let isSettled = false;
    void controller.subscriber.settled().then(() => {
      isSettled = true;
    });
    await world.write(writer, "missed", "theirs");
    await allow("&D", "&mine", "&theirs");
    // The server looks at the new rights of those who are connected, and ends what they no longer may: here nothing.
    expect([isSettled, controller.syncs]).toEqual([false, 0]);
    await server().cli("CLIENT", "KILL", "TYPE", "pubsub");
    await until("it is settled", () => isSettled);
    await controller.isMended(1);
    await world.write(writer, "b", "theirs");
    await controller.has("b");
    expect(controller.syncs).toBe(1);
  });

  it("a channel that was allowed: the others stay, and it is heard again after one sync", async () => {
    await allow("&D", "&mine", "&theirs");
    const controller = await redis.controller({ connection }).start([], ["D", "mine", "theirs"]);
    const writer = redis.writer();
    await allow("&D", "&mine"); // ends the connection
    await controller.isMended(1);
    await world.write(writer, "a", "mine");
    await controller.has("a");
    await world.write(writer, "missed", "theirs");
    await allow("&D", "&mine", "&theirs");
    await server().cli("CLIENT", "KILL", "TYPE", "pubsub");
    await until("it is mended", () => controller.syncs >= 2);
    await world.write(writer, "b", "theirs");
    await controller.has("b");
    expect(controller.copy).toEqual(world.database);
  });

  it("a channel that was allowed, and is again: asked for once a minute on the same connection, then one sync", async () => {
    await allow("&D", "&theirs");
    const environment = nodeEnvironment();
    const context = new Context({
      ...environment,
      setTimer: (ms, done) => environment.setTimer(ms === 60_000 ? 50 : ms, done),
    });
    const controller = await redis.controller({ connection, context }).start([], ["D", "theirs"]);
    const writer = redis.writer();
    await allow("&D"); // ends the connection
    await controller.isMended(1);
    await world.write(writer, "missed", "theirs");
    await allow("&D", "&theirs");
    await controller.isMended(2);
    await world.write(writer, "b", "theirs");
    await controller.has("b");
    expect(controller.of("connected")).toHaveLength(2);
    expect(controller.syncs).toBe(2);
  });

  it("a late channel, with { sync: false }: settled() waits for it", async () => {
    await allow("&D");
    const controller = await redis.controller({ connection }).start([], ["D"]);
    controller.subscriber.registerTopic("late", NO_SYNC);
    let isSettled = false;
    void controller.subscriber.settled().then(() => {
      isSettled = true;
    });
    await until("it is refused", () => controller.errors.length > 0);
    expect(isSettled).toBe(false);
    controller.subscriber.unregisterTopic("late");
    await until("it is settled", () => isSettled);
    await controller.isMended(0);
  });

  it("to let us in (WRONGPASS): reported; one sync when it does", async () => {
    await allow("&*");
    const wrong = { username: "reader", password: "wrong" };
    let current = wrong;
    const controller = await redis
      .controller({ connection: { credentials: () => current }, startTimeout: 300 })
      .start([], ["D", "t"]);
    await until("it is told", () => controller.errors.length > 0);
    expect(controller.errors[0]).toMatchObject({ code: "WRONGPASS" });
    world.change("missed");
    current = connection;
    await controller.isMended(1);
    const writer = redis.writer();
    await world.write(writer, "after", "t");
    await controller.has("after");
    // Dragonflow's own messages are heard again too.
    expect(await server().cli("PUBSUB", "NUMSUB", "redis")).toBe("redis\n1");
  }, 40_000);
});
