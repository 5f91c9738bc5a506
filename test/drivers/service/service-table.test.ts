import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Config } from "../../../src/drivers/config/config.ts";
import { PublisherService } from "../../../src/drivers/service/publisher-service.ts";
import type { PublisherServiceOptions } from "../../../src/drivers/service/service-api.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { Context } from "../../../src/sockets/index.ts";
import { FakePublisher, FakeSubscriber, FaultyStore } from "../fakes.ts";

/** uuid5 of MainProcess.host.example.com, by Python. */
const ID = "27d95be7-79e7-545e-8b57-970700d8fcce";
const URI = "tcp://10.0.0.9:8866";
const START = 1_700_000_000_250;

let publisher: FakePublisher;
let subscriber: FakeSubscriber;
let store: FaultyStore;
let errors: Error[];
let service: PublisherService;
beforeEach(() => {
  vi.useFakeTimers({ now: START });
  publisher = new FakePublisher();
  subscriber = new FakeSubscriber();
  store = new FaultyStore();
  errors = [];
});
afterEach(async () => {
  await closed();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const passes = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

async function run(config: Partial<Config> = {}, options: PublisherServiceOptions = {}): Promise<void> {
  service = new PublisherService({
    config: { localIp: "10.0.0.9", ...config },
    publisher,
    subscriber,
    store,
    hostName: "host.example.com",
    onError: (error) => errors.push(error as Error),
    context: new Context({ ...nodeEnvironment(), hold: () => () => {}, now: () => performance.now() }),
    ...options,
  });
  void service.run();
  await passes(0);
}

async function closed(): Promise<void> {
  const done = service.close();
  await passes(5);
  await done;
}

const event = () => subscriber.receive({ table: "lport", key: "p1", action: "set" });
const row = async () => JSON.parse(await store.rows.getKey("publisher", ID)) as Record<string, unknown>;
/** Seconds after the start at which the row says that we were active. */
const activity = async () => Number((await row()).last_activity_timestamp) - START / 1000;
/** What was asked of the store, about our own row. */
const writes = () =>
  store.calls.filter((call) => /^(create|set)Key/.test(call)).map((call) => call.slice(0, 9));

describe("dragonflow.md 8.1, registration", () => {
  it("a row with id, uri and Unix time in seconds with a fraction, under the uuid5 of process and host", async () => {
    await run();
    expect(await row()).toEqual({ id: ID, uri: URI, last_activity_timestamp: 1_700_000_000.25 });
    expect(store.calls.slice(0, 1)).toEqual([`createKey ${ID}`]);
    expect(service.stats().table).toEqual({ registered: true, refreshes: 1 });
  });

  it("another process name has another id; the row of an earlier run is replaced", async () => {
    await store.rows.createKey("publisher", ID, "old");
    await run({}, { processName: "" });
    expect(await store.rows.getAllKeys("publisher")).toEqual([ID, "633f7aab-7d2a-5752-bd09-e3bf2feeb562"]);
    await closed();
    await run();
    expect((await row()).id).toBe(ID);
  });

  it("registered is told once, and again when the row had gone", async () => {
    const registered = vi.fn();
    await run();
    service.events.on("registered", registered);
    await store.rows.deleteKey("publisher", ID);
    await passes(76);
    expect(registered.mock.calls).toEqual([[{ type: "registered", id: ID, uri: URI }]]);
    expect(await activity()).toBe(75);
    await passes(75);
    expect(await activity()).toBe(150);
    expect(registered).toHaveBeenCalledTimes(1);
  });

  it("the row stays when the service is closed", async () => {
    await run();
    await closed();
    expect((await row()).id).toBe(ID);
    store.calls.length = 0;
    await passes(1000);
    expect(store.calls).toEqual([]);
  });
});

describe("dragonflow.md 10, defect 18: refreshing", () => {
  it("an idle publisher is refreshed more than three times in publisher_timeout", async () => {
    await run({ publisherTimeout: 12, monitorTablePollTime: 10_000 });
    await passes(36.5);
    expect(writes()).toHaveLength(1 + 12);
    expect(await activity()).toBe(36);
  });

  it("events refresh it in between, publisher_rate_limit_count times in publisher_rate_limit_timeout", async () => {
    const config = { publisherTimeout: 4000, publisherRateLimitCount: 2, publisherRateLimitTimeout: 10 };
    await run({ ...config, monitorTablePollTime: 10_000 });
    for (let i = 1; i <= 4; i++) {
      await passes(1);
      await event();
      await passes(0);
    }
    expect(await activity()).toBe(2);
    await passes(8);
    await event();
    await passes(0);
    expect(await activity()).toBe(12);
    expect(writes()).toHaveLength(4);
  });

  it("events about the publisher table do not", async () => {
    await run({ monitorTablePollTime: 10_000 });
    await passes(5);
    await subscriber.receive({ table: "publisher", key: "other", action: "set" });
    await passes(0);
    expect(await activity()).toBe(0);
  });
});

describe("DESIGN 7, a database in trouble never stops the forwarding", () => {
  it.each(["fails", "throws"] as const)(
    "%s: it is reported and tried again, ever more rarely",
    async (mode) => {
      store.mode = mode;
      await run({ monitorTablePollTime: 10_000 });
      for (let i = 0; i < 3; i++) await event();
      expect(publisher.frames).toHaveLength(3);
      await passes(40);
      expect(errors[0]!.message).toBe("the database is down");
      // At once, one by the first event, and 1, 2, 4, 8, 16 s after each other.
      expect(writes().length).toBeGreaterThan(4);
      expect(writes().length).toBeLessThan(9);
      expect(service.stats().table).toEqual({ registered: false, refreshes: 0 });
      store.mode = "good";
      await passes(75);
      expect((await row()).id).toBe(ID);
      expect(publisher.published.map(({ action }) => action)).toEqual(["set", "set", "set"]);
    },
  );

  it("hangs: every call is given up after storeTimeout, and closing does not wait", async () => {
    store.mode = "hangs";
    await run({ monitorTablePollTime: 1 }, { storeTimeout: 3000 });
    await event();
    expect(publisher.frames).toHaveLength(1);
    await passes(5);
    expect(errors.map((error) => (error as NodeJS.ErrnoException).code)).toEqual(["ETIMEDOUT", "ETIMEDOUT"]);
    const reported = errors.length;
    const done = service.close();
    await passes(0.1);
    await done;
    expect(errors).toHaveLength(reported);
  });

  it("a storeTimeout that is none is refused", () => {
    expect(() => new PublisherService({ publisher, subscriber, store, storeTimeout: 0 })).toThrow(
      /storeTimeout/,
    );
  });
});

describe("dragonflow.md 3, StalePublisherMonitor per configuration", () => {
  it("deletes the rows of others after publisher_timeout, every monitor_table_poll_time, and says so", async () => {
    const other = (age: number) =>
      JSON.stringify({ id: "x", uri: "tcp://x:1", last_activity_timestamp: START / 1000 - age });
    await store.rows.createKey("publisher", "stale", other(290));
    await store.rows.createKey("publisher", "fresh", other(0));
    await run({ publisherTimeout: 300, monitorTablePollTime: 20 });
    await passes(19);
    expect(publisher.frames).toEqual([]);
    await passes(1);
    const told = () => publisher.published.map(({ table, action, key }) => [table, action, key]);
    expect(told()).toEqual([
      ["publisher", "create", "fresh"],
      ["publisher", "create", ID],
      ["publisher", "delete", "stale"],
    ]);
    expect(publisher.frames.map(([topic]) => Buffer.from(topic).toString())).toEqual(["D", "D", "D"]);
    expect((await store.rows.getAllKeys("publisher")).sort()).toEqual([ID, "fresh"]);
  });

  it("its events have the form last received", async () => {
    await run({ monitorTablePollTime: 20 });
    await event();
    await passes(20);
    expect(publisher.published.map(({ form }) => form)).toEqual(["map", "map"]);
  });
});
