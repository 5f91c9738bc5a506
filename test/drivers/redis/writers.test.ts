import { afterEach, describe, expect, it } from "vitest";
import { DbUpdate, RedisPubSub, unpackMessage } from "../../../src/drivers/index.ts";
import { RedisBroker, RedisSubscriber } from "../../../src/redis-resp/index.ts";
import { stablePort } from "../../support/ports.ts";
import { sleep, until } from "../../support/wait.ts";
import { useWorld } from "../world.ts";
import { RedisWorld } from "./redis-world.ts";

const world = useWorld();
let broker: RedisBroker;
const redis = new RedisWorld(world, () => broker.address);

async function listen(port = 0): Promise<RedisBroker> {
  broker = new RedisBroker({ port });
  const started = broker;
  world.onEnd(() => started.close());
  await until("the port is free", () =>
    started.listen().then(
      () => true,
      (error) => {
        if (error.code !== "EADDRINUSE") throw error;
        return false;
      },
    ),
  );
  return started;
}

/** What everybody hears, in order: keys, and "sync". */
async function heardAt(port: number): Promise<string[]> {
  const subscriber = new RedisSubscriber({ port, reconnectInterval: 5, reconnectMaxInterval: 5 });
  world.onEnd(() => subscriber.close());
  const heard: string[] = [];
  await subscriber.psubscribe("*", (payload) => {
    const { key, action } = unpackMessage(payload);
    heard.push(key ?? action);
  });
  return heard;
}

const event = (key: string, topic = "D") => new DbUpdate({ table: "t", key, action: "set", topic });

