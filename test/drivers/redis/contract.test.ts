import { expect, it } from "vitest";
import { frames } from "../../../src/drivers/event/codec.ts";
import { DbUpdate } from "../../../src/drivers/index.ts";
import { RedisClient } from "../../../src/redis-resp/index.ts";
import { describeWithRedis, startRedis, useRedis } from "../../support/redis-server.ts";
import { sleep, until } from "../../support/wait.ts";
import { NO_SYNC, useWorld } from "../world.ts";
import { RedisWorld } from "./redis-world.ts";

describeWithRedis("the contract of sync, on a Redis server", () => {
  const server = useRedis(() => startRedis());
  const world = useWorld();
  const redis = new RedisWorld(world, server);

  it("what is published after daemonize() comes, values included, without a sync", async () => {
    const controller = await redis.controller().start([], ["D", "tenant-1"]);
    const writer = redis.writer();
    await world.write(writer, "a");
    await world.write(writer, "b", "tenant-1");
    await world.write(writer, "c", "tenant-2");
    await world.write(writer, "d", "tenant-10");
    world.database.delete("c");
    world.database.delete("d");
    await controller.has("a", "b");
    await controller.isMended(0);
    expect(controller.seen).toEqual(["a", "b"]);
    expect(controller.of("inForce")).toHaveLength(1);
  });

  it("a connection that the server ends: one sync, when all is confirmed again", async () => {
    const controller = await redis
      .controller()
      .start([], ["D", ...Array.from({ length: 1200 }, (_, i) => `t${i}`)]);
    const writer = redis.writer();
    await world.write(writer, "a", "t1199");
    await controller.has("a");
    world.change("missed");
    await server().cli("CLIENT", "KILL", "TYPE", "pubsub");
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["lost"]]);
    await world.write(writer, "after", "t1199");
    await controller.has("after");
    expect(controller.syncs).toBe(1);
  });

  it("killed and restarted: one sync, and the writer's events come again", async () => {
    const controller = await redis.controller().start([], ["D", "t"]);
    const writer = redis.writer();
    await world.write(writer, "a", "t");
    await controller.has("a");
    await server().kill();
    await controller.heard("lost");
    world.change("missed");
    await server().restart();
    await controller.isMended(1);
    await world.write(writer, "after", "t");
    await controller.has("after");
    expect(controller.reasons).toEqual([["lost"]]);
  });

  it("frozen: the heartbeat tells, and one sync follows when it is back", async () => {
    const controller = await redis.controller({ heartbeatInterval: 300, heartbeatTimeout: 1500 }).start();
    const writer = redis.writer();
    await world.write(writer, "a");
    await controller.has("a");
    server().freeze();
    try {
      await controller.heard("lost");
      world.change("missed");
    } finally {
      server().thaw();
    }
    await controller.isMended(1);
    expect(controller.of("lost")[0]).toMatchObject({ reason: "heartbeat" });
  });

  it("not there at first: daemonize() resolves after startTimeout, one sync when it comes", async () => {
    await server().kill();
    const controller = await redis.controller({ startTimeout: 300 }).start();
    world.change("before");
    await server().restart();
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["address"]]);
  });

  it("a late topic: one sync when it is confirmed; none with { sync: false } and settled()", async () => {
    const controller = await redis.controller().start();
    const writer = redis.writer();
    await world.write(writer, "before", "late");
    controller.subscriber.registerTopic("late");
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["topic"]]);
    controller.subscriber.registerTopic("later", NO_SYNC);
    await controller.subscriber.settled();
    await world.write(writer, "after", "later");
    await controller.has("after");
    await controller.isMended(1);
  });

  it("a topic registered while the connection is lost is confirmed with the others: one sync for all", async () => {
    const controller = await redis.controller().start([], ["D", "t"]);
    const writer = redis.writer();
    await server().kill();
    await controller.heard("lost");
    controller.subscriber.registerTopic("meanwhile");
    controller.subscriber.unregisterTopic("t");
    world.change("missed");
    await server().restart();
    await controller.subscriber.settled();
    await controller.isMended(1);
    await world.write(writer, "after", "meanwhile");
    await writer.sendEvent(new DbUpdate({ table: "t", key: "unwanted", action: "set", topic: "t" }));
    await world.write(writer, "end");
    await controller.has("after", "end");
    expect(controller.seen).not.toContain("unwanted");
    expect(controller.syncs).toBe(1);
  });

  it("unregistered and registered again: a gap like any other; the topic of everybody is always heard", async () => {
    const controller = await redis.controller().start([], ["t"]);
    const writer = redis.writer();
    controller.subscriber.unregisterTopic("t");
    await world.write(writer, "missed", "t");
    controller.subscriber.registerTopic("t");
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["topic"]]);
    world.change("lost by a writer");
    await writer.sendEvent(new DbUpdate({ table: null, key: null, action: "sync" }));
    await controller.isMended(2);
    expect(controller.reasons).toEqual([["topic"], ["dropped"]]);
    await writer.sendEvent(new DbUpdate({ table: "t", key: "for D", action: "set" }));
    await world.write(writer, "end", "t");
    await controller.has("end");
    expect(controller.seen).not.toContain("for D");
  });

  it("a message that is no event, and a callback that throws: one sync each, and the connection stays", async () => {
    const controller = redis.controller();
    controller.before = (what) => {
      if (what === "bad") throw new Error("no");
    };
    await controller.start();
    const writer = redis.writer();
    await writer.sendFrames([Buffer.from("D"), Buffer.from("rubbish")]);
    await controller.isMended(1);
    await world.write(writer, "bad");
    await controller.isMended(2);
    expect(controller.reasons).toEqual([["decode"], ["callback"]]);
    expect(controller.of("connected")).toHaveLength(1);
  });

  it('the topic "" means everything, once each, and nothing that the server says of itself', async () => {
    await server().cli("CONFIG", "SET", "notify-keyspace-events", "KEA");
    const controller = await redis.controller().start([], ["", "a", "D"]);
    controller.subscriber.registerTopic("a*", { match: "prefix", sync: false });
    controller.subscriber.registerTopic("a", { match: "exact" });
    await controller.subscriber.settled();
    const writer = redis.writer();
    await server().cli("SET", "key", "value");
    for (const topic of ["a", "a*b", "ab", "D", "[x]"]) await world.write(writer, topic, topic);
    const [, payload] = frames(world.change("empty"), null, "json", "redis");
    await writer.sendFrames([Buffer.alloc(0), payload]);
    await controller.has("a", "a*b", "ab", "D", "[x]", "empty");
    await controller.isMended(0);
    expect(controller.seen).toEqual(["a", "a*b", "ab", "D", "[x]", "empty"]);
    await server().cli("CONFIG", "SET", "notify-keyspace-events", "");
  });

  it("the same event twice comes twice, through whichever subscriptions", async () => {
    const controller = await redis.controller().start([], ["", "a"]);
    const writer = redis.writer();
    const event = world.change("same", "a");
    for (let i = 0; i < 3; i += 1) await writer.sendEvent(event);
    await world.write(writer, "end");
    await controller.has("end");
    expect(controller.seen).toEqual(["same", "same", "same", "end"]);
  });

  it("a prefix is a prefix of bytes, whatever it means in a pattern", async () => {
    const controller = redis.controller();
    controller.subscriber.registerTopic("a*[?\\^b", { match: "prefix" });
    await controller.start([], []);
    const writer = redis.writer();
    for (const topic of ["a*[?\\^b", "a*[?\\^bc", "axx[?\\^b", "a*[?\\^", "a*[x\\^b"])
      await writer.sendEvent(new DbUpdate({ table: "t", key: topic, action: "set", topic }));
    await writer.sendEvent(new DbUpdate({ table: "t", key: "end", action: "set", topic: "a*[?\\^b!" }));
    await controller.has("end");
    expect(controller.seen).toEqual(["a*[?\\^b", "a*[?\\^bc", "end"]);
  });

  it("node lists of Dragonflow's HA topic are not for the user; other events there are, if wanted", async () => {
    const controller = await redis.controller().start([], ["", "redis"]);
    const writer = redis.writer();
    const nodes = JSON.stringify({ [`127.0.0.1:${server().port}`]: { role: "master" } });
    await writer.sendEvent(
      new DbUpdate({ table: "ha", key: "nodes", action: "set", value: nodes, topic: "redis" }),
    );
    await world.write(writer, "mine", "redis");
    await controller.has("mine");
    expect(controller.seen).toEqual(["mine"]);
  });

  it("a callback that is too slow: the inbox overflows, one sync when there is room again, and the counts add up", async () => {
    const controller = redis.controller({ sendHighWaterMark: 100 });
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    controller.before = (what) => (what === "first" ? released : undefined);
    await controller.start();
    const writer = redis.writer({ sendHighWaterMark: 10_000 });
    await world.write(writer, "first");
    await controller.heard("connected");
    await Promise.all(Array.from({ length: 1000 }, (_, i) => world.write(writer, `row ${i}`)));
    // What the server has passed on is read, and dropped where it does not fit, before what another process says of it.
    await until("the server has passed on all of them", async () =>
      (await server().cli("CLIENT", "LIST", "TYPE", "pubsub")).includes(" obl=0 oll=0 omem=0 "),
    );
    expect(controller.subscriber.stats().queued).toBeGreaterThanOrEqual(100);
    release();
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["dropped"]]);
    const { delivered, queued } = controller.subscriber.stats();
    expect(queued).toBe(0);
    expect(delivered).toBeLessThan(1001);
  });

  it("a subscriber that does not read is closed by the server: one sync", async () => {
    await server().cli("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 1mb 1");
    const controller = redis.controller();
    await controller.start();
    const writer = redis.writer();
    world.padding = "x".repeat(100_000);
    await server().cli("CLIENT", "PAUSE", "1");
    // Nobody reads while this process is busy; the server's buffers fill.
    const client = new RedisClient({ port: server().port });
    world.onEnd(() => client.close());
    await world.write(writer, "a");
    await controller.has("a");
    const events = Array.from({ length: 300 }, (_, i) => world.row(`row ${i}`));
    const lua = `for i = 1, ${events.length} do redis.call('PUBLISH', ARGV[2 * i - 1], ARGV[2 * i]) end`;
    await client.command("EVAL", lua, 0, ...events.flat());
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["lost"]]);
    await server().cli("CONFIG", "SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60");
  });

  it("close() is final: the process is let go, and nothing is called any more", async () => {
    const controller = await redis.controller().start();
    const writer = redis.writer();
    await world.write(writer, "a");
    await controller.has("a");
    await controller.subscriber.close();
    await writer.sendEvent(new DbUpdate({ table: "t", key: "late", action: "set" }));
    await sleep(50);
    expect(controller.seen).toEqual(["a"]);
    expect(() => controller.subscriber.registerTopic("t")).toThrow(
      expect.objectContaining({ code: "EBADF" }),
    );
    await writer.close();
    await expect(writer.sendEvent(world.change("x"))).rejects.toMatchObject({ code: "EBADF" });
  });
});
