import { describe, expect, it } from "vitest";
import {
  drain,
  eventsOf,
  failure,
  hex,
  message,
  texts,
  trapRejections,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

const TOO_LATE = "Socket option will not take effect until next connect/bind.";
type Bag = Record<string, unknown>;

describe("Options set late", () => {
  const live: Bag = {
    linger: 5,
    sendHighWaterMark: 5,
    sendHighWaterMarkBytes: 5,
    sendTimeout: 5,
    overflow: "disconnect",
  };
  const next: Bag = {
    reconnectInterval: 5,
    immediate: true,
    conflate: true,
    heartbeatInterval: 5,
    ipv6: true,
    affinity: 5,
    sendBufferSize: 5,
  };

  it.each(Object.entries(next))("%s: a warning, once there is an endpoint", async (name, value) => {
    const world = new World();
    const pub = world.publisher() as unknown as Bag & ReturnType<World["publisher"]>;
    pub[name] = value;
    expect(world.warnings).toEqual([]);
    pub.connect("sim://a");
    pub[name] = value;
    expect(world.warnings).toEqual([TOO_LATE]);
    expect(pub[name]).toBe(value);
    pub.disconnect("sim://a");
    await world.settle();
    pub[name] = value;
    expect(world.warnings).toHaveLength(1);
  });

  it("during a bind and after it too", async () => {
    const world = new World();
    const pull = world.pull();
    const bound = pull.bind("sim://a");
    pull.backlog = 5;
    expect(world.warnings).toEqual([TOO_LATE]);
    await world.run(bound);
    pull.backlog = 6;
    expect(world.warnings).toEqual([TOO_LATE, TOO_LATE]);
  });

  it("not after a bind that failed", async () => {
    const world = new World();
    await world.bind(world.pull());
    const pull = world.pull();
    const failed = failure(() => pull.bind("sim://a"));
    await world.settle();
    expect((await failed).error.code).toBe("EADDRINUSE");
    await world.settle();
    pull.backlog = 5;
    expect(world.warnings).toEqual([]);
  });

  it.each(Object.entries(live))("%s: no warning, for it takes effect", (name, value) => {
    const world = new World();
    const pub = world.publisher() as unknown as Bag & ReturnType<World["publisher"]>;
    pub.connect("sim://a");
    pub[name] = value;
    expect(world.warnings).toEqual([]);
  });

  it("a wrong value: the error, and no warning", () => {
    const world = new World();
    const pull = world.pull();
    pull.connect("sim://a");
    expect(() => {
      pull.backlog = -1;
    }).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(world.warnings).toEqual([]);
  });

  it("what is dialled keeps the values it began with, over reconnects; the next one has the new", async () => {
    const world = new World();
    const timeouts: Record<string, number[]> = { "sim://a": [], "sim://b": [] };
    world.network.dial = (address, options, done) => {
      const { connectTimeout } = options as unknown as { connectTimeout: number };
      timeouts[address]?.push(connectTimeout);
      return world.environment.setTimer(connectTimeout, () => done(new Error("too late"), null));
    };
    const pull = world.pull({ connectTimeout: 500 });
    pull.connect("sim://a");
    pull.connectTimeout = 600;
    pull.connect("sim://b");
    await world.advance(1000);
    expect(timeouts).toEqual({ "sim://a": [500, 500], "sim://b": [600, 600] });
    await world.run(pull.close());
  });

  it("and what is bound has them for every peer", async () => {
    const world = new World();
    const pull = world.pull({ maxMessageSize: 5 });
    await world.bind(pull);
    pull.maxMessageSize = 100;
    const raw = (await world.dialRaw("sim://a")).greet("PUSH").write(message("123456"));
    await world.settle();
    expect(raw.ends).toHaveLength(1);
  });
});

describe("PP-5, E43: high-water marks hold at once", () => {
  it("raising sendHighWaterMark wakes the sends that wait, in order", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 2 });
    push.connect("sim://a");
    const sends = ["1", "2", "3", "4", "5"].map((text) => watch(push.send(text)));
    await world.settle();
    expect(sends.map(({ state }) => state)).toEqual([
      "resolved",
      "resolved",
      "pending",
      "pending",
      "pending",
    ]);
    push.sendHighWaterMark = 4;
    await world.settle();
    expect(sends.map(({ state }) => state)).toEqual([
      "resolved",
      "resolved",
      "resolved",
      "resolved",
      "pending",
    ]);
    push.sendHighWaterMark = 0;
    await world.settle();
    expect(sends.at(-1)?.state).toBe("resolved");
    const pull = world.pull();
    await world.bind(pull);
    await world.advance(1000);
    expect(await drain(pull)).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("lowering it drops nothing, and there is room again when the queue is shorter", async () => {
    const world = new World();
    const push = world.push();
    push.connect("sim://a");
    for (let i = 0; i < 10; i += 1) expect(push.trySend(String(i))).toBe(true);
    push.sendHighWaterMark = 5;
    expect(push.trySend("more")).toBe(false);
    expect(push.stats()).toMatchObject({ queued: 10, dropped: 0 });
  });

  it("sendHighWaterMarkBytes too", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMarkBytes: 100 });
    push.connect("sim://a");
    const sends = ["1", "2", "3"].map((text) => watch(push.send(text)));
    await world.settle();
    expect(sends.map(({ state }) => state)).toEqual(["resolved", "resolved", "pending"]);
    push.sendHighWaterMarkBytes = 1000;
    await world.settle();
    expect(sends[2]?.state).toBe("resolved");
  });

  it("a publisher drops, or no longer does, from the next message on", async () => {
    const world = new World();
    world.network.capacity = 0;
    const pub = world.publisher({ sendHighWaterMark: 1 });
    await world.bind(pub);
    const raw = (await world.dialRaw("sim://a")).greet("SUB").write(hex("00 01 01"));
    await world.settle();
    raw.stream.pause();
    pub.trySend("fills the stream");
    await world.settle();
    for (const text of ["queued", "dropped"]) pub.trySend(text);
    expect(pub.stats()).toMatchObject({ queued: 1, dropped: 1 });
    pub.sendHighWaterMark = 2;
    for (const text of ["queued", "dropped"]) pub.trySend(text);
    expect(pub.stats()).toMatchObject({ queued: 2, dropped: 2 });
  });

  it("raising receiveHighWaterMark lets in what was held up, though nobody takes anything", async () => {
    const world = new World();
    const pull = world.pull({ receiveHighWaterMark: 2 });
    await world.bind(pull);
    const raw = (await world.dialRaw("sim://a")).greet("PUSH");
    for (let i = 0; i < 10; i += 1) {
      raw.write(message(String(i)));
      await world.settle();
    }
    expect(pull.stats().queued).toBe(2);
    pull.receiveHighWaterMark = 8;
    await world.settle();
    expect(pull.stats().queued).toBe(8);
    pull.receiveHighWaterMark = 3;
    expect(texts(await pull.receive())).toEqual(["0"]);
    await world.settle();
    expect(pull.stats().queued).toBe(7);
  });
});

