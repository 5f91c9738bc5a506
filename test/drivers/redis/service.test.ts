import { expect, it } from "vitest";
import {
  type EventFrames,
  PublisherService,
  unpackMessage,
  ZmqPubSubMultiproc,
} from "../../../src/drivers/index.ts";
import { describeWithRedis, startRedis, useRedis } from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";
import { QUICK, useSocketPaths, useWorld } from "../world.ts";
import { RedisWorld } from "./redis-world.ts";

describeWithRedis("the publisher service with Redis behind it", () => {
  const server = useRedis(() => startRedis());
  const world = useWorld();
  const redis = new RedisWorld(world, server);
  const socketPath = useSocketPaths();

  function serviceAt(publisherMultiprocSocket: string): PublisherService {
    const service = new PublisherService({
      config: {
        pubSubDriver: "redis_db_pubsub_driver",
        remoteDbPort: server().port,
        publisherMultiprocSocket,
      },
      onError: () => {},
    });
    world.onEnd(() => service.close());
    void service.run();
    return service;
  }

  it("says sync at each start, then passes on what the writers of its host send", async () => {
    const path = socketPath();
    const controller = await redis.controller().start();
    const service = serviceAt(path);
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["dropped"]]);
    const writer = new ZmqPubSubMultiproc({ ...QUICK, publisherMultiprocSocket: path }).getPublisher();
    world.onEnd(() => writer.close());
    for (let i = 0; i < 100; i += 1) await world.write(writer, `row ${i}`);
    await until("all have come", () => controller.seen.length === 101);
    expect(controller.seen.slice(1)).toEqual(Array.from({ length: 100 }, (_, i) => `row ${i}`));
    expect(service.stats()).toMatchObject({ forwarded: 100, failed: 0, syncs: 1 });
    await writer.close(); // or it would say sync too: what it sent last may have gone with the service
    await service.close();
    world.change("lost with the service");
    serviceAt(path);
    await controller.isMended(2);
  });

  it("an event that is lost within it is found by its number", async () => {
    const path = socketPath();
    const held: EventFrames[] = [];
    const forwarder = new ZmqPubSubMultiproc({ ...QUICK, publisherMultiprocSocket: path }).getSubscriber();
    world.onEnd(() => forwarder.close());
    await forwarder.initializeFrames((_event, received) => held.push(received!));
    await forwarder.daemonize();
    const numbers = { sequenceNumbers: true, sequenceInterval: 100 } as const;
    const writer = new ZmqPubSubMultiproc({
      ...QUICK,
      ...numbers,
      publisherMultiprocSocket: path,
    }).getPublisher();
    world.onEnd(() => writer.close());
    const controller = await redis.controller(numbers).start();
    const out = redis.writer();
    for (const key of ["a", "lost", "b", "lost too"]) await world.write(writer, key);
    const arrived = (key: string | null, seq: number) =>
      held.find(([, payload]) => {
        const event = unpackMessage(payload);
        return event.key === key && event.sequence?.seq === seq;
      });
    await until("the last one is announced", () => arrived(null, 4) !== undefined);
    await out.sendFrames(arrived("a", 1)!);
    await out.sendFrames(arrived("b", 3)!);
    await controller.isMended(1);
    await out.sendFrames(arrived(null, 4)!);
    await controller.isMended(2);
    expect(controller.reasons).toEqual([["sequence"], ["sequence"]]);
  });

  it("numbers of a writer that publishes itself are announced too, and cost nothing when nothing is lost", async () => {
    const numbers = { sequenceNumbers: true, sequenceInterval: 50 } as const;
    const controller = await redis.controller(numbers).start([], ["D", "t"]);
    const writer = redis.writer(numbers);
    await server().cli("CONFIG", "RESETSTAT");
    await world.write(writer, "a", "t");
    await world.write(writer, "b");
    await until("both topics are announced", async () => {
      const calls = /cmdstat_publish:calls=(\d+)/.exec(await server().cli("INFO", "commandstats"))?.[1];
      return Number(calls) >= 4;
    });
    await controller.isMended(0);
    expect(controller.seen).toEqual(["a", "b"]);
  });
});
