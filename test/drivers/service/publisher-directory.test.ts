import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  PublisherDirectory,
  type PublisherDirectoryOptions,
} from "../../../src/drivers/service/publisher-directory.ts";
import { configuredAddresses, publisherUri } from "../../../src/drivers/service/publisher-row.ts";
import { ZmqError } from "../../../src/errors.ts";
import { FakeSubscriber, FaultyStore } from "../fakes.ts";

const A = "tcp://10.0.0.1:8866";
const B = "tcp://10.0.0.2:8866";
const NOW = 1_700_000_000;
/** A row as a publisher service writes it. */
const row = (uri: string, age = 0) =>
  JSON.stringify({ id: "p", uri, last_activity_timestamp: NOW - age + 0.5 });

let subscriber: FakeSubscriber;
let store: FaultyStore;
let errors: unknown[];
beforeEach(() => {
  subscriber = new FakeSubscriber();
  store = new FaultyStore();
  errors = [];
});
afterEach(() => vi.useRealTimers());

function directoryOf(options: Partial<PublisherDirectoryOptions> = {}): PublisherDirectory {
  const onError = (error: unknown) => errors.push(error);
  return new PublisherDirectory({ subscriber, store, now: () => NOW * 1000, onError, ...options });
}

const write = (key: string, value: string) => store.rows.createKey("publisher", key, value);
const registered = () => [...subscriber.addresses].sort();

describe("dragonflow.md 8.2, sources of addresses", () => {
  it("registers the configured addresses and those of the table, each once", async () => {
    await write("p1", row(A));
    await write("p2", row(B));
    const directory = directoryOf({ addresses: [A, A] });
    await directory.start();
    expect(subscriber.calls).toEqual([`+${A}`, `+${B}`]);
    expect(directory.addresses).toEqual([A, B]);
    expect(directory.stats()).toEqual({ registered: 2, publishers: 2, stale: 0, refused: 0 });
  });

  it("works without a store, with the configured addresses and the values of events", async () => {
    const directory = new PublisherDirectory({ subscriber, addresses: [A], now: () => NOW * 1000 });
    await directory.start();
    await directory.handle("publisher", "p2", "create", row(B));
    await directory.handle(null, null, "sync", null);
    await directory.handle("publisher", "p3", "create", null);
    expect(registered()).toEqual([A, B]);
  });

  it("follows create, set and delete events, with the value or with null for it", async () => {
    const directory = directoryOf();
    await directory.start();
    await directory.handle("publisher", "p1", "create", row(A));
    expect(registered()).toEqual([A]);
    await write("p2", row(B));
    await directory.handle("publisher", "p2", "set", null);
    expect(registered()).toEqual([A, B]);
    await directory.handle("publisher", "p1", "delete", null);
    expect(registered()).toEqual([B]);
    await directory.handle("publisher", "p2", "set", null);
    await store.rows.deleteKey("publisher", "p2");
    await directory.handle("publisher", "p2", "set", null);
    expect(registered()).toEqual([]);
  });

  it("takes a value that is an object, and leaves all other events alone", async () => {
    const directory = directoryOf();
    await directory.handle("publisher", "p1", "update", JSON.parse(row(A)));
    expect(registered()).toEqual([A]);
    await directory.handle("lport", "p1", "delete", null);
    await directory.handle("publisher", "p1", "log", "a line");
    await directory.handle("publisher", null, "delete", null);
    expect(registered()).toEqual([A]);
    expect([store.calls, errors]).toEqual([[], []]);
  });

  it("reads the table again on every sync: what is new, moved and gone", async () => {
    for (const [key, uri] of [
      ["p1", A],
      ["p2", B],
    ] as const)
      await write(key, row(uri));
    const directory = directoryOf();
    await directory.start();
    await store.rows.deleteKey("publisher", "p1");
    await write("p2", row("tcp://10.0.0.3:8866"));
    await write("p4", row("tcp://10.0.0.4:8866"));
    await directory.handle(null, null, "sync", null);
    expect(registered()).toEqual(["tcp://10.0.0.3:8866", "tcp://10.0.0.4:8866"]);
  });
});

describe("dragonflow.md 10, defect 10: one publisher, several reasons", () => {
  it("a row that goes does not drop an address that is also configured, or another publisher's", async () => {
    await write("p1", row(A));
    await write("p2", row(B));
    await write("p3", row(B));
    const directory = directoryOf({ addresses: [A] });
    await directory.start();
    await directory.handle("publisher", "p1", "delete", null);
    await directory.handle("publisher", "p2", "delete", null);
    expect(registered()).toEqual([A, B]);
    await directory.handle("publisher", "p3", "delete", null);
    expect(registered()).toEqual([A]);
    expect(subscriber.calls).toEqual([`+${A}`, `+${B}`, `-${B}`]);
  });

  it("a publisher that moves is registered at its new address, then dropped at the old", async () => {
    const directory = directoryOf();
    await directory.handle("publisher", "p1", "create", row(A));
    await directory.handle("publisher", "p1", "set", row(B));
    expect(subscriber.calls).toEqual([`+${A}`, `+${B}`, `-${A}`]);
    await directory.handle("publisher", "p1", "set", row(B, 1));
    expect(subscriber.calls).toHaveLength(3);
  });

  it("127.0.0.1 and local_ip are the same publisher; the configured spelling is used", async () => {
    await write("p1", row("tcp://10.0.0.9:8866"));
    const directory = directoryOf({ addresses: ["tcp://127.0.0.1:8866"], localIp: "10.0.0.9" });
    await directory.start();
    expect(registered()).toEqual(["tcp://127.0.0.1:8866"]);
    await directory.handle("publisher", "p1", "set", row("TCP://LOCALHOST:8866"));
    await directory.handle("publisher", "p1", "delete", null);
    expect(subscriber.calls).toEqual(["+tcp://127.0.0.1:8866"]);
  });

  it("another port on the same host is another publisher", async () => {
    const directory = directoryOf({ addresses: ["tcp://127.0.0.1:8866"], localIp: "fd00::1" });
    await directory.start();
    await directory.handle("publisher", "p1", "create", row("tcp://[FD00::1]:8867"));
    await directory.handle("publisher", "p2", "create", row("tcp://[fd00::1]:8866"));
    expect(registered()).toEqual(["tcp://127.0.0.1:8866", "tcp://[FD00::1]:8867"]);
  });
});

