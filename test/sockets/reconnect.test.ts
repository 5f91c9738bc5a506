import { describe, expect, it } from "vitest";
import { ZmqError } from "../../src/errors.ts";
import {
  type AnyEvent,
  command,
  eventsOf,
  failure,
  greeting,
  hex,
  message,
  ready,
  trapRejections,
  typesOf,
  World,
} from "../support/sim-sockets.ts";

trapRejections();

const address = "sim://a";

/** The times between the dials to an address, while its peers do this. */
async function gaps(options: object, time: number, peer?: (raw: ReturnType<World["listenRaw"]>[0]) => void) {
  const world = new World();
  const pull = world.pull(options);
  if (peer !== undefined) {
    const peers = world.listenRaw(address);
    pull.events.on("connect", () => peer(peers.at(-1) as (typeof peers)[0]));
  }
  pull.connect(address);
  await world.advance(time);
  const times = world.network.dials.map((dial) => dial.at);
  await world.run(pull.close());
  expect(world.left.timers).toBe(0);
  return times.slice(1).map((at, i) => at - (times[i] as number));
}

describe("RC-1, N-21: what is dialled again", () => {
  const endings: [string, (raw: ReturnType<World["listenRaw"]>[0]) => void][] = [
    ["closed at once", (raw) => raw.stream.end()],
    ["closed after the greeting", (raw) => raw.write(greeting()).stream.end()],
    ["closed after READY", (raw) => raw.greet("PUSH").stream.end()],
    ["reset", (raw) => raw.stream.reset()],
    ["text that is no ZMTP", (raw) => raw.write(Buffer.from("SSH-2.0-x\r\n"))],
    ["a type that does not fit", (raw) => raw.write(greeting(), ready("SUB"))],
    ["a frame that is broken", (raw) => raw.greet("PUSH").write(hex("08 00"))],
    ["silence", () => {}],
  ];
  it.each(endings)("E29: after this end it is dialled again: %s", async (_name, peer) => {
    expect((await gaps({ handshakeInterval: 50 }, 5000, peer)).length).toBeGreaterThan(2);
  });

  it("but not after ERROR", async () => {
    const times = await gaps({}, 60_000, (raw) => raw.write(greeting(), command("ERROR", "\0")));
    expect(times).toEqual([]);
  });
});

describe("RC-2, OP-RECONNECT_IVL, N-21: how long it takes", () => {
  it("B-30: refused: the interval and up to as much again, without growth", async () => {
    const times = await gaps({ reconnectInterval: 50 }, 20_000);
    expect(times.length).toBeGreaterThan(200);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...times)).toBeLessThan(100);
    expect(new Set(times).size).toBeGreaterThan(10);
  });

  it("B-30: with a maximum: up to 50, 100, 200, 400 ms, at random below", async () => {
    const times = await gaps({ reconnectInterval: 50, reconnectMaxInterval: 400 }, 60_000);
    for (const [i, most] of [50, 100, 200].entries()) expect(times[i]).toBeLessThanOrEqual(most);
    expect(Math.max(...times)).toBeLessThanOrEqual(400);
    expect(Math.max(...times.slice(5))).toBeGreaterThan(200);
  });

  it("B-29: failed handshakes always back off, up to 30 s", async () => {
    const times = await gaps({ reconnectInterval: 50 }, 600_000, (raw) => raw.stream.end());
    expect(times.length).toBeLessThan(60);
    expect(times[0]).toBeLessThan(200);
    expect(Math.max(...times)).toBeGreaterThan(15_000);
    expect(Math.max(...times)).toBeLessThanOrEqual(30_000);
  });

  it("reconnectFirst: the first attempt after a good connection waits 0 to so many ms", async () => {
    const world = new World();
    const peers = world.listenRaw(address);
    const pull = world.pull({ reconnectInterval: 1000, reconnectFirst: 50 });
    pull.connect(address);
    await world.settle();
    peers[0]?.greet("PUSH");
    await world.advance(10_000);
    const lost = world.time;
    peers[0]?.stream.reset();
    await world.advance(60);
    expect(peers).toHaveLength(2);
    expect((world.network.dials[1]?.at ?? 0) - lost).toBeLessThanOrEqual(50);
  });

  it("E30: after a thousand failures there is one timer", async () => {
    const world = new World();
    const pull = world.pull({ reconnectInterval: 10 });
    pull.connect(address);
    await world.advance(15_000);
    expect(world.network.dials.length).toBeGreaterThan(900);
    expect(world.left).toEqual({ holds: 0, timers: 1, streams: 0, listeners: 0 });
  });
});

