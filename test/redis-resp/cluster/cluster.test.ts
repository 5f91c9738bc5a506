import { expect, it } from "vitest";
import { RedisCluster } from "../../../src/redis-resp/cluster/cluster.ts";
import { describeWithRedis, startRedisCluster, useRedis } from "../../support/redis-server.ts";

describeWithRedis("RedisCluster, with 3 masters and 3 replicas", () => {
  const servers = useRedis(() => startRedisCluster());
  it("smoke", async () => {
    await using cluster = new RedisCluster({ nodes: servers().nodes });
    cluster.events.on("connect", (e) => console.log(e));
    cluster.events.on("disconnect", (e) => console.log(e));
    for (let i = 0; i < 20; i++) expect(await cluster.set(`k${i}`, i)).toBe(true);
    for (let i = 0; i < 20; i++) expect(await cluster.get(`k${i}`, { text: true })).toBe(`${i}`);
    const t = performance.now();
    const victim = await servers().ownerOf("k1");
    await victim.kill();
    console.log(performance.now() - t);
    try { console.log(await cluster.set("k1", "x")); } catch (e) { console.log(e) }
    console.log(performance.now() - t);
    console.log(cluster.topology);
  });
});