describe("rows that are not used", () => {
  it("publisher_timeout: a stale row is not registered, one at the limit is", async () => {
    await write("old", row(A, 301));
    await write("fresh", row(B, 300));
    const directory = directoryOf({ publisherTimeout: 300 });
    await directory.start();
    expect(registered()).toEqual([B]);
    expect(directory.stats().stale).toBe(1);
    await directory.handle("publisher", "old", "set", row(A));
    expect(registered()).toEqual([A, B]);
  });

  it("a publisher that is listened to stays when its row gets old: its database may be out of reach", async () => {
    const directory = directoryOf({ publisherTimeout: 10 });
    await directory.handle("publisher", "p1", "create", row(A));
    await write("p1", row(A, 60));
    await directory.handle(null, null, "sync", null);
    expect(registered()).toEqual([A]);
    await directory.handle("publisher", "p1", "set", row(B, 60));
    expect(registered()).toEqual([A]);
  });

  it.each(["no json", "null", "[]", '{"uri":1,"last_activity_timestamp":1700000000}', '{"uri":"tcp://a:1"}'])(
    "%s is reported, and costs the others nothing",
    async (bad) => {
      await write("a-bad", bad);
      await write("p1", row(A));
      const directory = directoryOf();
      await directory.start();
      expect(registered()).toEqual([A]);
      expect(errors).toEqual([expect.objectContaining({ code: "EINVAL" })]);
      expect((errors[0] as Error).message).toContain("a-bad");
      expect(directory.stats().refused).toBe(1);
    },
  );

  it("a row whose address the subscriber refuses is reported, and the publisher's old one stays", async () => {
    const refusal = new ZmqError("EPROTONOSUPPORT");
    subscriber.check = (uri) => {
      if (!uri.startsWith("tcp://")) throw refusal;
    };
    const directory = directoryOf();
    await directory.handle("publisher", "p1", "create", row(A));
    await directory.handle("publisher", "p1", "set", row("udp://10.0.0.1:1"));
    expect(registered()).toEqual([A]);
    expect(errors).toEqual([refusal]);
    await directory.handle("publisher", "p1", "delete", null);
    expect(registered()).toEqual([]);
  });
});

describe("a store that fails", () => {
  it.each(["fails", "throws"] as const)(
    "%s: start() rejects, the configured addresses stand",
    async (mode) => {
      store.mode = mode;
      const directory = directoryOf({ addresses: [A] });
      await expect(directory.start()).rejects.toThrow("the database is down");
      expect(registered()).toEqual([A]);
      store.mode = "good";
      await write("p2", row(B));
      await directory.handle(null, null, "sync", null);
      expect(registered()).toEqual([A, B]);
    },
  );

  it("a sync that cannot read the table rejects, so that it is called again, and drops nobody", async () => {
    await write("p1", row(A));
    const directory = directoryOf();
    await directory.start();
    store.mode = "fails";
    await expect(directory.handle(null, null, "sync", null)).rejects.toThrow("the database is down");
    expect(registered()).toEqual([A]);
  });

  it("one that answers leaves no timer behind", async () => {
    vi.useFakeTimers();
    await write("p1", row(A));
    await directoryOf().start();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a store that hangs is given up after storeTimeout", async () => {
    vi.useFakeTimers();
    store.mode = "hangs";
    const directory = directoryOf({ addresses: [A], storeTimeout: 2000 });
    const started = expect(directory.start()).rejects.toMatchObject({ code: "ETIMEDOUT" });
    await vi.advanceTimersByTimeAsync(2000);
    await started;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a configured address that is none is the caller's error", async () => {
    subscriber.check = () => {
      throw new ZmqError("EINVAL");
    };
    await expect(directoryOf({ addresses: ["nonsense"] }).start()).rejects.toMatchObject({ code: "EINVAL" });
    expect(() => new PublisherDirectory({ subscriber, adresses: [A] } as never)).toThrow(
      /did you mean addresses/,
    );
  });
});

describe("dragonflow.md 8.1, the uri of a publisher", () => {
  const config = { publisherTransport: "tcp", publisherPort: 8866, localIp: "10.0.0.9" };
  it.each([
    ["*", "tcp://10.0.0.9:8866"],
    ["127.0.0.1", "tcp://10.0.0.9:8866"],
    ["0.0.0.0", "tcp://10.0.0.9:8866"],
    ["::", "tcp://10.0.0.9:8866"],
    ["192.0.2.1", "tcp://192.0.2.1:8866"],
    ["fd00::1", "tcp://[fd00::1]:8866"],
    ["[fd00::1]", "tcp://[fd00::1]:8866"],
  ])("bound to %s: %s", (publisherBindAddress, uri) => {
    expect(publisherUri({ ...config, publisherBindAddress })).toBe(uri);
  });

  it("publishers_ips with transport and port, each once", () => {
    const publishersIps = ["10.0.0.1", "fd00::2", "10.0.0.1"];
    expect(configuredAddresses({ ...config, publishersIps })).toEqual([A, "tcp://[fd00::2]:8866"]);
  });
});