describe("linger holds as it is at close", () => {
  it.each([
    [0, 0],
    [300, 300],
  ])("%s", async (linger, ms) => {
    const world = new World();
    const push = world.push();
    push.connect("sim://nobody");
    void push.send("x");
    push.linger = linger;
    const closed = watch(push.close());
    if (ms > 0) {
      await world.advance(ms - 1);
      expect(closed.state).toBe("pending");
    }
    await world.advance(1);
    expect(closed.state).toBe("resolved");
    expect(push.stats().dropped).toBe(1);
  });
});

describe("Properties that can only be read", () => {
  it("say what the socket is", () => {
    const world = new World();
    const sockets = [world.publisher(), world.subscriber(), world.pull(), world.push()];
    expect(sockets.map(({ type }) => type)).toEqual([1, 2, 7, 8]);
    for (const socket of sockets) {
      expect(socket).toMatchObject({ threadSafe: false, securityMechanism: null, lastEndpoint: null });
      expect(socket.context).toBe(world.context);
    }
  });

  it("are still there after close, as are the options and the counts; only setting is ENOTSOCK", async () => {
    const world = new World();
    const push = world.push({ sendTimeout: 7 });
    push.connect("sim://a");
    void push.send("x");
    push.linger = 0;
    await world.run(push.close());
    expect(push).toMatchObject({ closed: true, lastEndpoint: "sim://a", type: 8, sendTimeout: 7 });
    expect(push).toMatchObject({ readable: false, writable: false });
    expect(push.stats()).toMatchObject({ dropped: 1, queued: 0 });
    expect(() => {
      push.sendTimeout = 8;
    }).toThrow(expect.objectContaining({ code: "ENOTSOCK", errno: 88 }));
    expect(push.sendTimeout).toBe(7);
  });
});

