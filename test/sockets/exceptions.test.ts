import { describe, expect, it } from "vitest";
import { Courier } from "../../src/sockets/context/courier.ts";
import { Flusher } from "../../src/sockets/context/flusher.ts";
import { Scheduler } from "../../src/sockets/context/scheduler.ts";
import { coreOf } from "../../src/sockets/core.ts";
import { Connection } from "../../src/zmtp/index.ts";
import { drain, eventsOf, message, trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

const fault = (): never => {
  throw new Error("a fault");
};

describe("E40: what throws in the background ends nothing but itself, and is an uncaught exception", () => {
  it("inproc: bytes that their owner has given away", async () => {
    const world = new World();
    const pairs = ["inproc://a", "inproc://b"].map((address) => ({
      push: world.push(),
      pull: world.pull(),
      address,
    }));
    for (const { push, pull, address } of pairs) {
      await world.bind(pull, address);
      push.connect(address);
    }
    const [first, second] = pairs as [(typeof pairs)[0], (typeof pairs)[0]];
    const body = new Uint8Array(10);
    first.push.trySend(body);
    first.push.trySend("behind it");
    second.push.trySend("beside it");
    structuredClone(body, { transfer: [body.buffer] });
    await expect(world.settle()).rejects.toThrow(/detached/);
    await world.settle();
    expect(await drain(first.pull)).toEqual(["behind it"]);
    expect(await drain(second.pull)).toEqual(["beside it"]);
    expect(first.push.stats()).toMatchObject({ sent: 1, dropped: 1, queued: 0 });
    first.push.trySend("later");
    await world.settle();
    expect(await drain(first.pull)).toEqual(["later"]);
    await world.run(Promise.all(pairs.flatMap(({ push, pull }) => [push.close(), pull.close()])));
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });

  it.each([
    ["flush", Flusher],
    ["deliver", Courier],
  ])("%s: the others have their turn, and so has the next", async (_, Tasks) => {
    const world = new World();
    const tasks = new Tasks(world.environment);
    const done: string[] = [];
    tasks.add({ flush: fault });
    tasks.add({ flush: () => done.push("beside it") });
    await expect(world.settle()).rejects.toThrow("a fault");
    await world.settle();
    tasks.add({ flush: () => done.push("later") });
    await world.settle();
    expect(done).toEqual(["beside it", "later"]);
  });

  it("deadlines: the others are met, and it has its next one", async () => {
    const world = new World();
    const scheduler = new Scheduler(world.environment);
    const ticks: string[] = [];
    const timed = (name: string, act: () => void) => {
      const item = {
        wakeAt: world.time + 100,
        tick(now: number): void {
          ticks.push(name);
          item.wakeAt = now + 100;
          act();
        },
      };
      scheduler.schedule(item);
    };
    timed("faulty", fault);
    timed("good", () => {});
    for (let i = 0; i < 2; i += 1) {
      await expect(world.advance(115)).rejects.toThrow("a fault");
      await world.settle();
    }
    expect(ticks).toEqual(["faulty", "good", "faulty", "good"]);
  });
});

describe("E40: a fault of ours while a connection is read", () => {
  it.each([true, false])(
    "ends that connection and no other, and is an uncaught exception; handshake complete: %s",
    async (isReady) => {
      const world = new World();
      const pull = world.pull();
      const events = eventsOf(pull);
      await world.bind(pull);
      const good = (await world.dialRaw("sim://a")).greet("PUSH");
      await world.settle();
      events.length = 0;
      const peer = await world.dialRaw("sim://a");
      await world.settle();
      const { pattern } = coreOf(pull);
      if (isReady) pattern.message = fault;
      else pattern.attach = fault;
      peer.greet("PUSH").write(message("never handed out"), message("nor this"));
      await expect(world.settle()).rejects.toThrow("a fault");
      await world.settle();
      Reflect.deleteProperty(pattern, isReady ? "message" : "attach");
      expect(peer.ends).toEqual([null]);
      expect(events.at(-1)).toMatchObject({
        type: "disconnect",
        reason: "reset",
        error: { message: "a fault" },
      });
      good.write(message("beside it"));
      await world.settle();
      expect(await drain(pull)).toEqual(["beside it"]);
      await world.run(pull.close());
      expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    },
  );

  it("a deadline that fails ends its connection", async () => {
    const world = new World();
    const pull = world.pull({ heartbeatInterval: 100 });
    const events = eventsOf(pull);
    await world.bind(pull);
    (await world.dialRaw("sim://a")).greet("PUSH");
    await world.settle();
    const { tick } = Connection.prototype;
    Connection.prototype.tick = fault;
    try {
      await expect(world.advance(200)).rejects.toThrow("a fault");
    } finally {
      Connection.prototype.tick = tick;
    }
    await world.settle();
    expect(events.at(-1)).toMatchObject({ type: "disconnect", reason: "reset" });
    await world.run(pull.close());
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });
});