describe("RC-4, OP-CONNECT_TIMEOUT: connectTimeout", () => {
  it("bounds each attempt; then an event says so, and the next one follows", async () => {
    const world = new World();
    const timeouts: number[] = [];
    world.network.dial = (_address, { connectTimeout }, done) => {
      timeouts.push(connectTimeout);
      return world.environment.setTimer(connectTimeout, () => done(new ZmqError("ETIMEDOUT"), null));
    };
    const pull = world.pull({ connectTimeout: 500 });
    const events = eventsOf(pull);
    pull.connect(address);
    await world.advance(1000);
    expect(timeouts).toEqual([500, 500]);
    expect(events).toMatchObject([
      { type: "connect:delay", address },
      { type: "close", address, error: { code: "ETIMEDOUT" } },
      { type: "connect:retry", address, interval: expect.any(Number), error: { code: "ETIMEDOUT" } },
      { type: "connect:delay", address },
    ]);
    await world.run(pull.close());
    expect(world.left.timers).toBe(0);
  });
});

describe("RC-5: nothing is dialled after disconnect and close", () => {
  it.each(["disconnect", "close"] as const)("%s while it waits for the next attempt", async (how) => {
    const world = new World();
    const pull = world.pull();
    pull.connect(address);
    await world.advance(50);
    if (how === "disconnect") pull.disconnect(address);
    else await world.run(pull.close());
    await world.advance(60_000);
    expect(world.network.dials).toHaveLength(1);
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });

  it("a port that refuses is not given up, as by reconnectStop in libzmq: it may open at any time", async () => {
    const world = new World();
    const pull = world.pull({ reconnectMaxInterval: 1000 });
    pull.connect(address);
    await world.advance(600_000);
    const { length } = world.network.dials;
    expect(length).toBeGreaterThan(600);
    const peers = world.listenRaw(address);
    await world.advance(1000);
    expect(peers).toHaveLength(1);
  });
});

describe("RC-6: what a new connection begins with", () => {
  it("SUB: all that it is subscribed to, what came and went meanwhile included", async () => {
    const world = new World();
    const peers = world.listenRaw(address);
    const sub = world.subscriber();
    sub.subscribe("a", "b");
    sub.connect(address);
    await world.settle();
    peers[0]?.greet("PUB");
    await world.settle();
    peers[0]?.stream.reset();
    await world.settle();
    sub.unsubscribe("a");
    sub.subscribe("c");
    await world.advance(200);
    peers[1]?.greet("PUB");
    await world.settle();
    // In no particular order.
    const subscriptions = ["b", "c"].map((topic) => command("SUBSCRIBE", topic).toString("latin1"));
    const received = peers[1]?.received.toString("latin1").slice(64 + ready("SUB").length) ?? "";
    const size = subscriptions[0]?.length ?? 0;
    expect([received.slice(0, size), received.slice(size)].sort()).toEqual(subscriptions);
  });

  it("PUSH: what was queued meanwhile, in order", async () => {
    const world = new World();
    const peers = world.listenRaw(address);
    const push = world.push();
    push.connect(address);
    await world.settle();
    peers[0]?.greet("PULL");
    await world.settle();
    push.trySend("1");
    await world.settle();
    peers[0]?.stream.reset();
    await world.settle();
    push.trySend("2");
    push.trySend("3");
    await world.advance(200);
    peers[1]?.greet("PULL");
    await world.settle();
    expect(peers[1]?.received.subarray(64 + ready("PUSH").length)).toEqual(
      Buffer.concat([message("2"), message("3")]),
    );
  });
});

describe("E30: connect to one address twice", () => {
  it("PUSH and PULL: two connections, two timers; disconnect ends both", async () => {
    const world = new World();
    const push = world.push();
    push.connect(address);
    push.connect(address);
    await world.advance(10_000);
    expect(world.left.timers).toBe(2);
    push.disconnect(address);
    expect(world.left.timers).toBe(0);
  });

  it("SUB: one, as libzmq", async () => {
    const world = new World();
    const sub = world.subscriber();
    sub.connect(address);
    sub.connect(address);
    await world.advance(10_000);
    expect(world.left.timers).toBe(1);
  });
});

