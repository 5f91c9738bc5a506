import { describe, expect, it } from "vitest";
import { useChildren } from "../../support/children.ts";
import { useProxies } from "../../support/proxy.ts";
import { sleep } from "../../support/wait.ts";
import { RemotePublisher } from "../remote-publisher.ts";
import { useWorld } from "../world.ts";

const HEARTBEATS = { heartbeatInterval: 400, heartbeatTimeout: 1200, handshakeInterval: 1000 };

describe("N-29, DESIGN 7, loss: publisher killed, restarted, frozen", () => {
  const world = useWorld();
  const children = useChildren();

  it.each(["ours", "libzmq"] as const)(
    "%s killed and restarted: one sync, whose read of the database sees what was published before it was in force again (defect 1, 2)",
    async (library) => {
      const publisher = await RemotePublisher.start(children, library);
      const controller = await world.controller().start([publisher.address]);
      await publisher.write(world, "before");
      await controller.has("before");

      await publisher.kill();
      await controller.heard("lost");
      await publisher.restart();
      for (let i = 0; i < 20; i += 1) await publisher.write(world, `meanwhile ${i}`);
      await controller.isMended(1);
      expect(controller.reasons).toEqual([["lost"]]);

      await publisher.write(world, "after");
      await controller.has("after");
      await controller.isMended(1, 0);
    },
    60_000,
  );

  it("restarted in good order while it publishes without a pause: every restart is one sync, nothing stays lost", async () => {
    let publisher = await world.publisher();
    const { address } = publisher;
    const controller = await world.controller().start([address!]);
    let stop = false;
    const writing = (async () => {
      for (let i = 0; !stop; i += 1) {
        await world.write(publisher, `row ${i % 50}`).catch(() => {}); // EBADF between two of them: in the database all the same
        if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    for (let round = 1; round <= 3; round += 1) {
      await controller.has("row 1");
      await publisher.close();
      await controller.heard("lost", round);
      publisher = await world.again(publisher);
      await controller.heard("sync", round);
    }
    stop = true;
    await writing;
    await controller.isMended(3);
  });

  it("frozen for longer than the heartbeat: one sync when it runs again", async () => {
    const publisher = await RemotePublisher.start(children, "ours");
    const controller = await world.controller(HEARTBEATS).start([publisher.address]);
    publisher.signal("SIGSTOP");
    await controller.heard("lost");
    expect(controller.of("lost")[0]).toMatchObject({ reason: "heartbeat", address: publisher.address });
    await publisher.write(world, "to a connection that is gone", { stopped: true });
    expect(controller.syncs).toBe(0);
    publisher.signal("SIGCONT");
    await controller.isMended(1);
    await publisher.write(world, "after");
    await controller.has("after");
  }, 60_000);
});

describe("DESIGN 7, loss: connection cut or half-open", () => {
  const world = useWorld();
  const proxies = useProxies();

  it.each(["cut", "reset"] as const)("%s: one sync when in force again", async (fault) => {
    const publisher = await world.publisher();
    const proxy = await proxies(publisher.address!);
    const controller = await world.controller().start([proxy.address]);
    await world.write(publisher, "before");
    await controller.has("before");

    proxy[fault]();
    await world.write(publisher, "into the cut");
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["lost"]]);
    await world.write(publisher, "after");
    await controller.has("after");
    expect(controller.syncs).toBe(1);
  });

  it("half-open: the heartbeat finds out, and one sync follows when the way is free again", async () => {
    const publisher = await world.publisher();
    const proxy = await proxies(publisher.address!);
    const controller = await world.controller(HEARTBEATS).start([proxy.address]);
    proxy.blackHole();
    await world.write(publisher, "into the hole");
    await controller.heard("lost");
    expect(controller.of("lost")[0]).toMatchObject({ reason: "heartbeat" });
    await world.write(publisher, "while it is away");
    expect(controller.syncs).toBe(0);
    proxy.heal();
    await controller.isMended(1);
    await world.write(publisher, "after");
    await controller.has("after");
  }, 40_000);

  it("lost between the answer to the PING and the end of settleTime: it was never in force", async () => {
    const publisher = await world.publisher();
    const proxy = await proxies(publisher.address!);
    const controller = await world.controller({ settleTime: 2000 }).start([proxy.address]);
    proxy.cut();
    await controller.heard("connected", 2);
    await sleep(200);
    await publisher.close();
    await controller.heard("lost", 2);
    world.change("missed");
    await sleep(2200);
    expect(controller.syncs).toBe(0);
    await world.again(publisher);
    await controller.isMended(1);
    expect(controller.of("inForce")).toHaveLength(2);
  }, 40_000);

  it("cut again and again before it is in force: one gap, one sync", async () => {
    const publisher = await world.publisher();
    const proxy = await proxies(publisher.address!);
    const controller = await world.controller().start([proxy.address]);
    // Greeting, READY and SUBSCRIBE are 64 + 27 + 13 bytes: in the greeting, in READY, and with the PING on its way.
    for (const cutAfter of [0, 10, 70, 104, 110]) proxy.plan({ toServer: { cutAfter } });
    proxy.cut();
    await world.write(publisher, "missed");
    await controller.isMended(1);
    expect(proxy.accepted).toBe(7);
    expect(controller.errors).toEqual([]);
  }, 40_000);
});
