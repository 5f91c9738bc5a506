import { statSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import {
  type DriverEvents,
  type PublisherApi,
  type ZmqOptions,
  ZmqPubSubMultiproc,
} from "../../../src/drivers/index.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { Context } from "../../../src/sockets/index.ts";
import { bytes, GREETING_3_1, type RawFrame } from "../../interop/peers/bytes.ts";
import { type RawListener, type RawPeer, useRawPeers } from "../../interop/peers/raw-peer.ts";
import { sleep, until } from "../../support/wait.ts";
import { QUICK, useSocketPaths, useWorld } from "../world.ts";

const world = useWorld();
const socketPath = useSocketPaths();
const raw = useRawPeers();

const errors: unknown[] = [];
afterEach(() => errors.splice(0));

function writer(publisherMultiprocSocket: string, options: ZmqOptions = {}): PublisherApi {
  const publisher = new ZmqPubSubMultiproc({
    ...QUICK,
    publisherMultiprocSocket,
    linger: 0,
    onError: (error) => errors.push(error),
    ...options,
  }).getPublisher();
  world.onEnd(() => publisher.close());
  return publisher;
}

describe("DESIGN 7, loss: an ipc message cut, refused or undecodable at the service", () => {
  const limit = { maxMessageSize: 1000 };

  it("cut by the writer's end: one sync, covering what it wrote; other writers are not disturbed", async () => {
    const path = socketPath();
    const service = await world.service(path).start();
    const good = writer(path);
    await world.write(good, "before");
    const dying = await raw.connect(`ipc://${path}`);
    await dying.shake("PUSH");
    world.change("cut");
    dying.write(bytes("01 01 'D' 00 20 'half of'"));
    await service.has("before");
    dying.end();
    await service.isMended(1);
    expect(service.reasons).toEqual([["dropped"]]);
    expect(service.errors).toMatchObject([{ code: "ERR_ZMTP_TRUNCATED" }]);
    await world.write(good, "after");
    await service.has("after");
    expect(service.of("lost")).toHaveLength(1);
  });

  it("a message cut between its frames counts too", async () => {
    const path = socketPath();
    const service = await world.service(path).start();
    const dying = await raw.connect(`ipc://${path}`);
    await dying.shake("PUSH");
    world.change("cut");
    dying.write(bytes("01 01 'D'"));
    dying.end();
    await service.isMended(1);
  });

  it("over-sized: refused before it is received, one sync", async () => {
    const path = socketPath();
    const service = await world.service(path, limit).start();
    const careless = await raw.connect(`ipc://${path}`);
    await careless.shake("PUSH");
    world.change("large");
    careless.write(bytes("01 01 'D' 02 00*6 03 E9"));
    expect(["end", "reset"]).toContain(await careless.ended);
    await service.isMended(1);
    expect(service.errors).toMatchObject([{ code: "ERR_ZMTP_FRAME_TOO_LARGE" }]);
  });

  it("undecodable: one sync; the writer stays connected, and nothing is bound anew (defect 3, 12)", async () => {
    const path = socketPath();
    const service = await world.service(path).start();
    const { ino } = statSync(path);
    const careless = await raw.connect(`ipc://${path}`);
    await careless.shake("PUSH");
    world.change("undecodable");
    careless.message("D", bytes("C1"));
    careless.message(...world.row("after"));
    await service.has("after");
    await service.isMended(1);
    expect(service.reasons).toEqual([["decode"]]);
    expect(careless.open).toBe(true);
    expect(statSync(path).ino).toBe(ino);
  });

  it.each([
    ["sends no greeting", (peer: { write(data: Uint8Array): void }) => peer.write(bytes("00*64"))],
    ["is no PUSH", (peer) => peer.write(bytes("G R-PUB"))],
    ["breaks off in its greeting", (peer) => peer.write(GREETING_3_1.subarray(0, 20))],
    ["breaks the framing before READY", (peer) => peer.write(bytes("G FF FF"))],
  ] as [string, (peer: { write(data: Uint8Array): void }) => void][])(
    "who %s has not got as far as to lose anything: no sync",
    async (_, intrude) => {
      const path = socketPath();
      const service = await world.service(path).start();
      const peer = await raw.connect(`ipc://${path}`);
      intrude(peer);
      await sleep(100);
      peer.end();
      await service.heard("lost");
      await service.isMended(0);
    },
  );

  it("writers that come and go in good order give no sync", async () => {
    const path = socketPath();
    const service = await world.service(path).start();
    for (let i = 0; i < 5; i += 1) {
      const publisher = writer(path, { linger: 5000 });
      await world.write(publisher, `row ${i}`);
      await publisher.close();
    }
    await service.has("row 4");
    await service.heard("lost", 5);
    await service.isMended(0);
    expect(service.seen).toEqual(["row 0", "row 1", "row 2", "row 3", "row 4"]);
  });

  it("a sync event of a writer counts as the subscriber's own; a forwarder is given it as an event", async () => {
    const path = socketPath();
    const service = await world.service(path).start();
    const peer = await raw.connect(`ipc://${path}`);
    await peer.shake("PUSH");
    world.change("a writer lost it");
    peer.message(
      "D",
      bytes("85 A5 'table' C0 A3 'key' C0 A6 'action' A4 'sync' A5 'value' C0 A5 'topic' A1 'D'"),
    );
    await service.isMended(1);
    expect(service.reasons).toEqual([["dropped"]]);

    const forwarded: (string | null)[] = [];
    await service.subscriber.initializeFrames((event) => forwarded.push(event?.action ?? null));
    peer.message(
      "D",
      bytes("85 A5 'table' C0 A3 'key' C0 A6 'action' A4 'sync' A5 'value' C0 A5 'topic' A1 'D'"),
    );
    await until("it was forwarded", () => forwarded.length > 0);
    await sleep(400);
    expect(forwarded).toEqual(["sync"]);
  });
});

describe("DESIGN 7, loss: a writer's sendEvent was refused or timed out", () => {
  const dropped = (publisher: PublisherApi): DriverEvents["dropped"][] => {
    const seen: DriverEvents["dropped"][] = [];
    publisher.events.on("dropped", (event) => seen.push(event));
    return seen;
  };

  it("timed out for want of a service: it rejects, and one sync event follows behind what was queued", async () => {
    const path = socketPath();
    const publisher = writer(path, { sendHighWaterMark: 2, sendTimeout: 200 });
    const seen = dropped(publisher);
    await world.write(publisher, "queued 1");
    await world.write(publisher, "queued 2");
    const refused = ["timed out 1", "timed out 2"].map((key) => world.write(publisher, key));
    for (const one of refused) await expect(one).rejects.toMatchObject({ code: "EAGAIN" });
    expect(seen).toEqual([
      { type: "dropped", count: 1 },
      { type: "dropped", count: 1 },
    ]);
    expect(publisher.stats()).toMatchObject({ sent: 2, dropped: 2, queued: 2 });

    const service = await world.service(path).start();
    await service.isMended(1);
    expect(service.seen).toEqual(["queued 1", "queued 2", "sync"]);
    await world.write(publisher, "after");
    await service.has("after");
  });

  it.each([
    ["sendTimeout 0", { sendHighWaterMark: 1, sendTimeout: 0 }, "EAGAIN", 1],
    ["more calls waiting than may wait", { sendHighWaterMark: 1, sendTimeout: 15_000 }, "EBUSY", 1001],
  ])(
    "%s: it rejects at once and holds up nothing else; the sync event comes later",
    async (_, options, code, waiting) => {
      const path = socketPath();
      const publisher = writer(path, options);
      await world.write(publisher, "queued");
      const calls: Promise<void>[] = [];
      for (let i = 0; i < waiting; i += 1) calls.push(world.write(publisher, "not sent"));
      const results = Promise.allSettled(calls);
      await expect(calls.at(-1)).rejects.toMatchObject({ code });
      await sleep(50); // the event loop is free

      const service = await world.service(path).start();
      await service.isMended(1, 1500);
      await results;
    },
  );

  it("over maxMessageSize: it rejects with EMSGSIZE instead of costing the connection, and a sync event follows", async () => {
    const path = socketPath();
    const service = await world.service(path, { maxMessageSize: 1000 }).start();
    const publisher = writer(path, { maxMessageSize: 1000 });
    world.padding = "x".repeat(1000);
    await expect(world.write(publisher, "large")).rejects.toMatchObject({ code: "EMSGSIZE" });
    await service.isMended(1);
    expect(service.of("lost")).toEqual([]);
    world.padding = "";
    await world.write(publisher, "small");
    await service.has("small");
  });

  it("what is no event is refused with a TypeError and gives no sync: nobody could have been told", async () => {
    const path = socketPath();
    const service = await world.service(path).start();
    const publisher = writer(path);
    await expect(publisher.sendEvent({ table: 1 } as never)).rejects.toThrow(TypeError);
    await world.write(publisher, "good");
    await service.has("good");
    await service.isMended(0);
  });

  it("refused by the service: reported, what was queued counts as dropped, and it is asked again after 60 s", async () => {
    const path = socketPath();
    const timers: [number, () => void][] = [];
    const node = nodeEnvironment();
    const environment = {
      ...node,
      setTimer: (ms: number, callback: () => void) => {
        if (ms !== 60_000) return node.setTimer(ms, callback);
        timers.push([ms, callback]);
        return { cancel: () => {} };
      },
    };
    const publisher = writer(path, { context: new Context(environment) });
    const seen = dropped(publisher);
    const lost: DriverEvents["lost"][] = [];
    publisher.events.on("lost", (event) => lost.push(event));
    const listener = await raw.listen(path);
    await world.write(publisher, "queued for whom refuses");
    const peer = await listener.accept();
    peer.write(GREETING_3_1);
    await peer.read(64);
    peer.command("ERROR", bytes("04 'away'"));
    await until("it is lost", () => lost.length > 0);
    expect(lost).toMatchObject([{ reason: "refused", retryIn: 60_000, error: { reason: "away" } }]);
    expect(errors).toMatchObject([{ name: "RefusedError" }]);
    expect(seen).toEqual([{ type: "dropped", count: 1 }]);
    await listener.close();

    const service = await world.service(path).start();
    expect(timers).toHaveLength(1);
    timers[0]![1]();
    await service.isMended(1);
    await world.write(publisher, "after");
    await service.has("after");
  });
});

describe("DESIGN 7, loss: a writer hands an event to a connection that has ended, and does not know yet", () => {
  const payload = (frame: RawFrame): string => frame.body.toString("latin1");

  /** A service that has received a first event, and can end without the writer's knowing. */
  async function service(publisher: PublisherApi, listener: RawListener): Promise<RawPeer> {
    await world.write(publisher, "received");
    const peer = await listener.accept();
    await peer.shake("PULL");
    await peer.frame();
    expect(payload(await peer.frame())).toContain("received");
    return peer;
  }

  it("the service is there at the first attempt: it has not been missed, so a sync event comes before what is sent then", async () => {
    const path = socketPath();
    const publisher = writer(path);
    let connections = 0;
    publisher.events.on("connected", () => (connections += 1));
    const listener = await raw.listen(path);
    const before = await service(publisher, listener);
    before.destroy();
    await world.write(publisher, "into a dead connection");
    const after = await listener.accept();
    await after.shake("PULL");
    // What is sent before the writer has seen the handshake leaves ahead of the sync event, and may.
    await until("the writer is connected again", () => connections === 2);
    await world.write(publisher, "after");
    let came = "";
    while (!came.includes("after")) came += payload(await after.frame());
    expect(came).toContain("sync");
  });

  it("the service is away at first: all who hear it will see it come back, and no sync event is sent", async () => {
    const path = socketPath();
    const publisher = writer(path);
    const lost: DriverEvents["lost"][] = [];
    publisher.events.on("lost", (event) => lost.push(event));
    const listener = await raw.listen(path);
    await service(publisher, listener);
    const closed = listener.close();
    await world.write(publisher, "into a dead connection");
    await closed;
    await until("it is lost", () => lost.length > 0);
    await sleep(100);
    const again = await raw.listen(path);
    const after = await again.accept();
    await after.shake("PULL");
    await world.write(publisher, "after");
    await after.frame();
    expect(payload(await after.frame())).toContain("after");
  });

  it("nothing was handed over of late: no sync event", async () => {
    const path = socketPath();
    const publisher = writer(path);
    const listener = await raw.listen(path);
    const before = await service(publisher, listener);
    await sleep(1100);
    before.destroy();
    const after = await listener.accept();
    await after.shake("PULL");
    await world.write(publisher, "after");
    await after.frame();
    expect(payload(await after.frame())).toContain("after");
  });
});