describe("RC-3: reconnectInterval -1 and 0", () => {
  it.each([-1, 0])(
    "%i: refused once, the endpoint is gone, and an event says so",
    async (reconnectInterval) => {
      const world = new World();
      const push = world.push({ reconnectInterval, sendTimeout: 0 });
      const events = eventsOf(push);
      push.connect(address);
      push.trySend("x");
      await world.advance(10_000);
      expect(world.network.dials).toHaveLength(1);
      expect(events).toMatchObject([
        { type: "connect:delay", address },
        { type: "close", address, error: { code: "ECONNREFUSED" } },
      ]);
      expect((await failure(() => push.disconnect(address))).error.code).toBe("ENOENT");
      expect(push.stats()).toMatchObject({ sent: 0, dropped: 1, queued: 0, peers: [] });
      expect(push.trySend("x")).toBe(false);
    },
  );

  it.each([-1, 0])("%i: after a loss the endpoint is gone", async (reconnectInterval) => {
    const world = new World();
    const peers = world.listenRaw(address);
    const pull = world.pull({ reconnectInterval });
    const events = eventsOf(pull);
    pull.connect(address);
    await world.settle();
    peers[0]?.greet("PUSH");
    await world.settle();
    peers[0]?.stream.reset();
    await world.advance(10_000);
    expect(typesOf(events)).toEqual(["connect:delay", "connect", "handshake", "disconnect"]);
    expect("retryIn" in (events.at(-1) as AnyEvent)).toBe(false);
    expect((await failure(() => pull.disconnect(address))).error.code).toBe("ENOENT");
  });
});

describe("HB-5, OP-HEARTBEAT: heartbeats through a socket", () => {
  async function beating(options: object, minor = 1) {
    const world = new World();
    const pull = world.pull({ heartbeatInterval: 100, heartbeatTimeout: 50, ...options });
    const events = eventsOf(pull);
    await world.bind(pull);
    const raw = (await world.dialRaw(address)).greet("PUSH", minor);
    await world.settle();
    raw.take();
    return { world, pull, raw, events };
  }
  const ping = hex("04 07 04 50494e47 0000");
  const pong = hex("04 05 04 504f4e47");

  it("a PING each interval; a peer that answers stays", async () => {
    const { world, raw, events } = await beating({});
    for (let i = 0; i < 20; i += 1) {
      await world.advance(110);
      expect(raw.take()).toEqual(ping);
      raw.write(pong);
    }
    expect(typesOf(events)).toEqual(["bind", "accept", "handshake"]);
  });

  it("N-4: one that has become a black hole is given up in time", async () => {
    const { world, raw, events, pull } = await beating({});
    raw.stream.stall();
    raw.stream.other.stall();
    await world.advance(140);
    expect(events).toHaveLength(3);
    await world.advance(60);
    expect(events.at(-1)).toMatchObject({
      type: "disconnect",
      reason: "heartbeat",
      error: { code: "ERR_ZMTP_HEARTBEAT_TIMEOUT" },
    });
    expect(pull.stats().peers).toEqual([]);
    expect(world.left.timers).toBe(0);
  });

  it("any traffic is a sign of life", async () => {
    const { world, raw, events } = await beating({});
    for (let i = 0; i < 50; i += 1) {
      await world.advance(40);
      raw.write(message("x"));
    }
    expect(events).toHaveLength(3);
  });

  it("a blocked process does not take a living peer for dead", async () => {
    const { world, raw, events } = await beating({});
    await world.advance(110); // a PING is out
    raw.write(pong);
    await world.block(3000);
    await world.advance(50);
    raw.write(pong);
    await world.advance(90);
    expect(events).toHaveLength(3);
    await world.block(3000);
    await world.advance(200);
    expect(events.at(-1)).toMatchObject({ reason: "heartbeat" });
  });

  it('heartbeatPeers "able": a peer that announces 3.0 gets none until it has sent one', async () => {
    const { world, raw, events } = await beating({ heartbeatPeers: "able" }, 0);
    await world.advance(60_000);
    expect(raw.take()).toHaveLength(0);
    expect(events).toHaveLength(3);
    raw.write(ping);
    await world.advance(120);
    expect(raw.take()).toEqual(Buffer.concat([pong, ping]));
  });

  it("fifty connections share one timer", async () => {
    const { world, raw } = await beating({});
    for (let i = 0; i < 50; i += 1) (await world.dialRaw(address)).greet("PUSH");
    await world.advance(50);
    expect(world.timers.size).toBe(1);
    void raw;
  });

  it("the longest interval is no timer that fires at once", async () => {
    const { world } = await beating({ heartbeatInterval: 2 ** 31 - 1, handshakeInterval: 0 });
    for (const timer of world.timers) expect(timer.at - world.time).toBeLessThanOrEqual(2 ** 31 - 1);
    expect(world.timers.size).toBe(1);
  });
});

describe("E45: two hundred silent connections beside a good one", () => {
  it("starve nobody", async () => {
    const world = new World();
    const push = world.push();
    await world.bind(push);
    for (let i = 0; i < 200; i += 1) await world.dialRaw(address);
    const pull = world.pull();
    pull.connect(address);
    await world.settle();
    for (let i = 0; i < 10; i += 1) push.trySend(String(i));
    await world.settle();
    expect(pull.stats().received).toBe(10);
    expect(push.stats().peers).toHaveLength(1);
    await world.advance(31_000);
    expect(world.left.streams).toBe(2);
  });
});
