import { describe, expect, it } from "vitest";
import {
  drain,
  eventsOf,
  hex,
  message,
  type RawPeer,
  trapRejections,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => String(from + i));
const all = (from: number, to: number): Buffer =>
  Buffer.concat(numbers(to - from, from).map((n) => message(n)));

async function bound(options = {}) {
  const world = new World();
  const pull = world.pull(options);
  await world.bind(pull);
  const raw = (await world.dialRaw("sim://a")).greet("PUSH");
  await world.settle();
  return { world, pull, raw, far: raw.stream.other };
}

describe("PP-6: the inbox at its high-water mark", () => {
  it("stops reading, resumes when half of it was taken", async () => {
    const { world, pull, raw, far } = await bound({ receiveHighWaterMark: 10 });
    for (let i = 0; i < 30; i += 1) {
      raw.write(message(String(i)));
      await world.settle();
    }
    expect(pull.stats().queued).toBe(10);
    expect(far.isPaused).toBe(true);
    for (let i = 0; i < 4; i += 1) await pull.receive();
    expect([far.isPaused, pull.stats().queued]).toEqual([true, 6]);
    await pull.receive(); // 5 left
    expect(pull.stats().queued).toBe(6); // and one that had been read already
    expect(far.isPaused).toBe(false);
    await world.settle();
    expect(pull.stats().queued).toBe(10);
    expect(await drainAll(world, pull)).toEqual(numbers(25, 5));
  });

  it("a flood is taken in a thousand messages a turn, however high the mark, and a PING in it is answered", async () => {
    const { world, pull, raw } = await bound({ receiveHighWaterMark: 0 });
    const taken: number[] = [];
    const look = (): void => {
      taken.push(pull.stats().queued);
      if (taken.length < 10) world.environment.nextTurn(look);
    };
    raw.take();
    raw.write(all(0, 3500), hex("04 07 04 50494e47 0000"));
    world.environment.nextTurn(look);
    await world.settle();
    expect(taken.map((queued, i) => queued - (taken[i - 1] ?? 0)).every((more) => more <= 1000)).toBe(true);
    expect(taken.at(-1)).toBe(3500);
    expect(raw.take()).toEqual(hex("04 05 04 504f4e47"));
  });

  it("bytes count: size and 64 for each part", async () => {
    const { world, pull, raw } = await bound({ receiveHighWaterMark: 0, receiveHighWaterMarkBytes: 1000 });
    for (let i = 0; i < 30; i += 1) raw.write(message("x".repeat(36)));
    await world.settle();
    expect(pull.stats().queued).toBe(10);
  });

  it("empty parts are not free", async () => {
    const { world, pull, raw } = await bound({ receiveHighWaterMark: 0, receiveHighWaterMarkBytes: 6400 });
    raw.write(message(...Array.from({ length: 50 }, () => "")));
    raw.write(message(...Array.from({ length: 50 }, () => "")));
    raw.write(message("third"));
    await world.settle();
    expect(pull.stats().queued).toBe(2);
  });

  it("one peer that is too fast does not hold up another", async () => {
    const { world, pull, raw } = await bound({ receiveHighWaterMark: 5 });
    raw.write(all(0, 100));
    await world.settle();
    const other = (await world.dialRaw("sim://a")).greet("PUSH").write(message("other"));
    await world.settle();
    expect(other.stream.inFlight).toBe(0);
    expect((await drain(pull)).slice(0, 3)).toContain("other");
  });

  it.each(["end", "destroy"] as const)("nothing is lost when the peer closes meanwhile (%s)", async (how) => {
    const { world, pull, raw } = await bound({ receiveHighWaterMark: 10 });
    const events = eventsOf(pull);
    raw.write(all(0, 100)); // one chunk: it is here, but handed out only as far as the mark
    await world.settle();
    raw.stream[how]();
    await world.settle();
    expect(pull.stats()).toMatchObject({ queued: 10, peers: [{ received: 10 }] });
    expect(events).toEqual([]);
    expect(await drainAll(world, pull)).toEqual(numbers(100));
    expect(events).toEqual([{ type: "disconnect", address: "sim://a", reason: "peer" }]);
  });

  it("nor when heartbeats run, and the peer is silent as long as we do not read", async () => {
    const { world, pull, raw } = await bound({
      receiveHighWaterMark: 10,
      heartbeatInterval: 100,
      heartbeatTimeout: 100,
    });
    raw.write(all(0, 100));
    await world.advance(10_000);
    const ended = (await world.dialRaw("sim://a")).greet("PUSH").write(all(100, 200));
    await world.settle();
    ended.stream.destroy();
    await world.advance(10_000);
    expect((await drainAll(world, pull)).sort()).toEqual(numbers(200).sort());
  });

  it("once we read again, silence counts again", async () => {
    const { world, pull, raw } = await bound({ receiveHighWaterMark: 10, heartbeatInterval: 100 });
    const events = eventsOf(pull);
    raw.write(all(0, 11));
    await world.advance(1000);
    expect(events).toEqual([]);
    await drainAll(world, pull);
    await world.advance(1000);
    expect(events).toMatchObject([{ type: "disconnect", reason: "heartbeat" }]);
  });

  it("a peer's TTL counts again too, though nothing else is due", async () => {
    const { world, pull, raw } = await bound({ receiveHighWaterMark: 10 });
    const events = eventsOf(pull);
    raw.write(all(0, 11), hex("04 07 04 50494e47 0002")); // PING with a TTL of 200 ms
    await world.advance(1000);
    expect(events).toEqual([]);
    await drainAll(world, pull);
    await world.advance(300);
    expect(events).toMatchObject([{ type: "disconnect", reason: "heartbeat" }]);
  });

  it("what was kept stays readable when the peer is gone and after unbind (EP-10)", async () => {
    const { world, pull, raw } = await bound();
    raw.write(all(0, 5));
    await world.settle();
    raw.stream.reset();
    const other = (await world.dialRaw("sim://a")).greet("PUSH").write(all(5, 10));
    await world.settle();
    await world.run(pull.unbind("sim://a"));
    other.write(all(10, 15));
    await world.settle();
    expect(pull.stats()).toMatchObject({ received: 10, queued: 10, peers: [] });
    expect((await drain(pull)).sort()).toEqual(numbers(10));
    expect(pull.stats()).toMatchObject({ received: 10, queued: 0 });
    expect(other.ends).toEqual([null]);
  });

  it("close and unbind end while nobody takes messages, though the peer has ended before", async () => {
    for (const end of ["close", "unbind"] as const) {
      const { world, pull, raw } = await bound({ receiveHighWaterMark: 2 });
      raw.write(all(0, 10));
      await world.settle();
      raw.stream.end();
      await world.settle();
      const ended = watch(end === "close" ? pull.close() : pull.unbind("sim://a"));
      await world.settle();
      expect(ended.state).toBe("resolved");
      expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    }
  });

  it("and while we do not read", async () => {
    const { world, pull, raw } = await bound({ receiveHighWaterMark: 2 });
    for (let i = 0; i < 10; i += 1) raw.write(message(String(i)));
    await world.settle();
    const closed = watch(pull.close());
    await world.settle();
    expect(closed.state).toBe("resolved");
    expect(raw.ends).toEqual([null]);
  });
});

