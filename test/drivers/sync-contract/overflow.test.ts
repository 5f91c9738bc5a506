import { describe, expect, it } from "vitest";
import type { ZmqPublisher } from "../../../src/drivers/zmq/zmq-publisher.ts";
import { until } from "../../support/wait.ts";
import { type Controller, useWorld } from "../world.ts";

describe("DESIGN 7, loss: our PUB's queue for a subscriber is full (defect 11)", () => {
  const world = useWorld();

  /** One whose callback hangs until it is released, and one that keeps up. */
  async function twoControllers(publisher: ZmqPublisher) {
    const address = publisher.address!;
    const slow = world.controller({ sendHighWaterMark: 10 });
    let release = (): void => {};
    const hangs = new Promise<void>((resolve) => (release = resolve));
    slow.before = () => hangs;
    const quick = await world.controller().start([address]);
    await slow.start([address]);
    return { slow, quick, release };
  }

  /** Publishes large rows, which fill TCP's own buffers too, until the condition holds. */
  async function flood(publisher: ZmqPublisher, quick: Controller, enough: () => boolean): Promise<void> {
    world.padding = "x".repeat(256 * 1024);
    let written = 0;
    await until(
      "the queue is full",
      async () => {
        for (let i = 0; i < 4; i += 1) await world.write(publisher, `row ${(written + i) % 7}`);
        written += 4;
        await until("the quick one keeps up", () => quick.seen.length >= written);
        return enough();
      },
      30_000,
    );
  }

  it("overflow: disconnect: a hanging callback costs its subscriber the connection, and one sync mends its copy", async () => {
    const errors: unknown[] = [];
    const publisher = await world.publisher(0, { sendHighWaterMark: 10, onError: (e) => errors.push(e) });
    const lost: string[] = [];
    const dropped: number[] = [];
    publisher.events.on("lost", ({ reason }) => lost.push(reason));
    publisher.events.on("dropped", ({ count }) => dropped.push(count));
    const { slow, quick, release } = await twoControllers(publisher);
    await flood(publisher, quick, () => lost.length > 0);
    expect(lost).toEqual(["overflow"]);
    expect(errors).toMatchObject([{ code: "ENOBUFS", address: publisher.address }]);
    // What was queued, the event that found no room, and those that came before the connection was gone.
    expect(publisher.stats().dropped).toBeGreaterThanOrEqual(11);
    expect(dropped).toEqual([]); // told to those who would answer it by a sync for everybody: this subscriber knows by itself

    release();
    await slow.isMended(1);
    expect(slow.reasons).toEqual([["lost"]]);
    await quick.isMended(0, 0);
    await world.write(publisher, "after");
    await slow.has("after");
  }, 40_000);

  it("overflow: drop: it stays connected, misses events, and nothing tells it; the publisher counts", async () => {
    const publisher = await world.publisher(0, { sendHighWaterMark: 10, overflow: "drop" });
    let dropped = 0;
    publisher.events.on("dropped", ({ count }) => (dropped += count));
    const { slow, quick, release } = await twoControllers(publisher);
    await flood(publisher, quick, () => publisher.stats().dropped >= 20);
    release();
    world.padding = "";
    await until("it has room again", async () => {
      await world.write(publisher, "after");
      return slow.seen.includes("after");
    });
    expect(slow.of("lost")).toEqual([]);
    expect(dropped).toBe(publisher.stats().dropped);
    expect(slow.syncs).toBe(0);
    expect(slow.seen.length).toBeLessThan(quick.seen.length);
  }, 40_000);
});
