import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventFrames } from "../../../src/drivers/driver/api.ts";
import { DecodeError } from "../../../src/drivers/errors.ts";
import { PublisherService } from "../../../src/drivers/service/publisher-service.ts";
import type { PublisherServiceOptions } from "../../../src/drivers/service/service-api.ts";
import { ZmqError } from "../../../src/errors.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { Context } from "../../../src/sockets/index.ts";
import { FakePublisher, FakeSubscriber } from "../fakes.ts";

let publisher: FakePublisher;
let subscriber: FakeSubscriber;
let errors: unknown[];
let services: PublisherService[];
/** Who keeps the process alive. */
let holders = 0;
const hold = () => {
  holders += 1;
  return () => {
    holders -= 1;
  };
};

beforeEach(() => {
  vi.useFakeTimers();
  publisher = new FakePublisher();
  subscriber = new FakeSubscriber();
  errors = [];
  services = [];
});
afterEach(async () => {
  const closed = Promise.all(services.map((service) => service.close()));
  await vi.advanceTimersByTimeAsync(5000);
  await closed;
  expect([holders, vi.getTimerCount()]).toEqual([0, 0]);
  vi.useRealTimers();
});

function serviceOf(options: PublisherServiceOptions = {}): PublisherService {
  const onError = (error: unknown) => errors.push(error);
  const context = new Context({ ...nodeEnvironment(), hold, now: () => performance.now() });
  const service = new PublisherService({ publisher, subscriber, onError, context, ...options });
  services.push(service);
  return service;
}

async function running(options: PublisherServiceOptions = {}): Promise<PublisherService> {
  const service = serviceOf(options);
  void service.run();
  await vi.advanceTimersByTimeAsync(0);
  return service;
}

const LPORT = { table: "lport", key: "p1", action: "set", value: "{}", topic: "tenant-1" };
const passes = (ms: number) => vi.advanceTimersByTimeAsync(ms);
/** The actions that were published, in order. */
const actions = () => publisher.published.map(({ action }) => action);
const SYNC = { table: null, key: null, action: "sync", value: null, topic: "D" };

describe("a service before a server, whose end cuts no controller's connection", () => {
  it("publishes one sync at its start, for what its forerunner had in hand", async () => {
    publisher.isBrokered = true;
    const service = await running();
    expect(publisher.published).toMatchObject([SYNC]);
    expect(publisher.frames[0]![0]).toEqual(Buffer.from("D"));
    await passes(10_000);
    expect(service.stats()).toMatchObject({ forwarded: 0, syncs: 1 });
  });

  it("again and again until it gets through", async () => {
    publisher.isBrokered = true;
    let refusals = 3;
    publisher.refuse = () => {
      refusals -= 1;
      if (refusals >= 0) throw new ZmqError("EUNKNOWN");
    };
    await running();
    await passes(60_000);
    expect(publisher.published).toMatchObject([SYNC]);
    expect(errors).toHaveLength(3);
  });

  it("any other service does not: its controllers lose their connection", async () => {
    await running();
    await passes(10_000);
    expect(publisher.published).toEqual([]);
  });
});