describe("readable and writable: POLLIN and POLLOUT", () => {
  it("of sockets without endpoints", () => {
    const world = new World();
    const states = [world.publisher(), world.subscriber(), world.pull(), world.push()].map(
      ({ readable, writable }) => ({ readable, writable }),
    );
    expect(states).toEqual([
      { readable: false, writable: true },
      { readable: false, writable: false },
      { readable: false, writable: false },
      { readable: false, writable: false },
    ]);
  });

  it("PUSH: as soon as it dials, until the high-water mark", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 1 });
    push.connect("sim://a");
    expect(push.writable).toBe(true);
    void push.send("x");
    expect(push.writable).toBe(false);
    const pull = world.pull();
    await world.bind(pull);
    await world.advance(500);
    expect(push.writable).toBe(true);
    expect(pull).toMatchObject({ readable: true, writable: false });
    await pull.receive();
    expect(pull.readable).toBe(false);
  });

  it("PUSH: one that is bound, when it has a peer", async () => {
    const world = new World();
    const push = world.push();
    await world.bind(push);
    expect(push.writable).toBe(false);
    const pull = world.pull();
    pull.connect("sim://a");
    await world.settle();
    expect(push.writable).toBe(true);
    pull.disconnect("sim://a");
    await world.settle();
    expect(push.writable).toBe(false);
  });

  it.each(["sim://a", "inproc://a"])(
    "XPUB and XSUB over %s: to be written always, as in libzmq",
    async (address) => {
      const world = new World();
      const [publisher, subscriber] = [
        world.xpublisher({ noDrop: true, sendHighWaterMark: 1 }),
        world.xsubscriber(),
      ];
      const states = () => [publisher, subscriber].map(({ readable, writable }) => [readable, writable]);
      const idle = [
        [false, true],
        [false, true],
      ];
      expect(states()).toEqual(idle);
      await world.bind(publisher, address);
      subscriber.connect(address);
      await world.settle();
      expect(states()).toEqual(idle);
      subscriber.trySend("\x01a");
      await world.settle();
      expect(states()).toEqual([
        [true, true],
        [false, true],
      ]);
      await publisher.receive();
      publisher.trySend("a");
      await world.settle();
      expect(states()).toEqual([
        [false, true],
        [true, true],
      ]);
      await subscriber.receive();
      expect(states()).toEqual(idle);
      await world.run(Promise.all([publisher.close(), subscriber.close()]));
      expect(states()).toEqual([
        [false, false],
        [false, false],
      ]);
    },
  );

  it("XPUB: the end of the topics of a peer that is gone is readable", async () => {
    const world = new World();
    const publisher = world.xpublisher();
    await world.bind(publisher);
    const raw = (await world.dialRaw("sim://a")).greet("SUB").write(hex("00 02 01 61"));
    await world.settle();
    expect(await drain(publisher)).toEqual(["\x01a"]);
    raw.stream.destroy();
    await world.settle();
    expect(publisher.readable).toBe(true);
    expect(await drain(publisher)).toEqual(["\0a"]);
    expect(publisher.readable).toBe(false);
  });

  it("what a peer that is gone has left is readable", async () => {
    const world = new World();
    const pull = world.pull();
    await world.bind(pull);
    const raw = (await world.dialRaw("sim://a")).greet("PUSH").write(message("x"));
    await world.settle();
    raw.stream.destroy();
    await world.settle();
    expect(pull.readable).toBe(true);
  });
});