describe("A dialled PULL or SUB", () => {
  it("that took nothing is connected anew as soon as the application has taken what was received", async () => {
    const world = new World();
    const peers = world.listenRaw("sim://a");
    const sub = world.subscriber({ receiveHighWaterMark: 10 });
    sub.subscribe("");
    sub.connect("sim://a");
    await world.settle();
    peers[0]?.greet("PUB").write(all(0, 50));
    await world.settle();
    peers[0]?.stream.destroy();
    await world.advance(500);
    expect(await drainAll(world, sub)).toEqual(numbers(50));
    await world.advance(500);
    peers[1]?.greet("PUB");
    await world.settle();
    expect(peers[1]?.received.includes("SUBSCRIBE")).toBe(true);
  });
});

describe("A peer that asks and does not read", () => {
  it("gets no endless row of PONGs", async () => {
    const { world, pull, raw } = await bound();
    world.network.capacity = 1000;
    raw.stream.pause();
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => hex("04 07 04 50494e47 0000")));
    for (let i = 0; i < 100; i += 1) {
      raw.write(pings);
      await world.settle();
    }
    expect(raw.stream.inFlight).toBe(0); // we have read them all
    expect(raw.stream.other.inFlight).toBeLessThan(2 * 1024 * 7);
    raw.stream.resume();
    await world.settle();
    expect(raw.received.length).toBeLessThan(3 * 1024 * 7);
    raw.take();
    raw.write(hex("04 07 04 50494e47 0000"));
    await world.settle();
    expect(raw.take()).toEqual(hex("04 05 04 504f4e47"));
    void pull.close();
  });
});

