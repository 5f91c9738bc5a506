import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { ZmqPubSubMultiproc } from "../../../src/drivers/index.ts";
import { OldPublisher, RawListener } from "../../interop/peers/raw-peer.ts";
import { useChildren } from "../../support/children.ts";
import { describeWithRedis, startRedis, useRedis } from "../../support/redis-server.ts";
import { sleep, until } from "../../support/wait.ts";
import { RedisWorld } from "../redis/redis-world.ts";
import { RemotePublisher } from "../remote-publisher.ts";
import { useWorlds } from "../world.ts";

/** ms: longer than any timer of the drivers, so that each has fired. */
const IDLE = 65_000;
/** The drivers' own defaults, but for the wire form and startTimeout, which say nothing of idling. */
const DEFAULTS = {
  syncMinInterval: 1000,
  reconnectInterval: 100,
  reconnectMaxInterval: 5000,
} as const;

describe.concurrent("DESIGN 7, no sync without a possible loss: idle for 65 s with the drivers' defaults", () => {
  const children = useChildren("file");
  const newWorld = useWorlds();

  it.each(["ours", "libzmq"] as const)(
    "against a publisher of %s",
    async (library) => {
      const world = newWorld();
      const publisher = await RemotePublisher.start(children, library);
      const controller = await world.controller(DEFAULTS).start([publisher.address]);
      await sleep(IDLE);
      expect(controller.syncs).toBe(0);
      expect([controller.of("lost"), controller.of("gap"), controller.errors]).toEqual([[], [], []]);
      expect(controller.of("connected")).toHaveLength(1);
      await publisher.write(world, "after");
      await controller.has("after");
    },
    110_000,
  );

  it("against a publisher that announces ZMTP 3.0 and knows no PING: no disconnect, no foreign message", async () => {
    const world = newWorld();
    const listener = await RawListener.listen();
    world.onEnd(() => listener.close());
    const controller = world.controller(DEFAULTS);
    const started = controller.start([listener.address]);
    const publisher = await OldPublisher.accept(listener);
    await started;
    await sleep(IDLE);
    expect(controller.syncs).toBe(0);
    expect([controller.of("lost"), controller.of("gap"), controller.errors]).toEqual([[], [], []]);
    expect(publisher.foreign).toEqual([]);
    expect(publisher.topics).toEqual(["D"]);
    expect(listener.accepted).toBe(1);
    publisher.publish(...world.row("after"));
    await controller.has("after");
    expect(publisher.peer.open).toBe(true);
  }, 110_000);

  it("a writer and the service of its host", async () => {
    const world = newWorld();
    const folder = mkdtempSync(`${tmpdir()}/zmtp-`);
    world.onEnd(() => rmSync(folder, { recursive: true }));
    const service = await world.service(`${folder}/socket`, DEFAULTS).start();
    const writer = new ZmqPubSubMultiproc({
      wireForm: "map",
      publisherMultiprocSocket: `${folder}/socket`,
    }).getPublisher();
    world.onEnd(() => writer.close());
    await world.write(writer, "before");
    await service.has("before");
    await sleep(IDLE);
    expect(service.syncs).toBe(0);
    expect(service.of("lost")).toEqual([]);
    await world.write(writer, "after");
    await until("it comes", () => service.seen.includes("after"));
  }, 110_000);

  describeWithRedis("Redis", () => {
    const server = useRedis(() => startRedis());

    it("a writer, a controller and the server between them", async () => {
      const world = newWorld();
      const redis = new RedisWorld(world, server);
      const controller = await redis.controller(DEFAULTS).start();
      const writer = redis.writer(DEFAULTS);
      await world.write(writer, "before");
      await controller.has("before");
      await sleep(IDLE);
      expect(controller.syncs).toBe(0);
      expect([controller.of("lost"), controller.of("gap"), controller.errors]).toEqual([[], [], []]);
      expect(controller.of("connected")).toHaveLength(1);
      await world.write(writer, "after");
      await controller.has("after");
    }, 110_000);
  });
});
