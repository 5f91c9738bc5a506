import { describe, expect, it } from "vitest";
import { type Child, useChildren } from "../../support/children.ts";
import { sleep, until as wait } from "../../support/wait.ts";
import { RemotePublisher } from "../remote-publisher.ts";
import { QUICK, QUIET, useWorlds } from "../world.ts";

const SHORT = { heartbeatInterval: 1000, heartbeatTimeout: 2000 };
const TIMINGS = [
  ["the drivers' defaults", {}],
  ["heartbeats of 1000/2000 ms", SHORT],
] as const;

describe.concurrent("DESIGN 7, no sync without a possible loss", () => {
  const newWorld = useWorlds();
  const children = useChildren("file");

  /** A controller in a process of its own, with everything in force. */
  async function controller(address: string, options: object): Promise<{ child: Child; heard: string[] }> {
    const child = children.node("test/drivers/programs/controller.ts", [
      address,
      JSON.stringify({ ...QUICK, ...options }),
    ]);
    await child.line(/^daemonized$/, 30_000);
    const heard: string[] = [];
    child.onLine((line) => heard.push(line));
    return { child, heard };
  }

  async function until(heard: readonly string[], line: string): Promise<void> {
    await wait(line, () => heard.includes(line), 20_000);
  }

  it.each(TIMINGS)(
    "an event loop blocked for 3 s, with %s: all events come, in order",
    async (_, options) => {
      const world = newWorld();
      const publisher = await world.publisher();
      const { child, heard } = await controller(publisher.address!, options);
      child.write("block 3000");
      await until(heard, "blocking");
      await sleep(500);
      for (let i = 0; i < 3; i += 1) await world.write(publisher, `row ${i}`);
      await until(heard, "event row 2");
      await sleep(QUIET + (options === SHORT ? 2500 : 0));
      await world.write(publisher, "after");
      await until(heard, "event after");
      const events = ["event row 0", "event row 1", "event row 2", "event after"];
      expect(heard).toEqual(["blocking", "unblocked", ...events]);
    },
    60_000,
  );

  it.each(TIMINGS)(
    "a controller stopped (SIGSTOP) for longer than the heartbeat, with %s",
    async (_, options) => {
      const world = newWorld();
      const publisher = await world.publisher();
      const { child, heard } = await controller(publisher.address!, options);
      child.signal("SIGSTOP");
      for (let i = 0; i < 3; i += 1) await world.write(publisher, `row ${i}`);
      await sleep(3500);
      child.signal("SIGCONT");
      await until(heard, "event row 2");
      await sleep(QUIET + (options === SHORT ? 2500 : 0));
      await world.write(publisher, "after");
      await until(heard, "event after");
      expect(heard).toEqual(["event row 0", "event row 1", "event row 2", "event after"]);
    },
    60_000,
  );

  it("a publisher stopped for less than the heartbeat", async () => {
    const world = newWorld();
    const publisher = await RemotePublisher.start(children, "ours");
    const timing = { heartbeatInterval: 1000, heartbeatTimeout: 6000 };
    const follower = await world.controller(timing).start([publisher.address]);
    publisher.signal("SIGSTOP");
    await publisher.write(world, "while it is stopped", { stopped: true });
    await sleep(2500);
    expect(follower.seen).toEqual([]);
    publisher.signal("SIGCONT");
    await follower.has("while it is stopped");
    await follower.isMended(0);
    expect(follower.of("lost")).toEqual([]);
  }, 60_000);

  it("a callback that takes longer than the heartbeat", async () => {
    const world = newWorld();
    const publisher = await world.publisher();
    const follower = world.controller({ heartbeatInterval: 200, heartbeatTimeout: 800 });
    follower.before = (what) => (what === "slow" ? sleep(2500) : undefined);
    await follower.start([publisher.address!]);
    await world.write(publisher, "slow");
    await world.write(publisher, "after");
    await follower.has("slow", "after");
    await follower.isMended(0);
    expect(follower.of("lost")).toEqual([]);
  }, 40_000);

  it("an address where nobody ever answered", async () => {
    const world = newWorld();
    const publisher = await world.publisher();
    const follower = await world
      .controller({ startTimeout: 3000, lossGrace: 300 })
      .start([publisher.address!, "tcp://127.0.0.1:1"]);
    await world.write(publisher, "row");
    await follower.has("row");
    await follower.isMended(0, 1500);
  });
});
