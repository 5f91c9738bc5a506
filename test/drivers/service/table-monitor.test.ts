import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DBKeyNotFoundError } from "../../../src/drivers/errors.ts";
import type { DbUpdate } from "../../../src/drivers/event/db-update.ts";
import { StalePublisherMonitor, TableMonitor } from "../../../src/drivers/service/table-monitor.ts";
import { MemoryStore } from "../../../src/drivers/store/store.ts";

let store: MemoryStore;
let sent: [action: string, key: string | null, value: unknown][];
let refuse: (update: DbUpdate) => boolean;
let errors: unknown[];
const publisher = {
  async sendEvent(update: DbUpdate) {
    if (refuse(update)) throw new Error("refused");
    expect(update.topic).toBe("D");
    sent.push([update.action, update.key, update.value]);
  },
};

beforeEach(() => {
  vi.useFakeTimers();
  store = new MemoryStore();
  sent = [];
  errors = [];
  refuse = () => false;
});
afterEach(() => vi.useRealTimers());

const options = () => ({
  store,
  publisher,
  pollingTime: 10,
  onError: (error: unknown) => errors.push(error),
});
const poll = () => vi.advanceTimersByTimeAsync(10_000);

describe("dragonflow.md 3, TableMonitor", () => {
  it("announces create, set and delete, once each; the first poll comes after the polling time, in seconds", async () => {
    const monitor = new TableMonitor({ table: "chassis", ...options() });
    monitor.daemonize();
    monitor.daemonize();
    await store.createKey("chassis", "c1", "1");
    await vi.advanceTimersByTimeAsync(9_999);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await poll();
    await store.setKey("chassis", "c1", "2");
    await poll();
    await store.deleteKey("chassis", "c1");
    await poll();
    await poll();
    expect(sent).toEqual([
      ["create", "c1", "1"],
      ["set", "c1", "2"],
      ["delete", "c1", null],
    ]);
    await monitor.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes what is there as known with announceExisting: false", async () => {
    await store.createKey("chassis", "c1", "1");
    const monitor = new TableMonitor({ table: "chassis", ...options(), announceExisting: false });
    monitor.daemonize();
    await poll();
    expect(sent).toEqual([]);
    await store.setKey("chassis", "c1", "2");
    await poll();
    expect(sent).toEqual([["set", "c1", "2"]]);
    await monitor.stop();
  });

  it("defect 19: an exception neither ends the polling nor announces anything again", async () => {
    const monitor = new TableMonitor({ table: "chassis", ...options() });
    monitor.daemonize();
    for (const key of ["a", "b", "c"]) await store.createKey("chassis", key, "1");
    refuse = (update) => update.key === "b";
    await poll();
    expect(sent).toEqual([["create", "a", "1"]]);
    refuse = () => false;
    const read = vi.spyOn(store, "getKey").mockRejectedValue(new Error("down"));
    await poll();
    read.mockRestore();
    await poll();
    expect(sent.map(([, key]) => key)).toEqual(["a", "b", "c"]);
    expect(errors.map((error) => (error as Error).message)).toEqual(["refused", "down"]);
    await monitor.stop();
  });

  it("a row deleted while the table is read is a deleted row", async () => {
    await store.createKey("chassis", "gone", "1");
    const monitor = new TableMonitor({ table: "chassis", ...options() });
    monitor.daemonize();
    await poll();
    vi.spyOn(store, "getAllKeys").mockResolvedValue(["gone"]);
    await store.deleteKey("chassis", "gone");
    await poll();
    expect(sent.at(-1)).toEqual(["delete", "gone", null]);
    expect(errors).toEqual([]);
    await monitor.stop();
  });

  it("stop() ends a poll that is running; a later daemonize() goes on where it was", async () => {
    for (const key of ["a", "b"]) await store.createKey("chassis", key, "1");
    const monitor = new TableMonitor({ table: "chassis", ...options() });
    refuse = () => {
      void monitor.stop();
      return false;
    };
    monitor.daemonize();
    await poll();
    expect(sent.map(([, key]) => key)).toEqual(["a"]);
    expect(vi.getTimerCount()).toBe(0);
    refuse = () => false;
    monitor.daemonize();
    await poll();
    expect(sent.map(([, key]) => key)).toEqual(["a", "b"]);
    await monitor.stop();
  });

  it("stop() waits for the poll that is running, and none begins after it", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const keys = vi.spyOn(store, "getAllKeys").mockImplementation(() => held.then(() => []));
    const monitor = new TableMonitor({ table: "chassis", ...options() });
    monitor.daemonize();
    await poll();
    let stopped = false;
    void monitor.stop();
    monitor.daemonize();
    await poll();
    const stop = monitor.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(stopped).toBe(false);
    release();
    await stop;
    expect(keys).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("an onError that throws does not end the polling", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockReturnValue();
    const onError = () => {
      throw new Error("handler");
    };
    const monitor = new TableMonitor({ table: "chassis", ...options(), onError });
    await store.createKey("chassis", "a", "1");
    monitor.daemonize();
    refuse = () => true;
    await poll();
    refuse = () => false;
    await poll();
    expect(sent).toHaveLength(1);
    expect(warned).toHaveBeenCalledOnce();
    warned.mockRestore();
    await monitor.stop();
  });

  it("tells of what it announced, and counts", async () => {
    const monitor = new TableMonitor({ table: "chassis", ...options() });
    const told: unknown[] = [];
    monitor.events.on("announced", (event) => told.push(event));
    await store.createKey("chassis", "a", "1");
    monitor.daemonize();
    await poll();
    refuse = () => true;
    await store.setKey("chassis", "a", "2");
    await poll();
    expect(told).toEqual([{ type: "announced", action: "create", key: "a" }]);
    expect(monitor.stats()).toEqual({ polls: 2, failed: 1, announced: 1, rows: 1 });
    await monitor.stop();
  });

  it("without an onError: one process warning in ten seconds", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockReturnValue();
    const monitor = new TableMonitor({ table: "chassis", store, publisher, pollingTime: 1 });
    vi.spyOn(store, "getAllKeys").mockRejectedValue(new Error("down"));
    monitor.daemonize();
    await vi.advanceTimersByTimeAsync(3000);
    expect(warned.mock.calls).toEqual([["dragonflow monitor of table chassis: down"]]);
    warned.mockRestore();
    await monitor.stop();
  });

  it("an option that means nothing is an error that names it and the nearest", () => {
    const mistyped = { table: "t", ...options(), polingTime: 1 };
    expect(() => new TableMonitor(mistyped)).toThrow("Unknown option polingTime: did you mean pollingTime?");
  });

  it("refuses a polling time that is none", () => {
    for (const pollingTime of [0, -1, NaN, 1e10, "5" as unknown as number]) {
      const make = () => new TableMonitor({ table: "t", ...options(), pollingTime });
      expect(make).toThrow(expect.objectContaining({ code: "EINVAL" }));
    }
  });
});

