import { expect, it } from "vitest";
import { type RedisClient, RedisSentinel } from "../../../src/redis-resp/index.ts";
import { describeWithRedis, startRedisSentinel, useRedis } from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";
import { Load } from "../cluster/load.ts";

/** ms for a test with a failover, on a slow machine. */
const TIME = 60_000;

describeWithRedis("RedisSentinel, a master, a replica and 3 sentinels", () => {
  // Nobody dies here: a master that is only kept waiting is not to be replaced.
  const servers = useRedis(() => startRedisSentinel({ downAfter: 30_000 }));

  function open(options = {}): RedisSentinel {
    const { name, sentinels } = servers();
    return new RedisSentinel({
      name,
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
      ...options,
    });
  }

  it.each([2, 3] as const)(
    "finds the master and the other sentinels by one of them, in RESP%i",
    async (protocol) => {
      const { host, port } = servers().sentinels[0]!;
      await using sentinel = open({ sentinels: [{ host, port }], protocol, sentinelOptions: { protocol } });
      const master = await servers().master();
      expect(await sentinel.master()).toEqual({ host: master.host, port: master.port });
      const ports = (all: readonly { port: number }[]) => all.map((one) => one.port).sort();
      expect(ports(sentinel.sentinels)).toEqual(ports(servers().sentinels));
      await using client = sentinel.client();
      expect(await client.set("key", "value")).toBe(true);
      expect(String(await client.command("ROLE").then((role) => (role as Buffer[])[0]))).toBe("master");
    },
  );

  it("a sentinel that is not there holds up nobody", async () => {
    const [gone] = servers().sentinels;
    await gone!.kill();
    try {
      await using sentinel = open({
        sentinels: servers()
          .sentinels.slice(0, 2)
          .map(({ port }) => ({ port })),
      });
      for (let i = 0; i < 4; i++) await sentinel.master();
      await using client = sentinel.client();
      expect(await client.ping()).toBe("PONG");
    } finally {
      await gone!.restart();
      await servers().settled();
    }
  });

  it("a name that no sentinel knows", async () => {
    await using sentinel = open({ name: "nobody" });
    await expect(sentinel.master()).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("the master is made a replica: client and subscriber follow the new one, each loss is told", {
    timeout: TIME,
  }, async () => {
    await using sentinel = open();
    const masters: string[] = [];
    sentinel.events.on("master", ({ address }) => masters.push(address));
    const { client, load } = await startLoad(sentinel);
    const first = await servers().master();
    // Its clients stay connected, and it goes on answering them.
    await servers().sentinels[0]!.cli("SENTINEL", "FAILOVER", servers().name);
    const second = await servers().failedOver(first);
    await until("the gap", () => load.gaps.length > 0);
    await load.flows();
    await load.stop();
    load.expectCovered();
    expect(load.gaps[0]!.reason).toBe("failover");
    expect(masters).toEqual([first, second].map(({ host, port }) => `${host}:${port}`));
    expect(await client.set("key", 1)).toBe(true);
  });

  it("what it has made ends with it", async () => {
    const sentinel = open();
    const client = sentinel.client();
    const subscriber = sentinel.subscriber();
    await subscriber.subscribe("news", () => {});
    await sentinel.close();
    expect([client.closed, subscriber.closed]).toEqual([true, true]);
    expect(() => sentinel.client()).toThrow(expect.objectContaining({ code: "EBADF" }));
    expect(() => sentinel.subscriber()).toThrow(expect.objectContaining({ code: "EBADF" }));
    await expect(sentinel.master()).rejects.toMatchObject({ code: "EBADF" });
  });
});

describeWithRedis("RedisSentinel, the master killed", () => {
  const servers = useRedis(() => startRedisSentinel());

  it("client and subscriber go on with the replica, each loss is told", { timeout: TIME }, async () => {
    const { name, sentinels } = servers();
    await using sentinel = new RedisSentinel({ name, sentinels: sentinels.map(({ port }) => ({ port })) });
    const { client, load } = await startLoad(sentinel);
    const first = await servers().master();
    const killed = first.kill();
    // Sent to the old master or not: if it was, its fate is unknown.
    const written = client.set("written", "during the failover").catch((error) => error.code);
    await killed;
    await servers().failedOver(first);
    expect([true, "EUNKNOWN"]).toContain(await written);
    await until("the gap", () => load.gaps.length > 0);
    await load.flows();
    await load.stop();
    load.expectCovered();
    expect(await client.set("key", 1)).toBe(true);
  });
});

async function startLoad(sentinel: RedisSentinel): Promise<{ client: RedisClient; load: Load }> {
  const client = sentinel.client();
  const publish = (channel: string, payload: string) => client.publish(channel, payload);
  const load = await Load.start(sentinel.subscriber(), "channel", "news", publish);
  await load.flows();
  return { client, load };
}

it("what is not given as it must be is refused at once", () => {
  expect(() => new RedisSentinel({ name: "a", sentinels: [] })).toThrow(
    expect.objectContaining({ code: "EINVAL" }),
  );
  expect(() => new RedisSentinel({ name: "", sentinels: [{}] })).toThrow(
    expect.objectContaining({ code: "EINVAL" }),
  );
  expect(() => new RedisSentinel({ name: 1 as never, sentinels: [{}] })).toThrow(TypeError);
  expect(() => new RedisSentinel({ name: "a", sentinels: [{}], host: "x" } as never)).toThrow(
    /unknown option/,
  );
});