describe("Size limits", () => {
  it("maxMessageSize: the peer that breaks it is closed, and no other", async () => {
    const { world, pull, raw } = await bound({ maxMessageSize: 10 });
    const good = (await world.dialRaw("sim://a")).greet("PUSH");
    await world.settle();
    const events = eventsOf(pull);
    good.write(message("x".repeat(10)));
    raw.write(message("x".repeat(11)));
    await world.settle();
    expect(events).toMatchObject([
      { type: "disconnect", reason: "protocol", error: { code: "ERR_ZMTP_FRAME_TOO_LARGE" } },
    ]);
    expect([raw.ends.length, good.ends.length]).toEqual([1, 0]);
    good.write(message("after"));
    await world.settle();
    expect(await drain(pull)).toEqual(["x".repeat(10), "after"]);
  });

  it("maxMessageBytes: all parts count, with 64 each", async () => {
    const { world, pull, raw } = await bound({ maxMessageBytes: 200 });
    const events = eventsOf(pull);
    raw.write(message("x".repeat(36), "x".repeat(36))); // 200
    raw.write(message("x".repeat(36), "x".repeat(37)));
    await world.settle();
    expect(events).toMatchObject([{ reason: "protocol", error: { code: "ERR_ZMTP_MESSAGE_TOO_LARGE" } }]);
    expect(await drain(pull)).toHaveLength(1);
  });
});

/** Takes everything, with time for what is held up to come. */
async function drainAll(world: World, socket: ReturnType<World["pull"]> | ReturnType<World["subscriber"]>) {
  const messages: string[] = [];
  for (;;) {
    const more = await drain(socket);
    if (more.length === 0) return messages;
    messages.push(...more);
    await world.settle();
  }
}

describe("PP-6: a peer that is held up, and goes", () => {
  it.each(["before", "after"])(
    "%s close, which ends though messages were to be sent, and linger is without end",
    async (when) => {
      const world = new World();
      const xpub = world.xpublisher({ receiveHighWaterMark: 1, linger: -1 });
      await world.bind(xpub);
      const raw = (await world.dialRaw("sim://a")).greet("SUB").write(message("\x01"));
      await world.settle();
      expect(await drain(xpub)).toEqual(["\x01"]);
      raw.stream.pause();
      for (let i = 0; i < 3; i += 1) xpub.trySend("-".repeat(100_000));
      for (let i = 0; i < 3; i += 1) {
        raw.write(message("not received"));
        await world.settle();
      }
      expect(raw.stream.other.isPaused).toBe(true);
      if (when === "before") raw.stream.reset();
      await world.settle();
      const closed = watch(xpub.close());
      await world.settle();
      if (when === "after") raw.stream.reset();
      await world.settle();
      expect(closed.state).toBe("resolved");
      expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    },
  );

  it("a dialled one: what was to be sent goes to the next connection, and then close ends", async () => {
    const world = new World();
    const peers = world.listenRaw("sim://a");
    const xsub = world.xsubscriber({ receiveHighWaterMark: 1, linger: -1, reconnectInterval: 10 });
    xsub.connect("sim://a");
    await world.settle();
    const first = peers[0] as RawPeer;
    first.greet("XPUB");
    await world.settle();
    first.stream.pause();
    for (let i = 0; i < 2; i += 1) xsub.trySend("-".repeat(100_000));
    xsub.trySend("the last");
    for (let i = 0; i < 3; i += 1) first.write(message("not received"));
    await world.settle();
    first.stream.reset();
    await world.settle();
    const closed = watch(xsub.close());
    await world.advance(1000);
    expect([peers.length, closed.state]).toEqual([2, "pending"]);
    peers[1]?.greet("XPUB");
    await world.settle();
    expect(peers[1]?.received.includes("the last")).toBe(true);
    expect(closed.state).toBe("resolved");
  });

  it("confirmed() does not wait for what nobody will answer, nor keep the process alive", async () => {
    const world = new World();
    const sub = world.subscriber({ receiveHighWaterMark: 1 });
    sub.subscribe("");
    await world.bind(sub);
    const raw = (await world.dialRaw("sim://a")).greet("PUB");
    await world.settle();
    for (let i = 0; i < 3; i += 1) {
      raw.write(message("not taken yet"));
      await world.settle();
    }
    const before = watch(sub.confirmed());
    await world.settle();
    expect(before.state).toBe("pending");
    raw.stream.reset();
    await world.settle();
    expect(before).toMatchObject({ state: "rejected", error: { code: "ECONNRESET" } });
    const after = watch(sub.confirmed());
    await world.settle();
    expect(after).toMatchObject({ state: "rejected", error: { code: "ECONNRESET" } });
    expect(world.holds).toBe(0);
  });

  it("what it did wrong before it went is told when it is read", async () => {
    const { world, pull, raw } = await bound({ receiveHighWaterMark: 1 });
    const events = eventsOf(pull);
    raw.write(message("a"), message("b"), hex("ff"));
    raw.stream.end();
    await world.settle();
    expect(await drainAll(world, pull)).toEqual(["a", "b"]);
    await world.settle();
    expect(events.at(-1)).toMatchObject({
      type: "disconnect",
      reason: "protocol",
      error: { code: "ERR_ZMTP_FRAME" },
    });
    await world.run(pull.close());
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });
});