describe("PP-3, NU-10, RC-6, OP-IMMEDIATE: immediate", () => {
  it("nothing is queued for a peer that is not there: every message goes to the one that is", async () => {
    const world = new World();
    const pull = world.pull();
    await world.bind(pull);
    const push = world.push({ immediate: true });
    push.connect("sim://nobody");
    push.connect("sim://a");
    expect(push.writable).toBe(false);
    const first = watch(push.send("0"));
    expect(first.state).toBe("pending");
    await world.settle();
    expect(first.state).toBe("resolved");
    for (let i = 1; i < 10; i += 1) await world.run(push.send(String(i)));
    await world.settle();
    expect(await drain(pull)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    expect(push.stats()).toMatchObject({ sent: 10, queued: 0, dropped: 0 });
  });

  it("without it every second message waits for the peer that is not there", async () => {
    const world = new World();
    const pull = world.pull();
    await world.bind(pull);
    const push = world.push();
    push.connect("sim://nobody");
    push.connect("sim://a");
    await world.settle();
    for (let i = 0; i < 10; i += 1) await world.run(push.send(String(i)));
    await world.settle();
    expect(await drain(pull)).toEqual(["1", "3", "5", "7", "9"]);
  });

  it("a lost connection takes its queue with it, and that is counted; send waits until it is back", async () => {
    const world = new World();
    world.network.capacity = 0;
    const peers = world.listenRaw("sim://a");
    const push = world.push({ immediate: true });
    const events = eventsOf(push);
    push.connect("sim://a");
    await world.settle();
    peers[0]?.greet("PULL").stream;
    await world.settle();
    peers[0]?.stream.pause();
    await world.run(push.send("fills the stream"));
    await world.settle();
    for (const text of ["1", "2", "3"]) await world.run(push.send(text));
    expect(push.stats()).toMatchObject({ sent: 1, queued: 3, dropped: 0 });
    peers[0]?.stream.reset();
    await world.settle();
    expect(push.stats()).toMatchObject({ sent: 1, queued: 0, dropped: 3 });
    expect(push.writable).toBe(false);
    const waiting = watch(push.send("4"));
    await world.advance(200);
    expect(waiting.state).toBe("pending");
    peers[1]?.greet("PULL");
    await world.settle();
    expect(waiting.state).toBe("resolved");
    expect(peers[1]?.received.includes(message("4"))).toBe(true);
    expect(events.map(({ type }) => type)).toEqual([
      "connect:delay",
      "connect",
      "handshake",
      "disconnect",
      "connect:retry",
      "connect:delay",
      "connect",
      "handshake",
    ]);
    await world.run(push.close());
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("close while it lingers and the connection is lost: there is nothing left to wait for", async () => {
    const world = new World();
    world.network.capacity = 0;
    const peers = world.listenRaw("sim://a");
    const push = world.push({ immediate: true });
    push.connect("sim://a");
    await world.settle();
    peers[0]?.greet("PULL");
    await world.settle();
    peers[0]?.stream.pause();
    await world.run(push.send("fills the stream"));
    await world.settle();
    await world.run(push.send("x"));
    const closed = watch(push.close());
    await world.settle();
    expect(closed.state).toBe("pending");
    peers[0]?.stream.reset();
    await world.settle();
    expect(closed.state).toBe("resolved");
    expect(push.stats()).toMatchObject({ sent: 1, dropped: 1 });
  });

  it("disconnect before it was ever connected leaves nothing behind", async () => {
    const world = new World();
    const push = world.push({ immediate: true });
    push.connect("sim://nobody");
    push.disconnect("sim://nobody");
    await world.settle();
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    expect(push.writable).toBe(false);
  });

  it("SUB and PULL: what was received stays readable, subscriptions come back", async () => {
    const world = new World();
    const peers = world.listenRaw("sim://a");
    const sub = world.subscriber({ immediate: true });
    sub.subscribe("");
    sub.connect("sim://a");
    await world.settle();
    peers[0]?.greet("PUB", 0);
    await world.settle();
    peers[0]?.write(message("x"));
    await world.settle();
    peers[0]?.stream.reset();
    await world.advance(200);
    peers[1]?.greet("PUB", 0);
    await world.settle();
    expect(peers[1]?.received.subarray(-3)).toEqual(hex("00 01 01"));
    expect(await drain(sub)).toEqual(["x"]);
  });
});

describe("PS-19, OP-CONFLATE: conflate keeps the last message, whole", () => {
  it("PUSH: the last one waits for the peer; those before it are counted as dropped", async () => {
    const world = new World();
    const push = world.push({ conflate: true, sendHighWaterMark: 1, sendHighWaterMarkBytes: 1 });
    push.connect("sim://a");
    for (let i = 0; i < 100; i += 1) expect(push.trySend([String(i), "body"])).toBe(true);
    expect(push.stats()).toMatchObject({ queued: 1, dropped: 99, sent: 0 });
    const pull = world.pull();
    await world.bind(pull);
    await world.advance(500);
    expect(await drain(pull)).toEqual(["99|body"]);
    expect(push.stats()).toMatchObject({ queued: 0, dropped: 99, sent: 1 });
  });

  it("PUB: a subscriber that does not keep up gets the last", async () => {
    const world = new World();
    world.network.capacity = 0;
    const pub = world.publisher({ conflate: true, overflow: "disconnect", sendHighWaterMark: 1 });
    await world.bind(pub);
    const raw = (await world.dialRaw("sim://a")).greet("SUB").write(hex("00 01 01"));
    await world.settle();
    raw.stream.pause();
    pub.trySend("first");
    await world.settle();
    for (let i = 0; i < 100; i += 1) pub.trySend([String(i), "body"]);
    raw.take();
    raw.stream.resume();
    await world.settle();
    expect(raw.take()).toEqual(Buffer.concat([message("first"), message("99", "body")]));
    expect(pub.stats()).toMatchObject({ sent: 2, dropped: 99, queued: 0 });
  });

  it.each(["pull", "subscriber"] as const)(
    "%s: the last one of each peer waits for the reader",
    async (kind) => {
      const world = new World();
      const socket = world[kind]({ conflate: true, receiveHighWaterMark: 1 });
      if ("subscribe" in socket) socket.subscribe("");
      await world.bind(socket);
      const type = kind === "pull" ? "PUSH" : "PUB";
      for (const name of ["a", "b"]) {
        const raw = (await world.dialRaw("sim://a")).greet(type);
        for (let i = 0; i < 100; i += 1) raw.write(message(`${name}${i}`, "body"));
        await world.settle();
        expect(raw.stream.other.isPaused).toBe(false);
      }
      expect(socket.stats()).toMatchObject({ received: 200, dropped: 198, queued: 2 });
      expect(await drain(socket)).toEqual(["a99|body", "b99|body"]);
    },
  );

  it("a reader that keeps up gets all", async () => {
    const world = new World();
    const pull = world.pull({ conflate: true });
    await world.bind(pull);
    const raw = (await world.dialRaw("sim://a")).greet("PUSH");
    const got: string[] = [];
    const reading = (async () => {
      for await (const parts of pull) got.push(texts(parts).join("|"));
    })();
    for (let i = 0; i < 3; i += 1) {
      raw.write(message(String(i)));
      await world.settle();
    }
    expect(got).toEqual(["0", "1", "2"]);
    await world.run(pull.close());
    await reading;
  });
});
