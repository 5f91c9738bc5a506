import { describe, expect, it } from "vitest";
import { ZmqPubSub } from "../../../src/drivers/index.ts";
import { Publisher } from "../../../src/index.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { Context } from "../../../src/sockets/index.ts";
import { OldPublisher, useRawPeers } from "../../interop/peers/raw-peer.ts";
import { useProxies } from "../../support/proxy.ts";
import { sleep, until } from "../../support/wait.ts";
import { QUIET, useWorld } from "../world.ts";

const BAD = Buffer.from("c1", "hex"); // no MessagePack

describe("DESIGN 7: a sync keeps its place in the stream", () => {
  const world = useWorld();
  const proxies = useProxies();

  it("after every event received before the gap, however slow the callback", async () => {
    const publisher = await world.publisher();
    const proxy = await proxies(publisher.address!);
    const controller = world.controller();
    let release = (): void => {};
    const slow = new Promise<void>((resolve) => (release = resolve));
    controller.before = (what) => (what === "row 0" ? slow : undefined);
    await controller.start([proxy.address]);
    const rows = Array.from({ length: 50 }, (_, i) => `row ${i}`);
    await world.write(publisher, rows[0]!);
    await until("the callback has the first", () => controller.subscriber.stats().queued === 1);
    for (const row of rows.slice(1)) await world.write(publisher, row);
    await until("all wait", () => controller.subscriber.stats().queued === rows.length);
    proxy.cut();
    await controller.heard("inForce", 2);
    await sleep(QUIET);
    expect(controller.seen).toEqual([]);
    release();
    await controller.isMended(1);
    expect(controller.seen).toEqual([...rows, "sync"]);
    expect(controller.subscriber.stats()).toMatchObject({ delivered: 50, queued: 0, syncs: 1 });
  });

  it("events in the order in which they were published, one at a time, with callbacks that take their time", async () => {
    const publisher = await world.publisher();
    const controller = world.controller();
    let running = 0;
    controller.before = async (what) => {
      running += 1;
      expect(running).toBe(1);
      await sleep(Number(what) % 3);
      running -= 1;
    };
    await controller.start([publisher.address!]);
    const rows = Array.from({ length: 60 }, (_, i) => String(i));
    for (const row of rows) await world.write(publisher, row);
    await controller.has("59");
    expect(controller.seen).toEqual(rows);
    expect(controller.errors).toEqual([]);
  });

  it("a gap while a sync is being called is answered by another", async () => {
    const publisher = await world.publisher();
    const proxy = await proxies(publisher.address!);
    const controller = world.controller();
    let release: (() => void) | null = null;
    controller.before = (what) =>
      what === "sync" && controller.syncs === 0
        ? new Promise<void>((resolve) => (release = resolve))
        : undefined;
    await controller.start([proxy.address]);
    proxy.cut();
    await controller.heard("inForce", 2);
    await until("the sync is being called", () => release !== null);
    proxy.cut();
    world.change("missed");
    await controller.heard("inForce", 3);
    release!();
    await controller.isMended(2);
  });
});

