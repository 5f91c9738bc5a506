import { expect, it } from "vitest";
import type { RedisPubSubOptions } from "../../../src/drivers/index.ts";
import {
  describeWithRedis,
  type RedisServer,
  startRedisCluster,
  useRedis,
} from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";
import { useWorld } from "../world.ts";
import { RedisWorld } from "./redis-world.ts";

const LOOKING: RedisPubSubOptions = { topologyInterval: 300 };

describeWithRedis("the Redis driver at a node that is taken out of its cluster and goes on running", () => {
  const cluster = useRedis(() => startRedisCluster({ masters: 3, replicas: 0, nodeTimeout: 20_000 }));
  const world = useWorld();
  const redis = new RedisWorld(world, () => cluster().nodes);
  const at = (address: string | undefined): RedisServer | undefined =>
    cluster().nodes.find(({ port }) => address?.endsWith(`:${port}`));

  async function takeOut(node: RedisServer): Promise<void> {
    const id = await node.cli("CLUSTER", "MYID");
    const others = cluster().nodes.filter((other) => other !== node);
    for (const other of others) await other.cli("CLUSTER", "FORGET", id);
    await node.cli("CLUSTER", "RESET", "HARD");
  }

  it("writers and controllers leave it: one sync for those who were there, and one by the writers for what was lost", async () => {
    const writer = redis.writer(LOOKING);
    const used: string[] = [];
    writer.events.on("connected", ({ address }) => used.push(address));
    await writer.initialize();
    const victim = at(used[0])!;
    const controllers = await Promise.all(
      Array.from({ length: 6 }, () => redis.controller(LOOKING).start([], ["D", "t"])),
    );
    const nodesOf = (i: number) => controllers[i]!.of("connected").map(({ address }) => at(address)!);
    const concerned = controllers.map((_, i) => nodesOf(i)[0] === victim);

    await world.write(writer, "before", "t");
    for (const controller of controllers) await controller.has("before");
    await takeOut(victim);
    await world.write(writer, "to nobody", "t");

    await until("the writer has left it", () => used.length === 2, 15_000);
    expect(at(used[1])).not.toBe(victim);
    for (const controller of controllers) await controller.heard("sync");
    await until("all copies are whole", () =>
      controllers.every(({ copy }) => copy.get("to nobody") === world.database.get("to nobody")),
    );
    for (const [i, controller] of controllers.entries()) {
      expect(nodesOf(i).slice(1).includes(victim)).toBe(false);
      expect([i, nodesOf(i).length]).toEqual([i, concerned[i] ? 2 : 1]);
      const lost = concerned[i] ? [{ error: { code: "EHOSTDOWN" } }] : [];
      expect(controller.of("lost")).toMatchObject(lost);
    }
    await world.write(writer, "after", "t");
    for (const controller of controllers) await controller.has("after");
    expect(writer.stats()).toMatchObject({ dropped: 0, queued: 0 });
  });
});