describe("dragonflow.md 8.1, forwarding", () => {
  it.each(["json", "map"] as const)("frames of the %s form go on as they came", async (form) => {
    const service = await running();
    const received = await subscriber.receive(LPORT, form);
    expect(publisher.frames).toEqual([received]);
    expect(publisher.frames[0]![1]).toBe(received[1]);
    expect(service.stats()).toMatchObject({ forwarded: 1, failed: 0, syncs: 0, table: null });
  });

  it("the topic frame goes on, also where the payload says another topic; so do fields that we do not know", async () => {
    await running();
    // {"table":null,"key":null,"action":"x","value":null,"topic":"u","seq":1} as a map
    const payload = Buffer.from(
      "86a57461626c65c0a36b6579c0a6616374696f6ea178a576616c7565c0a5746f706963a175a373657101",
      "hex",
    );
    await subscriber.receiveFrames([Buffer.from("a"), payload]);
    expect(publisher.frames).toEqual([[Buffer.from("a"), payload]]);
  });

  it("a publisher that takes frames at once is not waited for; when it does not, it is, and the order stays", async () => {
    const service = await running();
    const taken: unknown[] = [];
    let hasRoom = true;
    const trySendFrames = (frames: EventFrames): boolean => {
      if (hasRoom) taken.push(frames);
      return hasRoom;
    };
    Object.assign(publisher, { trySendFrames });
    const first = await subscriber.receive(LPORT);
    hasRoom = false;
    const second = await subscriber.receive(LPORT);
    expect([taken, publisher.frames]).toEqual([[first], [second]]);
    publisher.refuse = ({ table }) => {
      if (table === "lport") throw new ZmqError("EMSGSIZE");
    };
    await subscriber.receive(LPORT);
    expect(service.stats()).toMatchObject({ forwarded: 2, failed: 1 });
    expect(errors).toMatchObject([{ code: "EMSGSIZE" }]);
  });

  it("initialize() prepares the subscriber and binds the publisher; run() starts receiving; close() ends both", async () => {
    const service = serviceOf();
    await service.initialize();
    await service.initialize();
    expect(holders).toBe(0);
    expect([subscriber.calls, publisher.calls]).toEqual([["initialize"], ["initialize"]]);
    const listening = vi.fn();
    service.events.on("listening", listening);
    const run = service.run();
    expect(service.run()).toBe(run);
    await passes(0);
    expect(holders).toBe(1);
    const ends = { publisher: null, subscriber: null };
    expect(listening).toHaveBeenCalledWith({ type: "listening", uri: "tcp://127.0.0.1:8866", ...ends });
    const closed = service.close();
    expect(service.close()).toBe(closed);
    await passes(50);
    await closed;
    await run;
    expect(subscriber.calls).toEqual(["initialize", "daemonize", "close"]);
    expect(publisher.calls).toEqual(["initialize", "close"]);
    expect([holders, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it.each(["publisher", "subscriber"] as const)(
    "run() rejects when the %s cannot bind, and closes all",
    async (end) => {
      const inUse = new ZmqError("EADDRINUSE");
      (end === "publisher" ? publisher : subscriber).bindError = inUse;
      const refused = expect(serviceOf().run()).rejects.toBe(inUse);
      await passes(50);
      await refused;
      expect(subscriber.calls.at(-1)).toBe("close");
      expect(publisher.calls.at(-1)).toBe("close");
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});

describe("an error of one event stops nothing", () => {
  it("what the publisher refuses is reported and counted, answered by a sync, and the next goes on", async () => {
    const service = await running();
    const refusal = new ZmqError("EAGAIN");
    publisher.refuse = ({ key }) => {
      if (key === "bad") throw refusal;
    };
    const dropped = vi.fn();
    service.events.on("dropped", dropped);
    await subscriber.receive({ ...LPORT, key: "bad" });
    await subscriber.receive(LPORT);
    expect(errors).toEqual([refusal]);
    expect(dropped).toHaveBeenCalledWith({ type: "dropped", count: 1 });
    expect(actions()).toEqual(["sync", "set"]);
    expect(service.stats()).toMatchObject({ forwarded: 1, failed: 1, syncs: 1 });
  });

  it("what the publisher says that it dropped is answered by a sync", async () => {
    await running();
    publisher.events.emit({ type: "dropped", count: 3 });
    expect(actions()).toEqual(["sync"]);
  });

  it("an onError that throws does no harm either", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    await running({
      onError: () => {
        throw new Error("in the handler");
      },
    });
    publisher.refuse = ({ action }) => {
      if (action === "set") throw new DecodeError("x", Buffer.alloc(0));
    };
    await subscriber.receive(LPORT);
    await subscriber.receive({ ...LPORT, action: "create" });
    expect(actions()).toEqual(["sync", "create"]);
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
  });
});

describe("DESIGN 7, a loss at the service: one sync event for everybody", () => {
  it("in the subscriber's place for a sync, on SEND_ALL, with nothing in it", async () => {
    const service = await running();
    const told = vi.fn();
    service.events.on("sync", told);
    await subscriber.receive(LPORT);
    await subscriber.sync();
    await subscriber.receive(LPORT);
    expect(actions()).toEqual(["set", "sync", "set"]);
    expect(Buffer.from(publisher.frames[1]![0]).toString("hex")).toBe("44");
    expect(publisher.published[1]).toEqual({ ...SYNC, form: "map" });
    expect(told).toHaveBeenCalledTimes(1);
  });

  it.each(["json", "map"] as const)("in the form last received: %s", async (form) => {
    await running({ config: { wireForm: form === "json" ? "map" : "json" } });
    await subscriber.receive(LPORT, form === "json" ? "map" : "json");
    await subscriber.receive(LPORT, form);
    await subscriber.sync();
    expect(publisher.published.at(-1)!.form).toBe(form);
  });

  it("in the json form before anything was received, byte for byte as Dragonflow's", async () => {
    await running();
    await subscriber.sync();
    const text = '{"table": null, "key": null, "action": "sync", "value": null, "topic": "D"}';
    expect(publisher.frames[0]).toEqual([Buffer.from("D"), Buffer.from(`\xda\x00\x4b${text}`, "latin1")]);
  });

  it("at most one a second: what is lost meanwhile is answered by one more at its end", async () => {
    await running();
    for (let i = 0; i < 5; i++) await subscriber.sync();
    expect(actions()).toEqual(["sync"]);
    await passes(999);
    expect(actions()).toEqual(["sync"]);
    await passes(1);
    expect(actions()).toEqual(["sync", "sync"]);
    await passes(60_000);
    expect(actions()).toEqual(["sync", "sync"]);
  });

  it("one that cannot be published is tried again until it is", async () => {
    const service = await running();
    publisher.refuse = () => {
      throw new ZmqError("EAGAIN");
    };
    await subscriber.sync();
    await passes(10_000);
    expect(errors.length).toBeGreaterThan(1);
    publisher.refuse = () => {};
    await passes(30_000);
    expect(actions()).toEqual(["sync"]);
    expect(service.stats().syncs).toBe(1);
  });
});

describe("DESIGN 7, closing drains", () => {
  it("what has been received is published before the ends are closed", async () => {
    const service = await running();
    subscriber.queued = 2;
    const closed = service.close();
    await passes(100);
    expect(subscriber.calls).not.toContain("close");
    await subscriber.receive(LPORT);
    await subscriber.receive(LPORT);
    subscriber.queued = 0;
    await passes(50);
    await closed;
    expect(actions()).toEqual(["set", "set"]);
    expect(publisher.calls.at(-1)).toBe("close");
  });

  it("no longer than linger; what is left then is answered by a sync", async () => {
    const service = await running({ config: { linger: 200 } });
    subscriber.queued = 7;
    const closed = service.close();
    await passes(190);
    expect(subscriber.calls).not.toContain("close");
    await passes(20);
    await closed;
    expect(actions()).toEqual(["sync"]);
  });

  it("goes on while events keep coming in, and a sync that is owed goes out without its interval", async () => {
    const service = await running();
    await subscriber.sync();
    await subscriber.sync();
    const closed = service.close();
    for (let i = 0; i < 3; i++) {
      await subscriber.receive(LPORT);
      await passes(10);
    }
    await passes(50);
    await closed;
    expect(actions()).toEqual(["sync", "set", "set", "set", "sync"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("what was dropped just before is answered too", async () => {
    const service = await running();
    publisher.events.emit({ type: "dropped", count: 1 });
    const closed = service.close();
    await passes(50);
    await closed;
    expect(actions()).toEqual(["sync"]);
  });

  it("close() before run(), and with ends that cannot close, never rejects", async () => {
    publisher.close = () => Promise.reject(new Error("stuck"));
    const service = serviceOf();
    await service.close();
    await service.run();
    await expect(service.initialize()).rejects.toMatchObject({ code: "EBADF" });
    expect(errors).toHaveLength(1);
    expect(subscriber.calls).toEqual(["close"]);
  });
});

describe("the drivers that serve", () => {
  const context = new Context(nodeEnvironment());
  const drivers = (config: PublisherServiceOptions["config"]) => {
    const { publisher, subscriber } = new PublisherService({ config: config ?? {}, context });
    return [publisher.constructor.name, subscriber?.constructor.name];
  };

  it("of 2016: one for the network and one between processes", () => {
    expect(drivers({})).toEqual(["ZmqPublisher", "ZmqMultiprocSubscriber"]);
    expect(drivers({ pubSubUseMultiproc: false })).toEqual(["ZmqPublisher", undefined]);
  });

  it("of 2019: both in one", () => {
    const config = { pubSubDriver: "zmq_bind_pubsub_driver", pubSubUseMultiproc: false };
    expect(drivers(config)).toEqual(["ZmqPublisher", "ZmqMultiprocSubscriber"]);
  });

  it.each([
    [{ pubSubDriver: "zmq_connect_pubsub_driver" }, /publishes within the host/],
    [{ pubSubDriver: "zmq_pubsub_multiproc_driver" }, /publishes within the host/],
    [{ pubSubMultiprocDriver: "zmq_pubsub_driver" }, /needs zmq_pubsub_multiproc_driver/],
    [
      { pubSubDriver: "zmq_pubsub" },
      /^pub_sub_driver: Unknown driver zmq_pubsub; known are zmq_pubsub_driver/,
    ],
    [{ pubSubMultiprocDriver: "x" }, /^pub_sub_multiproc_driver is x/],
    [{ publisherTransport: "udp" }, /not supported: udp/],
    [{ publisherPort: -1 }, /publisherPort/],
  ])("%j is refused", (config, message) => {
    expect(() => new PublisherService({ config, context })).toThrow(message);
  });

  it("an option that is none is refused by name", () => {
    expect(() => serviceOf({ subscribe: subscriber } as never)).toThrow(/did you mean subscriber/);
  });
});
