import { expect, it } from "vitest";
import {
  DBKeyNotFoundError,
  type DbUpdate,
  PUBLISHER_TABLE,
  PublisherService,
  RedisStore,
  StalePublisherMonitor,
  type Store,
  TableMonitor,
} from "../../../src/drivers/index.ts";
import { RedisBroker, RedisClient } from "../../../src/redis-resp/index.ts";
import { describeWithRedis, startRedis, useRedis } from "../../support/redis-server.ts";
import { until } from "../../support/wait.ts";
import { FakePublisher, FakeSubscriber } from "../fakes.ts";
import { useWorld } from "../world.ts";

describeWithRedis("RedisStore: tables as hashes", () => {
  const server = useRedis(() => startRedis());
  const world = useWorld();

  async function newStore(): Promise<Store> {
    const client = new RedisClient({ port: server().port });
    world.onEnd(() => client.close());
    await client.command("FLUSHALL");
    return new RedisStore(client);
  }

  it("keeps rows, tells which are missing", async () => {
    const store = await newStore();
    const missing = { name: "DBKeyNotFoundError", code: "ENOENT", key: "k" };
    await expect(store.getKey("t", "k")).rejects.toMatchObject(missing);
    await expect(store.setKey("t", "k", "1")).rejects.toBeInstanceOf(DBKeyNotFoundError);
    await expect(store.deleteKey("t", "k")).rejects.toMatchObject(missing);
    expect(await store.getAllKeys("t")).toEqual([]);
    await store.createKey("t", "k", "é1");
    await store.createKey("t", "k", "é2");
    await store.createKey("t", "__proto__", "p");
    for (const value of [{}, null, undefined])
      await expect(store.setKey("t", "k", value as string)).rejects.toBeInstanceOf(TypeError);
    await store.setKey("t", "k", "");
    expect(await store.getKey("t", "k")).toBe("");
    expect((await store.getAllKeys("t")).sort()).toEqual(["__proto__", "k"]);
    expect(await server().cli("HGET", "t", "__proto__")).toBe("p");
    await store.deleteKey("t", "k");
    await store.deleteKey("t", "__proto__");
    expect(await server().cli("EXISTS", "t")).toBe("0");
  });

  it("setKey against deleteKey from elsewhere: whoever is first, a row that was deleted does not come back", async () => {
    const one = await newStore();
    const other = await newStore();
    const won = { set: 0, delete: 0 };
    for (let round = 0; round < 100; round += 1) {
      await one.createKey("t", "k", "old");
      const deleting = () => other.deleteKey("t", "k");
      const deleted = round % 2 === 0 ? deleting() : null;
      const set = one.setKey("t", "k", "new").then(
        () => won.set++,
        (error) => {
          expect(error).toBeInstanceOf(DBKeyNotFoundError);
          won.delete++;
        },
      );
      await Promise.all([set, deleted ?? deleting()]);
      expect([round, await other.getAllKeys("t")]).toEqual([round, []]);
    }
    expect(won.set + won.delete).toBe(100);
  });

  it("setKey where an ACL allows no scripts; other refusals are handed on", async () => {
    await newStore();
    const rules = ["on", ">secret", "~t", "+@hash", "+@connection"];
    await server().cli("ACL", "SETUSER", "noscripts", ...rules);
    const client = new RedisClient({ port: server().port, username: "noscripts", password: "secret" });
    world.onEnd(() => client.close());
    const store = new RedisStore(client);
    await expect(store.setKey("t", "k", "1")).rejects.toBeInstanceOf(DBKeyNotFoundError);
    await store.createKey("t", "k", "1");
    await store.setKey("t", "k", "2");
    expect(await store.getKey("t", "k")).toBe("2");
    await expect(store.setKey("other", "k", "2")).rejects.toMatchObject({ code: "NOPERM" });
    const admin = await newStore();
    await server().cli("SET", "text", "1");
    await expect(admin.setKey("text", "k", "2")).rejects.toMatchObject({ name: "ReplyError" });
  });

  it("is the same on the embedded broker", async () => {
    const broker = new RedisBroker();
    await broker.listen();
    world.onEnd(() => broker.close());
    const client = new RedisClient(broker.address);
    world.onEnd(() => client.close());
    const store = new RedisStore(client);
    await expect(store.setKey("t", "k", "1")).rejects.toBeInstanceOf(DBKeyNotFoundError);
    await store.createKey("t", "k", "1");
    await store.setKey("t", "k", "2");
    expect([await store.getKey("t", "k"), await store.getAllKeys("t")]).toEqual(["2", ["k"]]);
    await store.deleteKey("t", "k");
    await expect(store.deleteKey("t", "k")).rejects.toBeInstanceOf(DBKeyNotFoundError);
  });

  it("TableMonitor announces what changes there", async () => {
    const store = await newStore();
    const sent: string[] = [];
    const publisher = {
      sendEvent: async ({ action, key, value }: DbUpdate) => void sent.push(`${action} ${key} ${value}`),
    };
    const monitor = new TableMonitor({ table: "chassis", store, publisher, pollingTime: 0.02 });
    world.onEnd(() => monitor.stop());
    monitor.daemonize();
    await store.createKey("chassis", "c1", "1");
    await until("it is created", () => sent.length === 1);
    await store.setKey("chassis", "c1", "2");
    await until("it is set", () => sent.length === 2);
    await store.deleteKey("chassis", "c1");
    await until("it is deleted", () => sent.length === 3);
    expect(sent).toEqual(["create c1 1", "set c1 2", "delete c1 null"]);
  });

  it("StalePublisherMonitor deletes the rows of publishers that are gone, and announces it", async () => {
    const store = await newStore();
    const row = (id: string, seconds: number) =>
      store.createKey(
        PUBLISHER_TABLE,
        id,
        JSON.stringify({ id, uri: `tcp://10.0.0.1:1`, last_activity_timestamp: Date.now() / 1000 - seconds }),
      );
    await row("fresh", 0);
    await row("stale", 1000);
    const sent: string[] = [];
    const publisher = { sendEvent: async ({ action, key }: DbUpdate) => void sent.push(`${action} ${key}`) };
    const monitor = new StalePublisherMonitor({
      store,
      publisher,
      timeout: 300,
      id: "own",
      pollingTime: 0.02,
    });
    world.onEnd(() => monitor.stop());
    monitor.daemonize();
    await until("it is gone", async () => (await store.getAllKeys(PUBLISHER_TABLE)).length === 1);
    await until("it is told", () => sent.length > 0);
    expect(await store.getAllKeys(PUBLISHER_TABLE)).toEqual(["fresh"]);
  });

  it("the publisher service registers there, and its heartbeat writes the row anew", async () => {
    const store = await newStore();
    const service = new PublisherService({
      publisher: new FakePublisher(),
      subscriber: new FakeSubscriber(),
      store,
      hostName: "host.example.com",
      config: { publisherBindAddress: "10.0.0.1", publisherTimeout: 1 },
    });
    world.onEnd(() => service.close());
    void service.run();
    const id = "27d95be7-79e7-545e-8b57-970700d8fcce";
    await until("it is registered", async () => (await store.getAllKeys(PUBLISHER_TABLE)).includes(id));
    const read = async () => JSON.parse(await store.getKey(PUBLISHER_TABLE, id)) as Record<string, unknown>;
    const first = await read();
    expect(first).toMatchObject({ id, uri: "tcp://10.0.0.1:8866" });
    await until("it is written anew", async () => {
      return (await read()).last_activity_timestamp !== first.last_activity_timestamp;
    });
    await store.deleteKey(PUBLISHER_TABLE, id);
    await until("it registers again", async () => (await store.getAllKeys(PUBLISHER_TABLE)).includes(id));
  });
});
