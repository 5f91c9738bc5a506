import { describe, expect, it } from "vitest";
import { nearestName, rejectUnknownOptions } from "../../src/drivers/config/option-names.ts";
import {
  DBKeyNotFoundError,
  UnknownOptionError,
  UnsupportedTransportError,
} from "../../src/drivers/errors.ts";
import { DbUpdate, SEND_ALL_TOPIC } from "../../src/drivers/event/db-update.ts";
import { fullyQualifiedName, publisherId } from "../../src/drivers/service/publisher-id.ts";
import { RateLimiter } from "../../src/drivers/service/rate-limiter.ts";
import { MemoryStore } from "../../src/drivers/store/store.ts";
import { ZmqError } from "../../src/errors.ts";

describe("dragonflow.md 1, DbUpdate", () => {
  const update = new DbUpdate({
    table: "lport",
    key: "p1",
    action: "create",
    value: '{"id": "p1"}',
    timestamp: new Date(Date.UTC(2019, 7, 13, 12, 1, 2, 34)),
  });

  it("has the default topic and the five wire fields in their order", () => {
    expect(SEND_ALL_TOPIC).toBe("D");
    expect(JSON.stringify(update.toDict())).toBe(
      '{"table":"lport","key":"p1","action":"create","value":"{\\"id\\": \\"p1\\"}","topic":"D"}',
    );
  });

  it("is printed as the last Dragonflow prints it", () => {
    expect(String(update)).toBe(
      'Action:create, Table:lport, Key:p1 Value:{"id": "p1"} Topic:D Timestamp: 2019-08-13 12:01:02.034000',
    );
    const sync = new DbUpdate({
      table: null,
      key: null,
      action: "sync",
      topic: null,
      timestamp: new Date(0),
    });
    expect(String(sync)).toBe(
      "Action:sync, Table:None, Key:None Value:None Topic:None Timestamp: 1970-01-01 00:00:00",
    );
  });

  it("cannot be changed", () => {
    expect(() => Object.assign(update, { topic: "x" })).toThrow(TypeError);
  });

  it("refuses fields of the wrong kind at the call", () => {
    const good = { table: "t", key: "k", action: "set" };
    for (const bad of [{ table: 1 }, { key: undefined }, { action: null }, { topic: 5 }, { timestamp: 5 }]) {
      expect(() => new DbUpdate({ ...good, ...(bad as object) })).toThrow(TypeError);
    }
    expect(() => new DbUpdate({ ...good, timestamp: new Date(NaN) })).toThrow(TypeError);
    const before = Date.now();
    expect(new DbUpdate(good).timestamp).toBeGreaterThanOrEqual(before);
  });
});

describe("dragonflow.md 1, exceptions", () => {
  it("have the texts of the originals, and codes", () => {
    const unsupported = new UnsupportedTransportError("udp");
    expect(unsupported).toBeInstanceOf(ZmqError);
    expect(unsupported).toMatchObject({
      message: "Transport protocol is not supported: udp",
      code: "EPROTONOSUPPORT",
      transport: "udp",
    });
    expect(new DBKeyNotFoundError("k")).toMatchObject({
      message: "DB Key not found, key=k",
      code: "ENOENT",
      key: "k",
    });
  });
});

describe("unknown options", () => {
  it("are an error that names the key and the nearest known one", () => {
    const known = ["publisherPort", "publisherTransport", "linger"];
    expect(() => rejectUnknownOptions({ linger: 1 }, known)).not.toThrow();
    const check = (key: string) => () => rejectUnknownOptions({ [key]: 1 }, known);
    expect(check("publisher_prot")).toThrow("Unknown option publisher_prot: did you mean publisherPort?");
    expect(check("zzzz")).toThrow(new UnknownOptionError("zzzz", null));
    expect(nearestName("lingr", known)).toBe("linger");
  });
});

describe("dragonflow.md 3 and 11, RateLimiter", () => {
  const limiterAt = () => {
    const clock = { now: 0 };
    const limiter = new RateLimiter(3, 5, () => clock.now);
    return {
      clock,
      permitted: (calls: number) =>
        Array.from({ length: calls }, () => limiter.limited()).filter((l) => !l).length,
    };
  };

  it("(3, 5): 3 of 5 calls are permitted, and 3 more after 5 seconds", () => {
    const { clock, permitted } = limiterAt();
    expect(permitted(5)).toBe(3);
    clock.now = 5000;
    expect(permitted(5)).toBe(0);
    clock.now = 5001;
    expect(permitted(5)).toBe(3);
  });

  it("(3, 5): 7 of 11 calls, one a second, are permitted", () => {
    const { clock, permitted } = limiterAt();
    let sum = 0;
    for (let second = 0; second < 11; second++) {
      // A call is never exactly a second after the last.
      clock.now = second * 1001;
      sum += permitted(1);
    }
    expect(sum).toBe(7);
  });

  it("refuses what cannot be a rate", () => {
    for (const [rate, unit] of [
      [0, 1],
      [1.5, 1],
      [1, -1],
      [1, NaN],
    ] as const) {
      expect(() => new RateLimiter(rate, unit)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    }
  });
});

describe("MemoryStore", () => {
  it("reads, writes, lists and deletes; a missing key is a DBKeyNotFoundError", async () => {
    const store = new MemoryStore();
    expect(await store.getAllKeys("t")).toEqual([]);
    await store.createKey("t", "__proto__", "1");
    await store.createKey("t", "k", "1");
    await store.createKey("t", "k", "2");
    await store.setKey("t", "k", "3");
    expect(await store.getKey("t", "k")).toBe("3");
    expect(await store.getAllKeys("t")).toEqual(["__proto__", "k"]);
    await store.deleteKey("t", "k");
    await expect(store.getKey("t", "k")).rejects.toBeInstanceOf(DBKeyNotFoundError);
    await expect(store.setKey("t", "k", "v")).rejects.toBeInstanceOf(DBKeyNotFoundError);
    await expect(store.deleteKey("u", "k")).rejects.toBeInstanceOf(DBKeyNotFoundError);
    await expect(store.createKey("t", "k", 5 as unknown as string)).rejects.toBeInstanceOf(TypeError);
  });
});

describe("dragonflow.md 3, generate_publisher_uuid", () => {
  it("gives the ids of the real code", () => {
    expect(publisherId("host.example.com")).toBe("27d95be7-79e7-545e-8b57-970700d8fcce");
    expect(publisherId("host.example.com", "")).toBe("633f7aab-7d2a-5752-bd09-e3bf2feeb562");
  });

  it("a host has a name, whatever its resolver says", async () => {
    expect(await fullyQualifiedName()).not.toBe("");
  });
});