describe("DESIGN 7: a bad message or a failing callback costs one sync and nothing else (defects 3, 4)", () => {
  const world = useWorld();

  it.each([
    ["no MessagePack", [BAD]],
    ["no event", [Buffer.from("80", "hex")]],
    ["two bytes too many", [Buffer.from("c0c0c0", "hex")]],
    ["a nest of arrays", [Buffer.alloc(60, 0xdd)]],
    ["three frames", [BAD, BAD]],
    ["one frame", []],
  ])("%s: reported, then one sync; the connection and its neighbours stay", async (_, rest) => {
    const publisher = new Publisher({ linger: 0 });
    world.onEnd(() => publisher.close());
    await publisher.bind("tcp://127.0.0.1:*");
    const controller = await world.controller().start([publisher.lastEndpoint!]);
    await publisher.send(world.row("before"));
    await publisher.send(["D", ...rest]);
    await publisher.send(world.row("after"));
    await controller.isMended(1);
    expect(controller.seen.filter((what) => what !== "sync")).toEqual(["before", "after"]);
    expect(controller.reasons).toEqual([["decode"]]);
    expect(controller.of("lost")).toEqual([]);
    expect(controller.of("gap")).toEqual([
      { type: "gap", reason: "decode", address: publisher.lastEndpoint },
    ]);
    expect(controller.errors).toMatchObject([{ name: "DecodeError", code: "EBADMSG" }]);
    expect(controller.of("decodeError")).toHaveLength(1);
    expect(controller.subscriber.stats()).toMatchObject({ undecodable: 1, delivered: 2, syncs: 1 });
  });

  it("what is no event on a topic that is not wanted concerns nobody", async () => {
    const publisher = new Publisher({ linger: 0 });
    world.onEnd(() => publisher.close());
    await publisher.bind("tcp://127.0.0.1:*");
    const controller = await world.controller().start([publisher.lastEndpoint!]);
    await publisher.send(["Dx", BAD]);
    await publisher.send(["Dx", BAD, BAD]);
    await publisher.send(["Dx"]);
    await publisher.send(world.row("after"));
    await controller.has("after");
    await controller.isMended(0);
    expect(controller.subscriber.stats()).toMatchObject({ filtered: 3, undecodable: 0 });
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("mine");
      },
    ],
    ["rejects", () => Promise.reject(new Error("mine"))],
  ])("a callback that %s: reported, the next events come, one sync mends the copy", async (_, fail) => {
    const publisher = await world.publisher();
    const controller = world.controller();
    controller.before = (what) => (what === "bad" ? fail() : undefined);
    await controller.start([publisher.address!]);
    for (const row of ["good 1", "bad", "good 2"]) await world.write(publisher, row);
    await controller.isMended(1);
    expect(controller.seen.filter((what) => what !== "sync")).toEqual(["good 1", "good 2"]);
    expect(controller.reasons).toEqual([["callback"]]);
    expect(controller.errors).toMatchObject([{ message: "mine" }]);
    expect(controller.of("callbackError")).toHaveLength(1);
    expect(controller.of("lost")).toEqual([]);
    expect(controller.subscriber.stats()).toMatchObject({ failed: 1, delivered: 2 });
  });

  it("an onError that throws costs nothing", async () => {
    const publisher = await world.publisher();
    const subscriber = new ZmqPubSub({
      onError: () => {
        throw new Error("from the handler");
      },
    }).getSubscriber();
    world.onEnd(() => subscriber.close());
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", onWarning);
    world.onEnd(() => process.off("warning", onWarning));
    const seen: (string | null)[] = [];
    await subscriber.initialize((_table, key, action) => {
      seen.push(action === "sync" ? "sync" : key);
      if (key === "bad") throw new Error("from the callback");
    });
    subscriber.registerTopic("D");
    subscriber.registerListenAddress(publisher.address!);
    await subscriber.daemonize();
    await world.write(publisher, "bad");
    await publisher.sendFrames([Buffer.from("D"), BAD]);
    await world.write(publisher, "good");
    await until("the event after them", () => seen.includes("good"));
    await until("the sync", () => seen.includes("sync"));
    await until("a warning", () => warnings.length > 0);
    expect(warnings).toEqual(["dragonflow subscriber: onError failed: from the handler"]);
  });
});

describe("DESIGN 7: a sync callback that fails is repeated with back-off", () => {
  const world = useWorld();
  const proxies = useProxies();

  it("until it succeeds; events come meanwhile, and it counts once", async () => {
    const publisher = await world.publisher();
    const proxy = await proxies(publisher.address!);
    const controller = world.controller();
    let failures = 0;
    controller.before = (what) => {
      if (what !== "sync" || failures === 1) return undefined;
      failures += 1;
      throw new Error("no database");
    };
    await controller.start([proxy.address]);
    proxy.cut();
    world.change("missed");
    await controller.heard("callbackError");
    await world.write(publisher, "meanwhile");
    await controller.has("meanwhile");
    expect(controller.syncs).toBe(0);
    await controller.isMended(1);
    expect(controller.errors).toMatchObject([{ message: "no database" }]);
    expect(controller.subscriber.stats()).toMatchObject({ failed: 1, syncs: 1 });
    expect(controller.reasons).toEqual([["lost"]]);
  });
});

