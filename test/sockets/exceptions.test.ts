import { describe, expect, it } from "vitest";
import { Courier } from "../../src/sockets/context/courier.ts";
import { Flusher } from "../../src/sockets/context/flusher.ts";
import { Scheduler } from "../../src/sockets/context/scheduler.ts";
import { drain, trapRejections, World } from "../support/sim-sockets.ts";

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
