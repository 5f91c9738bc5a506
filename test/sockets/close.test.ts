import { describe, expect, it } from "vitest";
import { drain, eventsOf, failure, trapRejections, typesOf, World, watch } from "../support/sim-sockets.ts";

trapRejections();

const address = "sim://a";
const nothing = { holds: 0, timers: 0, streams: 0, listeners: 0 };

/** A PUSH with `queued` messages that wait behind a stalled stream. */
async function stalled(options: object = {}) {
  const world = new World();
  world.network.capacity = 100;
  const pull = world.pull();
  const push = world.push(options);
  push.connect(await world.bind(pull));
  await world.settle();
  const stream = world.lastDialled;
  stream.stall();
  let sent = 0;
  while (push.stats().queued < 5) {
    push.trySend(`${sent} ${"x".repeat(50)}`);
    sent += 1;
    await world.settle();
  }
  return { world, push, pull, stream, sent };
}

describe("CL-1, OP-LINGER: linger", () => {
  it("an empty queue: closes at once, even with -1 and nobody there", async () => {
    const world = new World();
    const push = world.push({ linger: -1 });
    push.connect(address);
    await world.settle();
    const closed = watch(push.close());
    await world.settle();
    expect(closed.state).toBe("resolved");
    expect(world.left).toEqual(nothing);
  });

  it("-1: waits for ever for a peer that never comes, and delivers when it does come", async () => {
    const world = new World();
    const push = world.push();
    push.connect(address);
    push.trySend("1");
    push.trySend("2");
    const closed = watch(push.close());
    await world.advance(3_600_000);
    expect(closed.state).toBe("pending");
    expect(world.holds).toBe(1);
    const pull = world.pull();
    await world.bind(pull);
    await world.advance(200);
    expect(closed.state).toBe("resolved");
    expect(await drain(pull)).toEqual(["1", "2"]);
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("n: up to n ms", async () => {
    const world = new World();
    const push = world.push({ linger: 300 });
    push.connect(address);
    push.trySend("1");
    const closed = watch(push.close());
    await world.advance(299);
    expect(closed.state).toBe("pending");
    await world.advance(1);
    expect(closed.state).toBe("resolved");
    expect(push.stats()).toMatchObject({ sent: 0, dropped: 1, queued: 0 });
    expect(world.left).toEqual(nothing);
  });

  it("0: what is queued is discarded at once", async () => {
    const { world, push, pull } = await stalled({ linger: 0 });
    const closed = watch(push.close());
    await world.settle();
    expect(closed.state).toBe("resolved");
    expect(push.stats()).toMatchObject({ dropped: 5, queued: 0 });
    void pull.close();
    await world.settle();
    expect(world.left).toEqual(nothing);
  });

  it("a stalled peer: n ms, and not longer", async () => {
    const { world, push } = await stalled({ linger: 300 });
    const closed = watch(push.close());
    await world.advance(299);
    expect(closed.state).toBe("pending");
    await world.advance(1);
    expect(closed.state).toBe("resolved");
    expect(push.stats()).toMatchObject({ dropped: 5, queued: 0 });
  });

  it("a stalled peer that goes on: everything arrives", async () => {
    const { world, push, pull, stream, sent } = await stalled();
    const closed = watch(push.close());
    await world.advance(1000);
    expect(closed.state).toBe("pending");
    stream.unstall();
    await world.settle();
    expect(closed.state).toBe("resolved");
    expect(await drain(pull)).toHaveLength(sent);
    expect(push.stats()).toMatchObject({ sent, dropped: 0, queued: 0, peers: [] });
  });

  it("heartbeats do not cut off what is still on its way", async () => {
    const { world, push, pull, stream, sent } = await stalled({
      heartbeatInterval: 100,
      heartbeatTimeout: 100,
    });
    stream.unstall();
    await world.settle();
    stream.stall();
    push.trySend("last");
    await world.settle();
    const closed = watch(push.close());
    await world.advance(5000);
    expect(closed.state).toBe("pending");
    stream.unstall();
    await world.settle();
    expect(closed.state).toBe("resolved");
    expect((await drain(pull)).length).toBe(sent + 1);
  });

  it("nor when the socket is closed as soon as the handshake is complete", async () => {
    const world = new World();
    const pull = world.pull();
    const push = world.push({ heartbeatInterval: 100 });
    let closed: ReturnType<typeof watch> | null = null;
    push.events.on("handshake", () => {
      world.lastDialled.stall();
      push.trySend("last");
      closed = watch(push.close());
    });
    push.connect(await world.bind(pull));
    await world.advance(5000);
    expect(closed).toMatchObject({ state: "pending" });
    world.lastDialled.unstall();
    await world.settle();
    expect(closed).toMatchObject({ state: "resolved" });
    expect(await drain(pull)).toEqual(["last"]);
  });

  it("CL-3: while it lingers it dials again", async () => {
    const { world, push, pull, stream } = await stalled();
    const closed = watch(push.close());
    stream.reset();
    await world.advance(300);
    expect(closed.state).toBe("resolved");
    expect((await drain(pull)).filter((one) => one !== "")).toHaveLength(5);
  });

  it("CL-4: bound, with connections that came in; one whose handshake is not complete does not count", async () => {
    const world = new World();
    world.network.capacity = 10;
    const push = world.push();
    const events = eventsOf(push);
    await world.bind(push);
    const raw = (await world.dialRaw(address)).greet("PULL");
    const silent = await world.dialRaw(address);
    await world.settle();
    raw.stream.pause();
    while (push.stats().queued < 3) {
      push.trySend("x".repeat(30));
      await world.settle();
    }
    const closed = watch(push.close());
    await world.settle();
    expect(typesOf(events).at(-1)).toBe("close");
    expect(world.network.listeners.size).toBe(0);
    expect(silent.ends).toEqual([null]);
    expect(closed.state).toBe("pending");
    raw.stream.resume();
    await world.settle();
    expect(closed.state).toBe("resolved");
    expect(raw.received.includes("x".repeat(30))).toBe(true);
    expect(world.left).toEqual(nothing);
  });

  it("CL-5: disconnect lingers too; close waits for it, and a shorter linger then counts", async () => {
    const world = new World();
    const push = world.push();
    push.connect(address);
    push.trySend("1");
    push.disconnect(address);
    await world.advance(10_000);
    expect(push.stats()).toMatchObject({ queued: 1, dropped: 0 });
    push.linger = 50;
    const closed = watch(push.close());
    await world.advance(49);
    expect(closed.state).toBe("pending");
    await world.advance(1);
    expect(closed.state).toBe("resolved");
    expect(push.stats()).toMatchObject({ queued: 0, dropped: 1 });
    expect(world.left).toEqual(nothing);
  });

  it("disconnect, then connect again to the same address: two queues, none lost", async () => {
    const world = new World();
    const push = world.push();
    push.connect(address);
    push.trySend("1");
    push.disconnect(address);
    push.connect(address);
    push.trySend("2");
    const pull = world.pull();
    await world.bind(pull);
    await world.advance(300);
    expect((await drain(pull)).sort()).toEqual(["1", "2"]);
    expect(push.stats()).toMatchObject({ sent: 2, dropped: 0, queued: 0 });
    await world.run(push.close());
    await world.run(pull.close());
    expect(world.left).toEqual(nothing);
  });

  it("no further attempt is allowed: lingering ends with the connection", async () => {
    const { world, push, stream } = await stalled({ reconnectInterval: -1 });
    const closed = watch(push.close());
    stream.reset();
    await world.settle();
    expect(closed.state).toBe("resolved");
    expect(push.stats()).toMatchObject({ dropped: 5, queued: 0 });
  });
});

describe("E32: close", () => {
  it("twice: the same promise", async () => {
    const world = new World();
    const pull = world.pull();
    expect(pull.close()).toBe(pull.close());
    await world.settle();
  });

  it("await using", async () => {
    const world = new World();
    const pull = world.pull();
    const disposed = watch(pull[Symbol.asyncDispose]());
    await world.settle();
    expect(pull.closed).toBe(true);
    expect(disposed.state).toBe("resolved");
  });

  it("during a bind: the bind is undone and rejected, the end comes after that", async () => {
    const world = new World();
    const pull = world.pull();
    const events = eventsOf(pull);
    const bound = watch(pull.bind(address));
    const closed = watch(pull.close());
    await world.settle();
    expect(bound).toMatchObject({ state: "rejected", error: { code: "EBADF", address } });
    expect(closed.state).toBe("resolved");
    expect(typesOf(events)).toEqual(["bind", "close", "end"]);
    expect(world.left).toEqual(nothing);
  });

  it("during a bind that fails: it does not reject", async () => {
    const world = new World();
    await world.bind(world.pull());
    const pull = world.pull();
    const bound = watch(pull.bind(address));
    const closed = watch(pull.close());
    await world.settle();
    expect(bound).toMatchObject({ state: "rejected", error: { code: "EADDRINUSE" } });
    expect(closed.state).toBe("resolved");
  });

  it("during a dial and during the handshake, with and without something to send", async () => {
    for (const queued of [0, 1]) {
      for (const steps of ["dial", "handshake"]) {
        const world = new World();
        if (steps === "dial") world.network.blackHoles.add(address);
        else world.listenRaw(address);
        const push = world.push({ linger: 100 });
        push.connect(address);
        if (queued > 0) push.trySend("x");
        await world.settle();
        const closed = watch(push.close());
        await world.advance(100);
        expect(closed.state).toBe("resolved");
        expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
      }
    }
  });

  it("E33: six connections, all of them ended", async () => {
    const world = new World();
    const pull = world.pull();
    const raws = world.listenRaw(address);
    for (let i = 0; i < 6; i += 1) pull.connect(address);
    await world.settle();
    await world.run(pull.close());
    expect(raws.map((raw) => raw.ends)).toEqual(Array.from({ length: 6 }, () => [null]));
  });

  it("settles what waits: EAGAIN for a receive, the end for a loop", async () => {
    const world = new World();
    const pull = world.pull();
    const received = watch(pull.receive());
    const batch = watch(pull.receiveBatch());
    const looped = watch(pull[Symbol.asyncIterator]().next());
    await world.run(pull.close());
    expect(received).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    expect(batch).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    expect(looped).toMatchObject({ state: "resolved", value: { done: true, value: undefined } });
  });

  it("a socket is closed at once for its listeners and callers, before anything else happens", async () => {
    const world = new World();
    const push = world.push();
    const waiting = push.send("x");
    const caught = failure(() => waiting);
    void push.close();
    expect(push.closed).toBe(true);
    expect((await failure(() => push.send("y"))).error.code).toBe("EBADF");
    expect((await caught).error.code).toBe("EAGAIN");
    await world.settle();
  });
});
