import { describe, expect, it, vi } from "vitest";
import {
  command,
  drain,
  eventsOf,
  failure,
  hex,
  message,
  trapRejections,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

async function connected(options: { publisher?: object; subscriber?: object } = {}) {
  const world = new World();
  const publisher = world.publisher(options.publisher);
  const subscriber = world.subscriber(options.subscriber);
  subscriber.connect(await world.bind(publisher));
  await world.settle();
  return { world, publisher, subscriber };
}

async function rawSubscriber(options: object = {}) {
  const world = new World();
  const publisher = world.publisher(options);
  await world.bind(publisher);
  const raw = (await world.dialRaw("sim://a")).greet("SUB");
  await world.settle();
  raw.take();
  return { world, publisher, raw };
}

async function rawPublisher(options: object = {}, minor = 1) {
  const world = new World();
  const peers = world.listenRaw("sim://a");
  const subscriber = world.subscriber(options);
  subscriber.connect("sim://a");
  await world.settle();
  const raw = peers[0] as NonNullable<(typeof peers)[0]>;
  raw.greet("PUB", minor);
  await world.settle();
  raw.take();
  return { world, peers, raw, subscriber };
}

describe("PS-1, B-21: matching", () => {
  it("is by prefix, on the first frame only; later frames travel with it", async () => {
    const { world, publisher, subscriber } = await connected();
    subscriber.subscribe("ab", Buffer.from([0xff, 0]));
    await world.settle();
    for (const parts of [["ab"], ["abc", "x"], ["a"], ["b", "ab"], [""], ["x", "ab"]])
      publisher.trySend(parts);
    publisher.trySend([Buffer.from([0xff, 0, 7]), "binary"]);
    publisher.trySend([Buffer.from([0xff]), "short"]);
    await world.settle();
    expect(await drain(subscriber)).toEqual(["ab", "abc|x", `${Buffer.from([0xff, 0, 7])}|binary`]);
  });

  it("is on bytes, not on characters", async () => {
    const { world, publisher, subscriber } = await connected();
    subscriber.subscribe(Buffer.from("ü").subarray(0, 1));
    await world.settle();
    publisher.trySend("über");
    publisher.trySend("uber");
    await world.settle();
    expect(await drain(subscriber)).toEqual(["über"]);
  });

  it("the empty subscription takes everything, an empty first frame too", async () => {
    const { world, publisher, subscriber } = await connected();
    subscriber.subscribe();
    await world.settle();
    for (const parts of [[""], ["", "x"], ["a"]]) publisher.trySend(parts);
    await world.settle();
    expect(await drain(subscriber)).toEqual(["", "|x", "a"]);
  });

  it("two topics of one peer that match: one copy", async () => {
    const { world, publisher, subscriber } = await connected();
    subscriber.subscribe("a", "ab", "");
    await world.settle();
    publisher.trySend("abc");
    await world.settle();
    expect(await drain(subscriber)).toEqual(["abc"]);
    expect(publisher.stats().sent).toBe(1);
  });
});

describe("PS-1: peers that have subscribed to something else", () => {
  it.each([
    ["publisher", {}],
    ["publisher", { noDrop: true }],
    ["xpublisher", {}],
  ] as const)("%s %o: none of them gets as much as a byte", async (kind, options) => {
    const world = new World();
    const publisher = world[kind](options);
    await world.bind(publisher);
    const join = async (topic: string) =>
      (await world.dialRaw("sim://a")).greet("SUB").write(command("SUBSCRIBE", topic));
    const wanting = [await join(""), await join("ab")];
    const others = await Promise.all(["abcd", "b", "ac", "\0"].map(join));
    // Nothing at all, and something that was given up.
    others.push((await world.dialRaw("sim://a")).greet("SUB"));
    others.push((await join("abc")).write(command("CANCEL", "abc")));
    await world.settle();
    for (const peer of [...wanting, ...others]) peer.take();
    for (let i = 0; i < 300; i += 1) publisher.trySend(["abc", "x".repeat(i * 10)]);
    await world.settle();
    const sizes = wanting.map((peer) => peer.take().length);
    expect(sizes[0]).toBeGreaterThan(300 * 1500);
    expect(sizes[1]).toBe(sizes[0]);
    expect(others.map((peer) => peer.take().length)).toEqual(others.map(() => 0));
    expect(publisher.stats()).toMatchObject({ sent: 600, dropped: 0 });
  });
});

describe("PS-2: counting", () => {
  it("B-17: what was subscribed to twice must be unsubscribed twice (E23)", async () => {
    const { world, publisher, subscriber } = await connected();
    subscriber.subscribe("a", "a");
    subscriber.unsubscribe("a", "never");
    await world.settle();
    publisher.trySend("a1");
    await world.settle();
    subscriber.unsubscribe("a");
    await world.settle();
    publisher.trySend("a2");
    await world.settle();
    expect(await drain(subscriber)).toEqual(["a1"]);
    expect(publisher.stats().sent).toBe(1);
  });

  it("B-18: on the wire: CANCEL only for the last, nothing for an unknown topic", async () => {
    const { world, raw, subscriber } = await rawPublisher();
    subscriber.subscribe("a", "a");
    subscriber.unsubscribe("a", "unknown");
    await world.settle();
    expect(raw.take()).toEqual(command("SUBSCRIBE", "a"));
    subscriber.unsubscribe("a", "a");
    await world.settle();
    expect(raw.take()).toEqual(command("CANCEL", "a"));
  });

  it("B-17: a publisher keeps a set: one CANCEL undoes any number of SUBSCRIBEs", async () => {
    const { world, publisher, raw } = await rawSubscriber();
    raw.write(command("SUBSCRIBE", "a"), command("SUBSCRIBE", "a"), command("CANCEL", "a"));
    await world.settle();
    publisher.trySend("abc");
    await world.settle();
    expect(raw.take()).toHaveLength(0);
  });

  it("E22: a CANCEL of what nobody wanted harms nothing", async () => {
    const { world, publisher, raw } = await rawSubscriber();
    raw.write(command("CANCEL", "x"), command("CANCEL", ""), message("\0zz"), command("SUBSCRIBE", "a"));
    await world.settle();
    publisher.trySend("abc");
    await world.settle();
    expect(raw.take()).toEqual(message("abc"));
  });

  it("one peer's CANCEL is not another's", async () => {
    const { world, publisher, raw } = await rawSubscriber();
    const other = (await world.dialRaw("sim://a")).greet("SUB").write(command("SUBSCRIBE", "a"));
    raw.write(command("SUBSCRIBE", "a"), command("CANCEL", "a"));
    await world.settle();
    other.take();
    publisher.trySend("abc");
    await world.settle();
    expect(other.take()).toEqual(message("abc"));
    expect(raw.take()).toHaveLength(0);
  });

  it("a topic's bytes are copied at the call", async () => {
    const { world, publisher, subscriber } = await connected();
    const topic = Buffer.from("ab");
    subscriber.subscribe(topic);
    topic.fill("z");
    await world.settle();
    publisher.trySend("abc");
    await world.settle();
    expect(await drain(subscriber)).toEqual(["abc"]);
    subscriber.unsubscribe("ab");
    await world.settle();
    publisher.trySend("abc");
    await world.settle();
    expect(publisher.stats().sent).toBe(1);
  });
});

describe("PS-9: the subscriber filters again", () => {
  it("whole messages whose first frame matches nothing are dropped", async () => {
    const { world, raw, subscriber } = await rawPublisher();
    subscriber.subscribe("a");
    raw.write(message("zzz"), message("a", "zz"), message("z", "abc"));
    await world.settle();
    expect(await drain(subscriber)).toEqual(["a|zz"]);
    expect(subscriber.stats().received).toBe(1);
  });

  it("what comes after unsubscribe is dropped though the publisher does not know yet", async () => {
    const { world, publisher, subscriber } = await connected();
    subscriber.subscribe("a");
    await world.settle();
    publisher.trySend("a");
    subscriber.unsubscribe("a");
    await world.settle();
    expect(await drain(subscriber)).toEqual([]);
  });
});

describe("PS-15, RC-6, E21: all subscriptions again after every reconnect", () => {
  const topics = Array.from({ length: 3000 }, (_, i) => `topic-${i}`);
  const expected = Buffer.concat(topics.map((topic) => command("SUBSCRIBE", topic)));

  it("PS-14, B-20: in full, once each, first of all; nobody receives, high-water marks are low, the stream is full at once", async () => {
    const { world, peers, subscriber } = await rawPublisher({ receiveHighWaterMark: 5 });
    subscriber.subscribe(...topics, ...topics);
    subscriber.subscribe("gone");
    subscriber.unsubscribe("gone");
    world.network.capacity = 100;
    for (let n = 1; n <= 3; n += 1) {
      peers[n - 1]?.stream.reset();
      await world.advance(1000);
      const raw = peers[n];
      raw?.greet("PUB");
      await world.settle();
      expect(raw?.received.subarray(64 + 27)).toEqual(expected);
      raw?.write(message("topic-1")); // three of them stay in the inbox
      await world.settle();
    }
    expect(await drain(subscriber)).toHaveLength(3);
  });

  it("B-19: as messages to a peer that announces 3.0", async () => {
    const { world, peers, subscriber } = await rawPublisher({}, 0);
    subscriber.subscribe("ab");
    await world.settle();
    expect(peers[0]?.take()).toEqual(hex("00 03 01 61 62"));
    peers[0]?.stream.reset();
    await world.advance(1000);
    peers[1]?.greet("PUB", 0);
    await world.settle();
    expect(peers[1]?.received.subarray(-5)).toEqual(hex("00 03 01 61 62"));
  });

  it("also by a SUB that is bound", async () => {
    const world = new World();
    const subscriber = world.subscriber();
    subscriber.subscribe("a");
    await world.bind(subscriber);
    const publisher = world.publisher();
    publisher.connect("sim://a");
    await world.settle();
    publisher.trySend("abc");
    await world.settle();
    expect(await drain(subscriber)).toEqual(["abc"]);
  });

  it("a publisher forgets a peer's subscriptions with the connection", async () => {
    const { world, publisher, raw } = await rawSubscriber();
    raw.write(command("SUBSCRIBE", ""));
    await world.settle();
    raw.stream.reset();
    await world.settle();
    publisher.trySend("x");
    expect(publisher.stats()).toEqual({ sent: 0, received: 0, dropped: 0, queued: 0, peers: [] });
  });

  it("PS-17: a publisher that dials queues nothing before it knows what is wanted", async () => {
    const world = new World();
    const publisher = world.publisher();
    publisher.connect("sim://a");
    publisher.trySend("early");
    await world.settle();
    const peers = world.listenRaw("sim://a");
    await world.advance(300);
    peers[0]?.greet("SUB");
    await world.settle();
    publisher.trySend("early too");
    await world.settle();
    expect(publisher.stats()).toMatchObject({ sent: 0, queued: 0, dropped: 0 });
    peers[0]?.take();
    peers[0]?.write(command("SUBSCRIBE", ""));
    await world.settle();
    publisher.trySend("now");
    await world.settle();
    expect(peers[0]?.take()).toEqual(message("now"));
  });
});

describe("PS-22: a subscriber that closes", () => {
  it("sends no CANCEL: the end of the connection says it all", async () => {
    const { world, raw, subscriber } = await rawPublisher({ linger: 1000 });
    subscriber.subscribe("a", "b");
    await world.settle();
    expect(raw.take()).toEqual(Buffer.concat([command("SUBSCRIBE", "a"), command("SUBSCRIBE", "b")]));
    await world.run(subscriber.close());
    expect(raw.take()).toEqual(Buffer.alloc(0));
    expect(raw.ends).toEqual([null]);
  });
});

describe("PS-11, PS-13: a subscriber that does not keep up", () => {
  async function slow(options: object) {
    const world = new World();
    world.network.capacity = 1000;
    const publisher = world.publisher(options);
    await world.bind(publisher);
    const raws = [await world.dialRaw("sim://a"), await world.dialRaw("sim://a")];
    for (const raw of raws) raw.greet("SUB").write(command("SUBSCRIBE", ""));
    await world.settle();
    for (const raw of raws) raw.take();
    const [stalled, good] = raws as [(typeof raws)[0], (typeof raws)[0]];
    stalled?.stream.pause();
    return { world, publisher, stalled, good };
  }

  it("B-22, E24, N-14: costs only itself; what it misses is whole messages, and counted", async () => {
    const { world, publisher, stalled, good } = await slow({ sendHighWaterMark: 10 });
    for (let i = 0; i < 200; i += 1) {
      publisher.trySend([`topic ${i}`, "x".repeat(20)]);
      await world.settle();
    }
    const whole = Array.from({ length: 200 }, (_, i) => message(`topic ${i}`, "x".repeat(20)));
    expect(good.take()).toEqual(Buffer.concat(whole));
    const [slowStats, goodStats] = publisher.stats().peers;
    expect(goodStats).toMatchObject({ sent: 200, dropped: 0, queued: 0 });
    expect(slowStats?.queued).toBe(10);
    expect((slowStats?.sent ?? 0) + (slowStats?.dropped ?? 0) + 10).toBe(200);
    const kept = 200 - (slowStats?.dropped ?? 0);
    stalled.stream.resume();
    await world.settle();
    publisher.trySend("again");
    await world.settle();
    expect(stalled.take()).toEqual(Buffer.concat([...whole.slice(0, kept), message("again")]));
  });

  it("B-24: send resolves all the same", async () => {
    const { world, publisher } = await slow({ sendHighWaterMark: 1 });
    for (let i = 0; i < 100; i += 1) await world.run(publisher.send("x".repeat(100)));
    expect(publisher.stats().dropped).toBeGreaterThan(80);
  });

  it("bytes: sendHighWaterMarkBytes", async () => {
    const { world, publisher } = await slow({ sendHighWaterMark: 0, sendHighWaterMarkBytes: 10_000 });
    for (let i = 0; i < 300; i += 1) {
      publisher.trySend("x".repeat(36));
      await world.settle();
    }
    expect(publisher.stats().peers[0]?.queued).toBe(100);
  });

  it('overflow "disconnect": it loses its connection, and the event says why', async () => {
    const { world, publisher, stalled, good } = await slow({ sendHighWaterMark: 10, overflow: "disconnect" });
    const events = eventsOf(publisher);
    for (let i = 0; i < 100; i += 1) {
      publisher.trySend("x".repeat(36));
      await world.settle();
    }
    expect(events).toEqual([{ type: "disconnect", address: "sim://a", reason: "overflow" }]);
    expect(stalled.stream.other.isOver).toBe(true);
    expect(good.take()).toHaveLength(100 * 38);
    const { sent, dropped, queued, peers } = publisher.stats();
    expect(peers).toHaveLength(1);
    // From the overflow on it is no peer: what it misses later is no drop.
    expect(dropped).toBe(11);
    expect(queued).toBe(0);
    expect(sent).toBeGreaterThan(100);
  });

  it('overflow "disconnect" in one turn: all that was meant for it is counted, the others get everything', async () => {
    const { world, publisher, good } = await slow({ sendHighWaterMark: 10, overflow: "disconnect" });
    let rounds = 0;
    for (; publisher.stats().peers[0]?.queued !== 10; rounds += 1) {
      publisher.trySend("x".repeat(36));
      await world.settle();
    }
    for (let i = 0; i < 20; i += 1) publisher.trySend("y".repeat(36));
    expect(publisher.stats()).toMatchObject({ queued: 0, dropped: 10 + 20, sent: 2 * rounds - 10 + 20 });
    await world.settle();
    expect(good.ends).toEqual([]);
    expect(good.take()).toHaveLength((rounds + 20) * 38);
    expect(publisher.stats()).toMatchObject({ queued: 0, dropped: 10 + 20, sent: 2 * rounds - 10 + 20 });
  });

  it("a PUB that dialled: after the overflow it is connected again and goes on", async () => {
    const world = new World();
    world.network.capacity = 1000;
    const peers = world.listenRaw("sim://a");
    const publisher = world.publisher({ sendHighWaterMark: 3, overflow: "disconnect" });
    const events = eventsOf(publisher);
    publisher.connect("sim://a");
    await world.settle();
    peers[0]?.greet("SUB").write(command("SUBSCRIBE", ""));
    await world.settle();
    peers[0]?.stream.pause();
    for (let i = 0; i < 50; i += 1) {
      publisher.trySend("x".repeat(100));
      await world.settle();
    }
    await world.advance(300);
    expect(events.find((event) => event.type === "disconnect")).toMatchObject({
      reason: "overflow",
      retryIn: expect.any(Number),
    });
    peers[1]?.greet("SUB").write(command("SUBSCRIBE", ""));
    await world.settle();
    peers[1]?.take();
    publisher.trySend("back");
    await world.settle();
    expect(peers[1]?.take()).toEqual(message("back"));
  });
});

describe("A message for many", () => {
  it("is encoded once, one for a single subscriber straight into its output", async () => {
    const { world, publisher, subscriber } = await connected();
    const others = [world.subscriber(), world.subscriber(), world.subscriber()];
    for (const one of [subscriber, ...others]) {
      one.subscribe(one === subscriber ? "" : "many");
      if (one !== subscriber) one.connect("sim://a");
    }
    await world.settle();
    // What the connections need for their output they have asked for already.
    const sizes: number[] = [];
    const note = (size: number): Uint8Array => {
      sizes.push(size);
      return Buffer.alloc(size);
    };
    const allocations = [
      vi.spyOn(world.environment, "allocate").mockImplementation(note),
      vi.spyOn(world.environment, "allocateUnseen").mockImplementation(note),
    ];
    await publisher.send(["many", "x".repeat(100)]);
    expect(sizes).toEqual([2 + 4 + 2 + 100]);
    await publisher.send(["one", "x"]);
    expect(sizes).toHaveLength(1);
    for (const one of allocations) one.mockRestore();
    await world.settle();
    for (const one of others) expect(await drain(one)).toEqual([`many|${"x".repeat(100)}`]);
    await world.run(publisher.close());
  });
});

describe("send with a signal", () => {
  it("that was aborted: nothing is sent; it waits for nothing else, so a later abort changes nothing", async () => {
    const { world, publisher, subscriber } = await connected();
    subscriber.subscribe("");
    await world.settle();
    const abort = new AbortController();
    await publisher.send("before", { signal: abort.signal });
    abort.abort();
    const aborted = watch(publisher.send("after", { signal: abort.signal }));
    await world.settle();
    expect(aborted).toMatchObject({ state: "rejected", error: { name: "AbortError" } });
    expect(await drain(subscriber)).toEqual(["before"]);
  });
});

describe("PS-24: order", () => {
  it("of one publisher's messages is kept, whatever the chunks; publishers take turns", async () => {
    const world = new World(7);
    world.network.maxChunk = 5;
    const subscriber = world.subscriber();
    subscriber.subscribe("");
    const publishers = ["a", "b"].map(() => world.publisher());
    for (const [i, publisher] of publishers.entries()) {
      await world.bind(publisher, `sim://p${i}`);
      subscriber.connect(`sim://p${i}`);
    }
    await world.settle();
    for (let n = 0; n < 20; n += 1) {
      for (const [i, publisher] of publishers.entries()) publisher.trySend([`${i}`, `${n}`]);
    }
    await world.settle();
    const seen = await drain(subscriber);
    for (const i of [0, 1]) {
      expect(seen.filter((one) => one.startsWith(`${i}`))).toEqual(
        Array.from({ length: 20 }, (_, n) => `${i}|${n}`),
      );
    }
    expect(
      seen
        .slice(0, 4)
        .map((one) => one[0])
        .sort(),
    ).toEqual(["0", "0", "1", "1"]);
  });
});

describe("subscribed: late joiners (PS-16)", () => {
  it("N-5: resolves when so many peers hold a prefix of the topic; what is sent then reaches them", async () => {
    const world = new World();
    const publisher = world.publisher();
    await world.bind(publisher);
    const two = watch(publisher.subscribed("topic", { count: 2 }));
    const subscribers = [world.subscriber(), world.subscriber()];
    for (const subscriber of subscribers) subscriber.connect("sim://a");
    subscribers[0]?.subscribe("to");
    subscribers[1]?.subscribe("topical");
    await world.settle();
    expect(two.state).toBe("pending");
    expect(world.holds).toBe(1);
    subscribers[1]?.subscribe("");
    await world.settle();
    expect(two.state).toBe("resolved");
    expect(world.holds).toBe(0);
    publisher.trySend("topic!");
    await world.settle();
    for (const subscriber of subscribers) expect(await drain(subscriber)).toEqual(["topic!"]);
    await publisher.subscribed(Buffer.from("topic"), { count: 2 });
  });

  it("one peer with two prefixes is one", async () => {
    const { world, publisher, subscriber } = await connected();
    subscriber.subscribe("a", "ab");
    await world.settle();
    const two = watch(publisher.subscribed("abc", { count: 2 }));
    await world.settle();
    expect(two.state).toBe("pending");
    await world.run(publisher.close());
  });

  it("a signal ends it, and so does close (EAGAIN)", async () => {
    const world = new World();
    const publisher = world.publisher();
    const abort = new AbortController();
    const aborted = watch(publisher.subscribed("a", { signal: abort.signal }));
    const closed = watch(publisher.subscribed("a"));
    abort.abort();
    await world.run(publisher.close());
    expect(aborted).toMatchObject({ state: "rejected", error: { name: "AbortError" } });
    expect(closed).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    expect(world.holds).toBe(0);
  });

  it("what is no signal is a TypeError, and keeps nothing alive", async () => {
    const world = new World();
    const publisher = world.publisher();
    const call = watch(publisher.subscribed("a", { signal: {} as AbortSignal }));
    await world.settle();
    expect(call).toMatchObject({ state: "rejected", error: { name: "TypeError" } });
    expect(world.holds).toBe(0);
    await world.run(publisher.close());
  });

  it("the topic is copied at the call", async () => {
    const { world, publisher, subscriber } = await connected();
    const topic = Buffer.from("ab");
    const subscribed = watch(publisher.subscribed(topic));
    topic.fill("z");
    subscriber.subscribe("a");
    await world.settle();
    expect(subscribed.state).toBe("resolved");
  });
});

describe("confirmed", () => {
  it("answered: what is published from then on is received", async () => {
    const { world, publisher, subscriber } = await connected();
    subscriber.subscribe("a");
    expect(await world.run(subscriber.confirmed())).toBe("answered");
    publisher.trySend("abc");
    await world.settle();
    expect(await drain(subscriber)).toEqual(["abc"]);
    expect(world.left).toMatchObject({ holds: 0 });
  });

  it("assumed, a second after all has left: a peer that answers no PING", async () => {
    const { world, raw, subscriber } = await rawPublisher();
    subscriber.subscribe("a");
    world.network.capacity = 10;
    raw.stream.pause();
    const confirmed = watch(subscriber.confirmed());
    await world.advance(5000);
    expect(confirmed.state).toBe("pending"); // the bytes are still on their way
    raw.stream.resume();
    await world.advance(999);
    expect(confirmed.state).toBe("pending");
    await world.advance(1);
    expect(confirmed).toMatchObject({ state: "resolved", value: "assumed" });
  });

  it("a peer that announces 3.0 gets no PING", async () => {
    const { world, raw, subscriber } = await rawPublisher({}, 0);
    subscriber.subscribe("a");
    const confirmed = watch(subscriber.confirmed());
    await world.advance(1000);
    expect(confirmed.value).toBe("assumed");
    expect(raw.take()).toEqual(hex("00 02 01 61"));
  });

  it("ECONNRESET when the connection is lost meanwhile, EAGAIN when nobody is connected", async () => {
    const { world, raw, subscriber } = await rawPublisher();
    const confirmed = watch(subscriber.confirmed());
    raw.stream.reset();
    await world.settle();
    expect(confirmed).toMatchObject({ state: "rejected", error: { code: "ECONNRESET", address: "sim://a" } });
    expect((await failure(() => subscriber.confirmed())).error.code).toBe("EAGAIN");
    void subscriber.close();
    await world.settle();
    expect(world.left).toMatchObject({ holds: 0, timers: 0 });
  });
});

describe("E46: what a PUB is sent that is no subscription", () => {
  it("is dropped, and holds up nothing", async () => {
    const { world, publisher, raw } = await rawSubscriber({ maxMessageSize: 100 });
    for (let i = 0; i < 2000; i += 1) raw.write(message("hello", "there"));
    raw.write(command("SUBSCRIBE", ""));
    await world.settle();
    expect(raw.stream.inFlight).toBe(0);
    publisher.trySend("x");
    await world.settle();
    expect(raw.take()).toEqual(message("x"));
    expect(publisher.stats()).toMatchObject({ received: 0, queued: 0 });
  });
});
