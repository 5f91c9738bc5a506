import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type DriverEvents,
  type PublisherApi,
  type PubSubApi,
  ZmqPubSub,
  ZmqPubSubBind,
  ZmqPubSubConnect,
  ZmqPubSubMultiproc,
} from "../../../src/drivers/index.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { Context, type Environment } from "../../../src/sockets/index.ts";
import { useRawPeers } from "../../interop/peers/raw-peer.ts";
import { useChildren } from "../../support/children.ts";
import { sleep, until, within } from "../../support/wait.ts";
import { QUICK, QUIET, rowEvent, useSocketPaths, useWorld } from "../world.ts";

const world = useWorld();
const socketPath = useSocketPaths();
const raw = useRawPeers();
const children = useChildren();

/** The real runtime, with a count of what was taken of it and not given back. */
function counted(): { context: Context; open: () => { timers: number; holds: number } } {
  const node = nodeEnvironment();
  const timers = new Set<object>();
  let holds = 0;
  const environment: Environment = {
    ...node,
    setTimer(milliseconds, callback) {
      const mine = {};
      timers.add(mine);
      const timer = node.setTimer(milliseconds, () => {
        timers.delete(mine);
        callback();
      });
      return {
        cancel() {
          timers.delete(mine);
          timer.cancel();
        },
      };
    },
    hold() {
      const release = node.hold();
      let held = true;
      holds += 1;
      return () => {
        if (held) holds -= 1;
        held = false;
        release();
      };
    },
  };
  return { context: new Context(environment), open: () => ({ timers: timers.size, holds }) };
}

