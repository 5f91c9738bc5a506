import { describe, expect, it } from "vitest";
import * as zeromq from "zeromq";
import { useProxies } from "../../support/proxy.ts";
import { sleep, until } from "../../support/wait.ts";
import { NO_SYNC, QUIET, useWorld } from "../world.ts";

/** A port of loopback where nobody listens. */
const NOBODY = "tcp://127.0.0.1:1";

describe("DESIGN 7, daemonize()", () => {
  const world = useWorld();

  it("resolves when all topics are in force everywhere: what is published from then on comes, without a sync (defect 22)", async () => {
    const publishers = [await world.publisher(), await world.publisher()];
    const topics = ["D", "tenant-1", "tenant-2"];
    const controller = await world.controller().start(
      publishers.map(({ address }) => address!),
      topics,
    );
    for (const [i, publisher] of publishers.entries())
      for (const topic of topics) await world.write(publisher, `${i} ${topic}`, topic);
    await controller.has("0 D", "0 tenant-1", "0 tenant-2", "1 D", "1 tenant-1", "1 tenant-2");
    await controller.isMended(0);
    expect(controller.of("inForce")).toHaveLength(2);
  });

  it("towards libzmq, which answers a PING before it has applied the subscriptions, as well", async () => {
    const publisher = new zeromq.Publisher({ linger: 0 });
    world.onEnd(() => publisher.close());
    await publisher.bind("tcp://127.0.0.1:*");
    const topics = Array.from({ length: 200 }, (_, i) => `tenant-${i}`);
    for (let round = 0; round < 5; round += 1) {
      const controller = await world.controller().start([publisher.lastEndpoint!], topics);
      await publisher.send(world.row(`row ${round}`, "tenant-199"));
      await controller.has(`row ${round}`);
      expect(controller.syncs).toBe(0);
      await controller.subscriber.close();
    }
  });

  it("resolves after startTimeout without the missing ones; each gives one sync when it comes into force", async () => {
    const publisher = await world.publisher();
    const later = await world.publisher();
    await later.close();
    // Long enough for the other one: it would be a late address too.
    const controller = world.controller({ startTimeout: 2000 });
    const before = performance.now();
    await controller.start([publisher.address!, later.address!]);
    expect(performance.now() - before).toBeGreaterThanOrEqual(1999);
    await world.write(publisher, "heard");
    await controller.has("heard");
    expect(controller.syncs).toBe(0);

    const back = await world.again(later);
    await world.write(back, "too early");
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["address"]]);
    await world.write(back, "after");
    await controller.has("after");
  });

  it("startTimeout 0 waits for nobody", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller({ startTimeout: 0 }).start([publisher.address!]);
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["address"]]);
  });

  it("resolves at once without addresses, and again with the same result", async () => {
    const controller = await world.controller().start();
    expect(controller.subscriber.isDaemonize).toBe(true);
    await controller.subscriber.daemonize();
    await controller.isMended(0, 100);
  });
});

describe("DESIGN 7, loss: late address", () => {
  const world = useWorld();

  it("one sync when it is in force (the original's TODO: live registration)", async () => {
    const publisher = await world.publisher();
    await world.write(publisher, "before");
    const controller = await world.controller().start();
    expect(controller.subscriber.registerListenAddress(publisher.address!)).toBe(true);
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["address"]]);
    await world.write(publisher, "after");
    await controller.has("after");
    expect(controller.syncs).toBe(1);
  });

  it("several at once: one sync, which covers all", async () => {
    const publishers = [await world.publisher(), await world.publisher(), await world.publisher()];
    for (const [i, publisher] of publishers.entries()) await world.write(publisher, `before ${i}`);
    const controller = await world.controller().start();
    for (const { address } of publishers) controller.subscriber.registerListenAddress(address!);
    await controller.isMended(1);
  });

  it("one that nobody answers at holds up another's sync for startTimeout only", async () => {
    const publisher = await world.publisher();
    await world.write(publisher, "before");
    const controller = await world.controller({ startTimeout: 400 }).start();
    controller.subscriber.registerListenAddress(NOBODY);
    controller.subscriber.registerListenAddress(publisher.address!);
    await controller.isMended(1);
  });
});

