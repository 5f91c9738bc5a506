import { expect, it } from "vitest";
import { DBKeyNotFoundError, RedisStore } from "../../../src/drivers/index.ts";
import { RedisCluster } from "../../../src/redis-resp/index.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import { describeWithRedis, startRedisCluster, useRedis } from "../../support/redis-server.ts";
import { sleep, until } from "../../support/wait.ts";
import { type Controller, useWorld } from "../world.ts";
import { RedisWorld } from "./redis-world.ts";

/** Of each writer. */
const ROWS = 50;

describeWithRedis("the Redis driver in a cluster", () => {
  // Nobody is to take over. A node that waits for half of the timeout breaks its links, and what was on them is lost.
  const cluster = useRedis(() => startRedisCluster({ masters: 3, replicas: 0, nodeTimeout: 15_000 }));
  const world = useWorld();
  const redis = new RedisWorld(world, () => cluster().nodes.filter(({ isRunning }) => isRunning));

  /** Where a controller is connected. */
  function nodeOf(controller: Controller): RedisServer {
    const { address } = controller.of("connected").at(-1)!;
    return cluster().nodes.find(({ port }) => address.endsWith(`:${port}`))!;
  }

  it("any master serves: what is published at one is heard at all", async () => {
    const controllers = await Promise.all(
      Array.from({ length: 6 }, () => redis.controller().start([], ["D", "t"])),
    );
    const writers = Array.from({ length: 4 }, () => redis.writer());
    for (const [i, writer] of writers.entries())
      await world.write(writer, `row ${i}`, i % 2 === 0 ? "D" : "t");
    for (const controller of controllers) {
      await controller.has("row 0", "row 1", "row 2", "row 3");
      expect(controller.syncs).toBe(0);
    }
  });

  it("RedisStore: setKey changes what is there, wherever in the cluster, and nothing else", async () => {
    const client = new RedisCluster({ nodes: cluster().nodes.map(({ port }) => ({ port })) });
    world.onEnd(() => client.close());
    const store = new RedisStore(client);
    for (const table of ["a", "b", "c", "d", "e", "f"]) {
      await expect(store.setKey(table, "k", "1")).rejects.toBeInstanceOf(DBKeyNotFoundError);
      await store.createKey(table, "k", "1");
      await store.setKey(table, "k", "2");
      expect(await store.getKey(table, "k")).toBe("2");
      await store.deleteKey(table, "k");
    }
  });

  it("a node that dies under load: one sync for those who were there, none for the others, and every copy is whole", async () => {
    const controllers = await Promise.all(
      Array.from({ length: 4 }, () => redis.controller().start([], ["D", "t"])),
    );
    const writers = [redis.writer(), redis.writer(), redis.writer()];
    for (const writer of writers) await writer.initialize();
    let isWriting = true;
    const written = writers.map(() => 0);
    const load = writers.map(async (writer, i) => {
      for (let n = 0; isWriting; n += 1) {
        await world.write(writer, `${i}: ${n % ROWS}`, n % 2 === 0 ? "D" : "t");
        written[i] = n;
        if (n % 10 === 0) await sleep(1);
      }
    });
    await sleep(300);
    const victim = nodeOf(controllers[0]!);
    const concerned = controllers.filter((controller) => nodeOf(controller) === victim);
    await victim.kill();
    for (const controller of concerned) await controller.heard("sync");
    // What the dead node has answered for, but not passed on to the others, is lost to those: every row is written anew.
    const before = [...written];
    await until("all rows are written again", () => written.every((n, i) => n > before[i]! + ROWS));
    isWriting = false;
    await Promise.all(load);
    for (const controller of controllers) {
      const isConcerned = concerned.includes(controller);
      await controller.isMended(isConcerned ? 1 : 0);
      expect(controller.reasons).toEqual(isConcerned ? [["lost"]] : []);
      if (isConcerned) expect(nodeOf(controller)).not.toBe(victim);
    }
    for (const writer of writers) expect(writer.stats()).toMatchObject({ dropped: 0, queued: 0 });
    await until("it is back", () => victim.restart().then(() => true));
  });
});