describe("dragonflow.md 3 and 4: the network publisher", () => {
  const make = (options = {}): PublisherApi & { address: string | null } =>
    new ZmqPubSub({ publisherBindAddress: "127.0.0.1", publisherPort: 0, ...options }).getPublisher();

  it("opens nothing until initialize(); sendEvent before it binds (the original's test_publisher_reconnection)", async () => {
    const publisher = make();
    world.onEnd(() => publisher.close());
    expect(publisher.address).toBeNull();
    await Promise.all([publisher.sendEvent(rowEvent("a", "1")), publisher.sendEvent(rowEvent("b", "2"))]);
    expect(publisher.address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    const { address } = publisher;
    await publisher.initialize();
    expect(publisher.address).toBe(address);
    expect(publisher.stats()).toEqual({ sent: 2, dropped: 0, queued: 0 });
  });

  it("initialize() rejects with EADDRINUSE, and succeeds when the address is free", async () => {
    const first = await world.publisher();
    const publisherPort = Number(first.address!.split(":").at(-1));
    const second = make({ publisherPort });
    world.onEnd(() => second.close());
    await expect(second.initialize()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(second.sendEvent(rowEvent("a", "1"))).rejects.toMatchObject({ code: "EADDRINUSE" });
    await first.close();
    await second.initialize();
    expect(second.address).toBe(first.address);
    expect(second.stats().sent).toBe(0);
  });

  it("after close() everything rejects with EBADF, whether it was initialized or not; close() again is harmless", async () => {
    for (const initialized of [true, false]) {
      const publisher = make();
      if (initialized) await publisher.initialize();
      await publisher.close();
      await expect(publisher.initialize()).rejects.toMatchObject({ code: "EBADF" });
      await expect(publisher.sendEvent(rowEvent("a", "1"))).rejects.toMatchObject({ code: "EBADF" });
      await publisher.close();
      expect(publisher.stats().sent).toBe(0);
    }
  });

  it("trySendFrames takes nothing that sendFrames would wait for, or refuse", async () => {
    const [path, options] = [socketPath(), { maxMessageSize: 200, linger: 0 }];
    const network = new ZmqPubSub({
      ...QUICK,
      ...options,
      publisherBindAddress: "127.0.0.1",
      publisherPort: 0,
    });
    const writer = new ZmqPubSubMultiproc({ ...QUICK, ...options, publisherMultiprocSocket: path });
    const controller = await world.controller().start();
    const service = await world.service(path).start();
    for (const [driver, receiver] of [
      [network, controller],
      [writer, service],
    ] as const) {
      const publisher = driver.getPublisher();
      world.onEnd(() => publisher.close());
      expect(publisher.trySendFrames!(world.row("early"))).toBe(false);
      await publisher.initialize();
      await publisher.sendFrames(world.row("none listens"));
      const { address } = publisher as { address?: string | null };
      if (typeof address === "string") receiver.subscriber.registerListenAddress(address);
      await receiver.subscriber.settled();
      expect(publisher.trySendFrames!(world.row("late"))).toBe(true);
      await receiver.has("late");
      expect(receiver.seen).not.toContain("early");
      const { sent } = publisher.stats();
      expect(publisher.trySendFrames!([Buffer.from("D"), Buffer.alloc(201)])).toBe(false);
      await publisher.close();
      expect(publisher.trySendFrames!(world.row("closed"))).toBe(false);
      expect([sent, publisher.stats().sent]).toEqual([2, 2]);
    }
  });

  it("what is no event in two frames is refused: sendFrames rejects, trySendFrames takes nothing", async () => {
    const network = new ZmqPubSub({ ...QUICK, publisherBindAddress: "127.0.0.1", publisherPort: 0 });
    const writer = new ZmqPubSubMultiproc({
      ...QUICK,
      linger: 0,
      onError: () => {},
      publisherMultiprocSocket: socketPath(),
    });
    const topic = Buffer.from("D");
    for (const publisher of [network.getPublisher(), writer.getPublisher()]) {
      world.onEnd(() => publisher.close());
      await publisher.initialize();
      if (publisher === network.getPublisher()) await publisher.sendFrames([topic, topic]);
      const { sent } = publisher.stats();
      for (const wrong of [
        null,
        undefined,
        5,
        [],
        [topic],
        [topic, null],
        [topic, "text"],
        [topic, topic, topic],
      ]) {
        expect(publisher.trySendFrames!(wrong as never)).toBe(false);
        const sending = publisher.sendFrames(wrong as never);
        await expect(sending).rejects.toThrow(TypeError);
      }
      expect(publisher.stats().sent).toBe(sent);
    }
  });

  it("an event over maxMessageSize is refused, for it would cost every subscriber its connection", async () => {
    const publisher = await world.publisher(0, { maxMessageSize: 200 });
    const controller = await world.controller({ maxMessageSize: 200 }).start([publisher.address!]);
    await expect(publisher.sendEvent(rowEvent("large", "x".repeat(200)))).rejects.toMatchObject({
      code: "EMSGSIZE",
    });
    await world.write(publisher, "small");
    await controller.has("small");
    await controller.isMended(0, 0);
  });

  it("tells of its subscribers", async () => {
    const publisher = await world.publisher();
    const heard: string[] = [];
    for (const type of ["connected", "lost"] as const)
      publisher.events.on(type, ({ address }) => heard.push(`${type} ${address}`));
    const controller = await world.controller().start([publisher.address!]);
    await controller.subscriber.close();
    await until("it has left", () => heard.length === 2);
    expect(heard).toEqual([`connected ${publisher.address}`, `lost ${publisher.address}`]);
  });
});

describe("dragonflow.md 3 and 4: the writer's publisher", () => {
  const make = (path: string, options = {}): PublisherApi =>
    new ZmqPubSubMultiproc({ publisherMultiprocSocket: path, ...options }).getPublisher();

  it("connects lazily: not at initialize(), but at the first event, which may come before the service", async () => {
    const path = socketPath();
    const listener = await raw.listen(path);
    const publisher = make(path);
    world.onEnd(() => publisher.close());
    await publisher.initialize();
    await sleep(200);
    expect(listener.accepted).toBe(0);
    await publisher.sendEvent(rowEvent("a", "1"));
    await listener.accept();
    expect(listener.accepted).toBe(1);
    await listener.close();

    const later = socketPath();
    const early = make(later, { wireForm: "map" });
    world.onEnd(() => early.close());
    await world.write(early, "before the service");
    const service = await world.service(later).start();
    await service.has("before the service");
  });

  it("close() ends in bounded time with events that nobody takes; afterwards EBADF (defect 11)", async () => {
    const errors: unknown[] = [];
    const publisher = make(socketPath(), { linger: 300, onError: (error: unknown) => errors.push(error) });
    const dropped: unknown[] = [];
    publisher.events.on("dropped", (event) => dropped.push(event));
    await publisher.sendEvent(rowEvent("a", "1"));
    expect(publisher.stats()).toEqual({ sent: 1, dropped: 0, queued: 1 });
    await within(5000, "close()", publisher.close());
    await publisher.close();
    expect(publisher.stats()).toEqual({ sent: 1, dropped: 1, queued: 0 });
    expect(dropped).toEqual([{ type: "dropped", count: 1 }]);
    expect(errors).toMatchObject([{ code: "EAGAIN", message: "closed with 1 event(s) that nobody took" }]);
    await expect(publisher.initialize()).rejects.toMatchObject({ code: "EBADF" });
    await expect(publisher.sendEvent(rowEvent("a", "1"))).rejects.toMatchObject({ code: "EBADF" });
  });

  it("close() sends what is queued, when there is somebody to take it", async () => {
    const path = socketPath();
    const service = await world.service(path).start();
    const publisher = make(path, { wireForm: "map" });
    for (let i = 0; i < 500; i += 1) await world.write(publisher, `row ${i}`);
    await publisher.close();
    await service.has("row 499");
    await service.isMended(0, 0);
  });
});

describe("dragonflow.md 3 and 4: the service's ear", () => {
  it("binds at daemonize(), hears everything whatever the topics, and unlinks its path at close() (defect 12, 13)", async () => {
    const path = socketPath();
    const service = world.service(path);
    expect(service.subscriber.registerTopic("only this")).toBe(true);
    expect(service.subscriber.registerTopic("only this")).toBe(false);
    expect(service.subscriber.registerListenAddress("ipc:///elsewhere")).toBe(true);
    expect(service.subscriber.registerListenAddress("ipc:///elsewhere")).toBe(false);
    expect(service.subscriber.unregisterListenAddress("ipc:///nowhere")).toBe(false);
    expect(service.subscriber.unregisterTopic("none")).toBe(false);
    expect(existsSync(path)).toBe(false);
    await service.start();
    expect(existsSync(path)).toBe(true);
    const publisher = new ZmqPubSubMultiproc({
      publisherMultiprocSocket: path,
      wireForm: "map",
    }).getPublisher();
    world.onEnd(() => publisher.close());
    await world.write(publisher, "row", "another topic");
    await service.has("row");
    await service.subscriber.close();
    expect(existsSync(path)).toBe(false);
  });

  it("daemonize() rejects with the system's error, and can be tried again", async () => {
    const path = socketPath();
    const first = await world.service(path).start();
    const second = world.service(path);
    await second.subscriber.initialize(() => {});
    await expect(second.subscriber.daemonize()).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(second.subscriber.isDaemonize).toBe(false);
    await first.subscriber.close();
    await second.subscriber.daemonize();
    expect(second.subscriber.isDaemonize).toBe(true);
    const nowhere = world.service("/nowhere/at/all");
    await nowhere.subscriber.initialize(() => {});
    await expect(nowhere.subscriber.daemonize()).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("a service that was killed leaves a file that the next one replaces (defect 13)", async () => {
    const path = socketPath();
    const child = children.start(process.execPath, [
      "-e",
      `require("node:net").createServer().listen(${JSON.stringify(path)}, () => console.log("listens"))`,
    ]);
    await child.line(/listens/);
    await child.kill();
    expect(existsSync(path)).toBe(true);
    const service = await world.service(path).start();
    expect(service.subscriber.isDaemonize).toBe(true);
  });
});

describe("DESIGN 7: a subscriber's start and end", () => {
  const ends: [string, () => PubSubApi][] = [
    ["network", () => new ZmqPubSub(QUICK)],
    ["multiproc", () => new ZmqPubSubMultiproc({ ...QUICK, publisherMultiprocSocket: socketPath() })],
  ];

  it.each(ends)(
    "%s: daemonize() before initialize() is EFSM; after close() all is EBADF",
    async (_, make) => {
      const subscriber = make().getSubscriber();
      expect(() => subscriber.daemonize()).toThrow(expect.objectContaining({ code: "EFSM" }));
      expect(subscriber.isDaemonize).toBe(false);
      await expect(subscriber.initialize(undefined as never)).rejects.toThrow(TypeError);
      await subscriber.initialize(() => {});
      await subscriber.daemonize();
      expect(subscriber.isDaemonize).toBe(true);
      await subscriber.close();
      await subscriber.close();
      expect(subscriber.isDaemonize).toBe(false);
      const closed = expect.objectContaining({ code: "EBADF" });
      expect(() => subscriber.daemonize()).toThrow(closed);
      expect(() => subscriber.registerTopic("t")).toThrow(closed);
      expect(() => subscriber.unregisterTopic("t")).toThrow(closed);
      expect(() => subscriber.registerListenAddress("tcp://127.0.0.1:1")).toThrow(closed);
      expect(() => subscriber.unregisterListenAddress("tcp://127.0.0.1:1")).toThrow(closed);
      await expect(subscriber.initialize(() => {})).rejects.toEqual(closed);
      await expect(subscriber.settled()).rejects.toEqual(closed);
    },
  );

  it("close() while daemonize() and settled() wait: both reject with EBADF", async () => {
    const { subscriber } = world.controller();
    await subscriber.initialize(() => {});
    subscriber.registerListenAddress("tcp://127.0.0.1:1");
    const waiting = Promise.allSettled([subscriber.daemonize(), subscriber.settled()]);
    await sleep(50);
    await subscriber.close();
    expect(await waiting).toMatchObject([{ reason: { code: "EBADF" } }, { reason: { code: "EBADF" } }]);
  });

  it("after close() no callback is called, whatever waits and whatever comes (defect 9)", async () => {
    const publisher = await world.publisher();
    const controller = world.controller();
    let release = (): void => {};
    controller.before = () => new Promise<void>((resolve) => (release = resolve));
    await controller.start([publisher.address!]);
    for (let i = 0; i < 10; i += 1) await world.write(publisher, `row ${i}`);
    await until("they have come", () => controller.subscriber.stats().queued === 10);
    await controller.subscriber.close();
    release();
    await world.write(publisher, "after");
    await publisher.close();
    await sleep(QUIET);
    expect(controller.seen).toEqual(["row 0"]);
    expect(controller.errors).toEqual([]);
  });

  it.each(["row", "sync"])(
    "close() from within the callback of a %s does not wait for itself",
    async (what) => {
      const publisher = await world.publisher();
      const controller = world.controller();
      let closed = false;
      controller.before = async (seen) => {
        if (seen !== what) return;
        await controller.subscriber.close();
        closed = true;
      };
      await controller.start([publisher.address!]);
      if (what === "row") await world.write(publisher, "row");
      else await publisher.sendFrames([Buffer.from("D"), Buffer.from("c1", "hex")]);
      await until("it is closed", () => closed);
      await sleep(50);
      expect(controller.seen).toEqual([what]);
    },
  );

  it("close() leaves no timer, nothing that keeps the process alive, and no connection", async () => {
    const { context, open } = counted();
    const publisher = await world.publisher();
    const lost: string[] = [];
    publisher.events.on("lost", ({ reason }) => lost.push(reason));
    const controller = world.controller({ context, syncPeriod: 100, startTimeout: 300, settleTime: 2000 });
    await controller.start([publisher.address!, "tcp://127.0.0.1:1"]);
    controller.subscriber.registerTopic("late");
    expect(open().timers).toBeGreaterThan(1);
    expect(open().holds).toBeGreaterThan(0);
    await controller.subscriber.close();
    expect(open()).toEqual({ timers: 0, holds: 0 });
    await until("the publisher has seen it go", () => lost.length === 1);

    const path = socketPath();
    const both = new ZmqPubSubMultiproc({
      ...QUICK,
      context,
      publisherMultiprocSocket: path,
      sendHighWaterMark: 1,
      sendTimeout: 50,
      linger: 0,
      onError: () => {},
    });
    const writer = both.getPublisher();
    await writer.sendEvent(rowEvent("queued", "1"));
    await expect(writer.sendEvent(rowEvent("refused", "1"))).rejects.toMatchObject({ code: "EAGAIN" });
    await sleep(100); // the sync event was refused once, and waits to be tried again
    await writer.close();
    const ear = both.getSubscriber();
    await ear.initialize(() => {});
    await ear.daemonize();
    await ear.close();
    await until("nothing is left", () => open().timers === 0 && open().holds === 0, 2000);
  });

  it("daemonize() leaves no timer of its own behind", async () => {
    const { context, open } = counted();
    const controller = world.controller({ context, heartbeatInterval: 0, startTimeout: 60_000 });
    await controller.start();
    expect(open()).toEqual({ timers: 0, holds: 1 });
  });
});

describe("DESIGN 7: a daemonized subscriber keeps its process alive, and close() lets it end", () => {
  it("with a publisher, and without", async () => {
    const publisher = await world.publisher();
    const options = JSON.stringify({ startTimeout: 5000 });
    const child = children.node("test/drivers/programs/controller.ts", [publisher.address!, options]);
    await child.line(/^daemonized$/, 30_000);
    child.write("leave");
    await child.line(/^left$/);
    await sleep(1000);
    expect(child.exit).toBeNull();
    await world.write(publisher, "still there");
    await child.line(/^event still there$/);
    await child.kill();

    const other = children.node("test/drivers/programs/controller.ts", [publisher.address!, options]);
    await other.line(/^daemonized$/, 30_000);
    other.write("close");
    expect(await within(10_000, "its end", other.exited)).toEqual({ code: 0, signal: null });
  }, 60_000);
});

describe("DESIGN 7: what goes wrong without an onError is a process warning, rate-limited", () => {
  it("one in ten seconds, with the count of those left out", async () => {
    const warnings: string[] = [];
    let now = 0;
    const environment = { ...nodeEnvironment(), warn: (message: string) => void warnings.push(message) };
    const clock = environment.now;
    const context = new Context({ ...environment, now: () => clock() + now });
    const publisher = await world.publisher();
    const subscriber = new ZmqPubSub({ ...QUICK, context }).getSubscriber();
    world.onEnd(() => subscriber.close());
    await subscriber.initialize(() => {});
    subscriber.registerTopic("D");
    subscriber.registerListenAddress(publisher.address!);
    await subscriber.daemonize();
    const bad = async (count: number): Promise<void> => {
      for (let i = 0; i < 5; i += 1) await publisher.sendFrames([Buffer.from("D"), Buffer.from("c1", "hex")]);
      await until("they were read", () => subscriber.stats().undecodable === count);
    };
    await bad(5);
    expect(warnings).toEqual(["dragonflow subscriber: MessagePack: type 0xc1 is not accepted"]);
    now = 10_001;
    await bad(10);
    expect(warnings.slice(1)).toEqual([
      "dragonflow subscriber: MessagePack: type 0xc1 is not accepted (and 4 more before)",
    ]);
  });
});

describe("DESIGN 7: events and stats", () => {
  it("a subscriber tells of connections, losses, gaps and syncs", async () => {
    const publisher = await world.publisher();
    const address = publisher.address!;
    const controller = await world.controller().start([address]);
    await publisher.sendFrames([Buffer.from("D"), Buffer.from("c1", "hex")]);
    await controller.heard("sync");
    await publisher.close();
    await controller.heard("lost");
    await world.again(publisher);
    await controller.heard("sync", 2);
    const told = controller.events.map((event) => {
      if (event.type === "decodeError") return { type: event.type };
      const { retryIn: _, ...rest } = event as DriverEvents["lost"];
      return rest;
    });
    expect(told).toEqual([
      { type: "connected", address },
      { type: "inForce", address },
      { type: "decodeError" },
      { type: "gap", reason: "decode", address },
      { type: "sync", reasons: ["decode"], periodic: false },
      { type: "lost", address, reason: "peer" },
      { type: "gap", reason: "lost", address },
      { type: "connected", address },
      { type: "inForce", address },
      { type: "sync", reasons: ["lost"], periodic: false },
    ]);
    expect(controller.of("lost")[0]!.retryIn).toBeGreaterThanOrEqual(0);
    expect(controller.subscriber.stats()).toEqual({
      delivered: 0,
      filtered: 0,
      undecodable: 1,
      failed: 0,
      syncs: 2,
      periodicSyncs: 0,
      queued: 0,
    });
  });

  it("the two-in-one drivers of the last Dragonflow: a writer's event through the service to a controller", async () => {
    const path = socketPath();
    const options = { ...QUICK, publisherMultiprocSocket: path };
    const service = new ZmqPubSubBind({ ...options, publisherBindAddress: "127.0.0.1", publisherPort: 0 });
    const other = new ZmqPubSubConnect(options);
    const ends = [
      service.getPublisher(),
      service.getSubscriber(),
      other.getPublisher(),
      other.getSubscriber(),
    ];
    for (const end of ends) world.onEnd(() => end.close());
    expect(service.getPublisher()).toBe(service.getPublisher());
    expect(other.getSubscriber()).toBe(other.getSubscriber());
    await service.getPublisher().initialize();
    await service.getSubscriber().initializeFrames((_event, frames) => {
      if (frames !== null) return service.getPublisher().sendFrames(frames);
    });
    await service.getSubscriber().daemonize();
    const seen: unknown[][] = [];
    await other.getSubscriber().initialize((...call) => seen.push(call));
    other.getSubscriber().registerTopic("D");
    other.getSubscriber().registerListenAddress(service.getPublisher().address!);
    await other.getSubscriber().daemonize();
    await other.getPublisher().sendEvent(rowEvent("key", "value"));
    await until("it has come", () => seen.length > 0);
    expect(seen).toEqual([["lport", "key", "set", "value", "D"]]);
  });
});