describe("DESIGN 7, loss: late topic", () => {
  const world = useWorld();

  it("one sync when it is in force; what was published before is covered, what comes after is heard", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller().start([publisher.address!]);
    await world.write(publisher, "before", "tenant-1");
    expect(controller.subscriber.registerTopic("tenant-1")).toBe(true);
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["topic"]]);
    await world.write(publisher, "after", "tenant-1");
    await controller.has("after");
    expect(controller.syncs).toBe(1);
  });

  it("many at once: one sync", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller().start([publisher.address!]);
    for (let i = 0; i < 100; i += 1) {
      await world.write(publisher, `before ${i}`, `tenant-${i}`);
      controller.subscriber.registerTopic(`tenant-${i}`);
    }
    await controller.isMended(1);
    expect(controller.seen).toEqual(["sync"]);
    await world.write(publisher, "after", "tenant-99");
    await controller.has("after");
  });

  it("{ sync: false }: none, for a caller who awaits settled() and then reads the database", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller().start([publisher.address!]);
    await world.write(publisher, "before", "tenant-1");
    controller.subscriber.registerTopic("tenant-1", NO_SYNC);
    await controller.subscriber.settled();
    controller.copy = new Map(world.database);
    await world.write(publisher, "after", "tenant-1");
    await controller.has("after");
    await controller.isMended(0);
  });

  it("while a connection is lost: settled() waits for it, and one sync answers both", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller().start([publisher.address!]);
    await publisher.close();
    await controller.heard("lost");
    controller.subscriber.registerTopic("tenant-1");
    let settled = false;
    void controller.subscriber.settled().then(() => {
      settled = true;
    });
    const back = await world.again(publisher);
    await world.write(back, "missed", "tenant-1");
    await controller.isMended(1);
    expect(settled).toBe(true);
    await world.write(back, "after", "tenant-1");
    await controller.has("after");
  });

  it("unregistered and registered again: a gap like any other", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller().start([publisher.address!], ["D", "tenant-1"]);
    controller.subscriber.unregisterTopic("tenant-1");
    await world.write(publisher, "not wanted", "tenant-1");
    await world.write(publisher, "wanted");
    await controller.has("wanted");
    controller.subscriber.registerTopic("tenant-1");
    await controller.isMended(1);
    expect(controller.seen).toEqual(["wanted", "sync"]);
  });
});

describe("DESIGN 7, lossGrace and unregistering", () => {
  const world = useWorld();
  const proxies = useProxies();

  it("not back within lossGrace: a sync then, and another on its return", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller({ lossGrace: 400 }).start([publisher.address!]);
    world.change("lost with it");
    await publisher.close();
    await controller.isMended(1);
    world.change("published while it was away");
    const back = await world.again(publisher);
    await controller.isMended(2);
    expect(controller.reasons).toEqual([["lost"], ["lost"]]);
    await world.write(back, "after");
    await controller.has("after");
  });

  it("a second publisher goes while the first runs: events of the first go on, no sync until it is back", async () => {
    const [first, second] = [await world.publisher(), await world.publisher()];
    const controller = await world.controller().start([first.address!, second.address!]);
    await second.close();
    await controller.heard("lost");
    for (let i = 0; i < 10; i += 1) {
      await world.write(first, `row ${i}`);
      await sleep(QUIET / 10);
    }
    await controller.has("row 9");
    expect(controller.syncs).toBe(0);
    world.change("missed");
    await world.again(second);
    await controller.isMended(1);
  });

  it("two lost, back one after the other: one sync, when the second is in force", async () => {
    const publisher = await world.publisher();
    const slow = await proxies(publisher.address!);
    const fast = await proxies(publisher.address!);
    const controller = await world.controller().start([fast.address, slow.address]);
    fast.cut();
    slow.cut();
    slow.delay = 400;
    world.change("missed");
    await controller.heard("inForce", 3);
    expect(controller.syncs).toBe(0);
    await controller.isMended(1);
    expect(controller.of("inForce").map(({ address }) => address)).toEqual(
      expect.arrayContaining([slow.address, fast.address]),
    );
    expect(controller.of("inForce")).toHaveLength(4);
  });

  it("unregistering an address with a gap outstanding gives the sync at once, and it is the only one", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller().start([publisher.address!]);
    await publisher.close();
    await controller.heard("lost");
    world.change("missed");
    expect(controller.subscriber.unregisterListenAddress(publisher.address!)).toBe(true);
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["unregistered"]]);
    await world.again(publisher);
    await controller.isMended(1);
    expect(controller.of("connected")).toHaveLength(1);
  });

  it("unregistering one that has lost nothing gives none; registered again, it is a late address", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller().start([publisher.address!]);
    controller.subscriber.unregisterListenAddress(publisher.address!);
    await controller.isMended(0);
    world.change("missed");
    controller.subscriber.registerListenAddress(publisher.address!);
    await controller.isMended(1);
    await world.write(publisher, "after");
    await controller.has("after");
  });

  it("unregistering an address with events that wait: they are not called back any more, and a sync covers them", async () => {
    const publisher = await world.publisher();
    const controller = world.controller();
    let release = (): void => {};
    controller.before = (what) =>
      what === "slow" ? new Promise<void>((resolve) => (release = resolve)) : undefined;
    await controller.start([publisher.address!]);
    await world.write(publisher, "slow");
    await world.write(publisher, "waits");
    await until("it waits", () => controller.subscriber.stats().queued === 2);
    controller.subscriber.unregisterListenAddress(publisher.address!);
    release();
    await controller.isMended(1);
    expect(controller.seen).toEqual(["slow", "sync"]);
  });

  it("unregistering from within the callback of its last event costs no sync", async () => {
    const publisher = await world.publisher();
    const controller = world.controller();
    controller.before = () => controller.subscriber.unregisterListenAddress(publisher.address!);
    await controller.start([publisher.address!]);
    await world.write(publisher, "last");
    await controller.has("last");
    await controller.isMended(0);
  });
});