describe("a writer on Redis", () => {
  const errors: unknown[] = [];
  afterEach(() => errors.splice(0));

  it("initialize() connects, and rejects after the last attempt when nobody is there; sendEvent connects by itself", async () => {
    const port = await stablePort();
    const options = { remoteDbPort: port, publishRetryTimes: 2, reconnectInterval: 1, linger: 0 };
    const writer = new RedisPubSub({ ...options, onError: () => {} }).getPublisher();
    world.onEnd(() => writer.close());
    await expect(writer.initialize()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await listen(port);
    await writer.initialize();
    expect(writer.address).toBe(`redis://127.0.0.1:${port}`);
    await writer.initialize();
    await writer.sendEvent(event("a"));
    expect(writer.stats()).toEqual({ sent: 1, dropped: 0, queued: 0 });
  });

  it("sends again what was not answered, in order and before what comes after: nothing is lost by a cut connection", async () => {
    const { port } = (await listen()).address;
    const writer = redis.writer();
    await writer.sendEvent(event("first"));
    broker.faults.cut(0); // the writer: who listens connects later, and is not concerned
    const heard = await heardAt(port);
    await Promise.all(["a", "b", "c"].map((key) => writer.sendEvent(event(key))));
    await writer.sendEvent(event("end"));
    await until("all is heard", () => heard.includes("end"));
    expect(heard.slice(-4)).toEqual(["a", "b", "c", "end"]);
    expect(heard.slice(0, -4)).toContain("a"); // carried out by the cut connection, but not answered for
    expect(writer.stats()).toMatchObject({ sent: 5, dropped: 0, queued: 0 });
  });

  it("rejects after the last attempt, and tells everybody once, as soon as it can", async () => {
    const { port } = (await listen()).address;
    const writer = redis.writer({ publishRetryTimes: 3, reconnectInterval: 5, reconnectMaxInterval: 20 });
    await writer.sendEvent(event("a"));
    await broker.close();
    const dropped: number[] = [];
    writer.events.on("dropped", ({ count }) => dropped.push(count));
    const settled = await Promise.allSettled(["b", "c"].map((key) => writer.sendEvent(event(key))));
    expect(settled).toMatchObject([
      { status: "rejected", reason: { code: "ECONNREFUSED" } },
      { status: "rejected", reason: { code: "ECONNREFUSED" } },
    ]);
    await expect(writer.sendEvent(event("d"))).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(dropped).toEqual([1, 1, 1]);
    await listen(port);
    await until("the sync is out", () => broker.stats().published > 0);
    await sleep(1200); // a second one would come after a second
    expect(broker.stats().published).toBe(1);
    expect(writer.stats()).toEqual({ sent: 2, dropped: 3, queued: 0 });
  });

  it("one sync that was under way when the connection ended, and is sent again, covers what was lost with it", async () => {
    const { port } = (await listen()).address;
    const writer = redis.writer({ publishRetryTimes: 1, maxMessageSize: 1000 });
    await writer.initialize();
    broker.faults.freeze();
    const tooLong = writer.sendEvent(event("x".repeat(2000)));
    await expect(tooLong).rejects.toMatchObject({ code: "EMSGSIZE" }); // a sync is sent
    const lost = writer.sendEvent(event("a"));
    broker.faults.kill();
    await expect(lost).rejects.toThrow();
    await broker.close();
    await listen(port);
    await until("the sync is out", () => broker.stats().published > 0);
    await sleep(1200); // a second one would come after a second
    expect(broker.stats().published).toBe(1);
  });

  it("an event that the server refuses is rejected at once, costs no other, and everybody is told", async () => {
    const { port } = (await listen()).address;
    const heard = await heardAt(port);
    const writer = redis.writer();
    broker.faults.noperm({ channel: "secret" });
    const settled = await Promise.allSettled(
      ["a", "secret", "b"].map((topic) => writer.sendEvent(event(topic, topic))),
    );
    expect(settled).toMatchObject([
      { status: "fulfilled" },
      { status: "rejected", reason: { code: "NOPERM" } },
      { status: "fulfilled" },
    ]);
    await until("the sync has come", () => heard.includes("sync"));
    expect(heard).toEqual(["a", "b", "sync"]);
    expect(broker.stats().connections).toBeLessThanOrEqual(3); // ours, the one that asked for masters, the listener's
  });

  it("a server that is frozen: another attempt when sendTimeout is over, and nothing is lost", async () => {
    const { port } = (await listen()).address;
    const heard = await heardAt(port);
    const writer = redis.writer({ sendTimeout: 200, handshakeInterval: 300, publishRetryTimes: 100 });
    await writer.sendEvent(event("a"));
    broker.faults.freeze();
    const sent = writer.sendEvent(event("b"));
    await new Promise<void>((resolve) => writer.events.once("lost", () => resolve()));
    broker.faults.thaw();
    await sent;
    await until("b is heard", () => heard.includes("b"));
  });

  it("more than the high-water mark: they wait for room, in order", async () => {
    const { port } = (await listen()).address;
    const heard = await heardAt(port);
    const writer = redis.writer({ sendHighWaterMark: 10 });
    const keys = Array.from({ length: 20 }, (_, i) => `${i}`);
    const sent = Promise.all(keys.map((key) => writer.sendEvent(event(key))));
    await sent;
    await until("all are heard", () => heard.length === 20);
    expect(heard).toEqual(keys);
    await expect(
      Promise.all(Array.from({ length: 40 }, () => writer.sendEvent(event("x")))),
    ).rejects.toMatchObject({
      code: "ENOBUFS",
    });
  });

  it("one that comes while others wait for room does not overtake them", async () => {
    const { port } = (await listen()).address;
    const heard = await heardAt(port);
    const writer = redis.writer({ sendHighWaterMark: 1 });
    await writer.initialize();
    const inTurn = async (key: string): Promise<void> => {
      await writer.sendEvent(event(key));
    };
    const first = inTurn("a").then(() => inTurn("c"));
    await Promise.all([first, inTurn("b")]);
    await until("all are heard", () => heard.length === 3);
    expect(heard).toEqual(["a", "b", "c"]);
  });

  it("events that wait for room are not announced before they are sent: no number is missing", async () => {
    await listen();
    const numbers = { sequenceNumbers: true, sequenceInterval: 20 } as const;
    const controller = await redis.controller(numbers).start();
    const writer = redis.writer({ ...numbers, sendHighWaterMark: 1 });
    await world.write(writer, "first");
    await controller.has("first");
    broker.faults.freeze();
    const sent = [world.write(writer, "a"), world.write(writer, "b")];
    await sleep(100); // some ticks, in which nothing can be sent
    broker.faults.thaw();
    await Promise.all(sent);
    await controller.has("a", "b");
    await controller.isMended(0);
  });

  it("frames for a forwarder: taken at once while connected; what is lost after that is told as dropped", async () => {
    await listen();
    const writer = redis.writer({ publishRetryTimes: 1 });
    const frames: [Buffer, Buffer] = [Buffer.from("D"), Buffer.from([0xc0])];
    expect(writer.trySendFrames!(frames)).toBe(false);
    await writer.sendFrames(frames);
    expect(writer.trySendFrames!(frames)).toBe(true);
    expect(writer.trySendFrames!([Buffer.from("D")] as never)).toBe(false);
    await expect(writer.sendFrames([Buffer.from("D")] as never)).rejects.toThrow(TypeError);
    await until("both are out", () => writer.stats().sent === 2);
    const dropped = new Promise<number>((resolve) =>
      writer.events.once("dropped", ({ count }) => resolve(count)),
    );
    broker.faults.noperm({ command: "publish" });
    expect(writer.trySendFrames!(frames)).toBe(true);
    expect(await dropped).toBe(1);
  });

  it("close() tells of what was lost, also when everybody was told of something else a moment before", async () => {
    const { port } = (await listen()).address;
    const heard = await heardAt(port);
    const writer = redis.writer({ linger: 5000 });
    broker.faults.noperm({ channel: "secret" });
    await expect(writer.sendEvent(event("a", "secret"))).rejects.toMatchObject({ code: "NOPERM" });
    await until("the sync has come", () => heard.includes("sync"));
    await expect(writer.sendEvent(event("b", "secret"))).rejects.toMatchObject({ code: "NOPERM" });
    await writer.close();
    await until("another has come", () => heard.length === 2);
    expect(heard).toEqual(["sync", "sync"]);
  });

  it("close() sends what waits, as long as linger allows, and tells what it could not", async () => {
    await listen();
    const writer = redis.writer({ linger: 5000 });
    const sent = writer.sendEvent(event("a"));
    await writer.close();
    await sent;

    const late = redis.writer({ linger: 50, onError: (error) => errors.push(error) });
    await broker.close();
    const lost = late.sendEvent(event("b"));
    lost.catch(() => {});
    await late.close();
    await expect(lost).rejects.toMatchObject({ code: "EBADF" });
    expect(errors).toMatchObject([{ code: "EAGAIN" }]);
    expect(late.stats().dropped).toBe(1);
    await expect(late.initialize()).rejects.toMatchObject({ code: "EBADF" });
  });
});