describe("dragonflow.md 3, StalePublisherMonitor", () => {
  const row = (id: string, seconds: number) =>
    JSON.stringify({ id, uri: "tcp://h:1", last_activity_timestamp: seconds });

  it("deletes the rows of others that were inactive for longer than the timeout, and announces that", async () => {
    const now = () => 1_000_000;
    await store.createKey("publisher", "old", row("old", 699.9));
    await store.createKey("publisher", "young", row("young", 700));
    await store.createKey("publisher", "self", row("self", 1));
    await store.createKey("publisher", "odd", "not json");
    const monitor = new StalePublisherMonitor({
      ...options(),
      timeout: 300,
      id: "self",
      now,
      announceExisting: false,
    });
    monitor.daemonize();
    await poll();
    expect((await store.getAllKeys("publisher")).sort()).toEqual(["odd", "self", "young"]);
    expect(sent).toEqual([["delete", "old", null]]);
    expect(errors).toHaveLength(1);
    await monitor.stop();
  });

  it("a stale row that cannot be deleted is a row like any other", async () => {
    const monitor = new StalePublisherMonitor({
      ...options(),
      timeout: 300,
      id: "self",
      now: () => 1_000_000,
    });
    await store.createKey("publisher", "old", row("old", 1000));
    monitor.daemonize();
    await poll();
    await store.setKey("publisher", "old", row("old", 1));
    vi.spyOn(store, "deleteKey").mockRejectedValue(new Error("read only"));
    await poll();
    await store.setKey("publisher", "old", row("old", 1));
    vi.spyOn(store, "deleteKey").mockRejectedValue(new DBKeyNotFoundError("old"));
    await poll();
    expect(errors).toHaveLength(1);
    expect(sent.map(([action]) => action)).toEqual(["create", "set"]);
    await monitor.stop();
  });

  it("ignores a row that somebody else deleted first", async () => {
    await store.createKey("publisher", "old", row("old", 1));
    const { deleteKey } = store;
    vi.spyOn(store, "deleteKey").mockImplementation(async (table, key) => {
      await deleteKey.call(store, table, key);
      await deleteKey.call(store, table, key);
    });
    const monitor = new StalePublisherMonitor({ ...options(), timeout: 300, id: "self" });
    monitor.daemonize();
    await poll();
    expect(errors).toEqual([]);
    expect(sent).toEqual([["delete", "old", null]]);
    await monitor.stop();
  });
});