describe("DESIGN 7: syncMinInterval, syncSpread, syncPeriod", () => {
  const world = useWorld();

  it("the first sync is immediate, gaps within the interval get one more at its end", async () => {
    const publisher = await world.publisher();
    const controller = world.controller({ syncMinInterval: 1500 });
    const times: number[] = [];
    controller.before = (what) => {
      if (what === "sync") times.push(performance.now());
    };
    await controller.start([publisher.address!]);
    await publisher.sendFrames([Buffer.from("D"), BAD]);
    await until("the first", () => times.length === 1);
    const gaps = performance.now();
    for (let i = 0; i < 5; i += 1) {
      world.change(`missed ${i}`);
      await publisher.sendFrames([Buffer.from("D"), BAD]);
    }
    await controller.isMended(2, 1700);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1490);
    expect(times[1]).toBeGreaterThan(gaps);
  });

  it("syncSpread delays by a random part of it", async () => {
    const context = new Context({ ...nodeEnvironment(), random: () => 0.5 });
    const publisher = await world.publisher();
    const controller = await world.controller({ context, syncSpread: 1000 }).start([publisher.address!]);
    const before = performance.now();
    await publisher.sendFrames([Buffer.from("D"), BAD]);
    await controller.heard("sync");
    expect(performance.now() - before).toBeGreaterThanOrEqual(499);
    await controller.isMended(1, 0);
  });

  it("syncPeriod calls one that long after the last, counted apart: what a dead writer did not tell of is seen", async () => {
    const publisher = await world.publisher();
    const controller = await world.controller({ syncPeriod: 1 }).start([publisher.address!]);
    world.change("written, never sent");
    await controller.heard("sync", 2);
    expect(controller.copy).toEqual(world.database);
    expect(controller.of("sync").every(({ periodic }) => periodic)).toBe(true);
    expect(controller.reasons.flat().every((reason) => reason === "period")).toBe(true);
    expect(controller.subscriber.stats().syncs).toBe(0);
    expect(controller.subscriber.stats().periodicSyncs).toBeGreaterThanOrEqual(2);
  });

  it("a syncPeriod beyond the longest timer that there is does not make a timer that fires at once", async () => {
    const set: number[] = [];
    const node = nodeEnvironment();
    const context = new Context({
      ...node,
      setTimer(milliseconds, callback) {
        set.push(milliseconds);
        return node.setTimer(milliseconds, callback);
      },
    });
    const publisher = await world.publisher();
    const controller = world.controller({ context, syncPeriod: 10_000_000 });
    await controller.start([publisher.address!]);
    await controller.isMended(0, 50);
    expect(Math.max(...set)).toBe(2 ** 31 - 1);
  });
});

describe("DESIGN 7, in force: towards a peer that does not answer PING", () => {
  const world = useWorld();
  const raw = useRawPeers();

  it("a second after the bytes have left; a connection it ends is one gap", async () => {
    const listener = await raw.listen();
    const controller = world.controller();
    const before = performance.now();
    const started = controller.start([listener.address]);
    const publisher = await OldPublisher.accept(listener);
    await started;
    expect(performance.now() - before).toBeGreaterThanOrEqual(999);
    expect(publisher.topics).toEqual(["D"]);
    publisher.publish(...world.row("heard"));
    await controller.has("heard");

    publisher.peer.reset();
    const again = await OldPublisher.accept(listener);
    await until("the subscription is back", () => again.topics.length === 1);
    world.change("missed");
    await controller.isMended(1);
    expect([...publisher.foreign, ...again.foreign]).toEqual([]);
  });
});
