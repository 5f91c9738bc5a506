import { describe, expect, it } from "vitest";
import { drain, failure, message, texts, trapRejections, World, watch } from "../support/sim-sockets.ts";

trapRejections();

const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => String(from + i));

async function workers(count: number) {
  const world = new World();
  const pulls = Array.from({ length: count }, () => world.pull());
  const push = world.push();
  for (const [i, pull] of pulls.entries()) {
    await world.bind(pull, `sim://w${i}`);
    push.connect(`sim://w${i}`);
  }
  await world.settle();
  return { world, push, pulls };
}

describe("PP-1: PUSH deals out in turn", () => {
  it("whole messages, one to each", async () => {
    const { world, push, pulls } = await workers(3);
    for (const n of numbers(9)) await push.send([n, "second"]);
    await world.settle();
    for (const [i, pull] of pulls.entries()) {
      expect(await drain(pull)).toEqual([0, 3, 6].map((n) => `${n + i}|second`));
    }
  });

  it("B-28: goes on where it stopped when a peer comes and when one goes", async () => {
    const { world, push, pulls } = await workers(3);
    await push.send("0");
    push.disconnect("sim://w0");
    for (const n of numbers(4, 1)) await push.send(n);
    await world.settle();
    const all = await Promise.all(pulls.map((pull) => drain(pull)));
    expect(all).toEqual([["0"], ["1", "3"], ["2", "4"]]);
  });

  it("PP-3: passes over a peer that has no room", async () => {
    const world = new World();
    const pull = world.pull();
    await world.bind(pull, "sim://alive");
    const push = world.push({ sendHighWaterMark: 2 });
    push.connect("sim://dead");
    push.connect("sim://alive");
    await world.settle();
    for (const n of numbers(8)) await push.send(n);
    await world.settle();
    // PP-3: every second one is parked for the dead peer, until its queue is full.
    expect(await drain(pull)).toEqual(["1", "3", "4", "5", "6", "7"]);
    expect(push.stats().peers.map(({ address, queued }) => [address, queued])).toEqual([
      ["sim://dead", 2],
      ["sim://listener-1", 0],
    ]);
  });

  it.each(["reset", "destroy"] as const)(
    "E27: a worker that dies in the middle of the load (%s) gets no more, and no send hangs",
    async (how) => {
      const world = new World();
      const push = world.push({ sendHighWaterMark: 2 });
      await world.bind(push);
      const dying = (await world.dialRaw("sim://a")).greet("PULL");
      const pull = world.pull();
      pull.connect("sim://a");
      await world.settle();
      for (const n of numbers(10)) await push.send(n);
      await world.settle();
      expect(await drain(pull)).toHaveLength(5);
      dying.stream[how]();
      await world.settle();
      for (const n of numbers(10, 10)) await push.send(n);
      await world.settle();
      expect(await drain(pull)).toEqual(numbers(10, 10));
      expect(push.stats()).toMatchObject({ sent: 20, dropped: 0, queued: 0 });
    },
  );

  it("E25: four workers get the same share, filled beforehand and steadily", async () => {
    const { world, push, pulls } = await workers(4);
    const all = async (): Promise<void> => {
      for (const n of numbers(2000)) await push.send(n);
    };
    await world.run(all());
    for (const pull of pulls) expect(pull.stats().received).toBe(500);
    for (const n of numbers(400)) {
      await world.run(push.send(n));
      await world.settle();
    }
    for (const pull of pulls) expect(pull.stats().received).toBe(600);
  });
});

describe("PP-2, PP-5: high-water marks", () => {
  it("B-23, B-25, NU-10: exactly sendHighWaterMark messages queue for a server that is down; parts do not count", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 5 });
    push.connect("sim://down");
    const tenParts = Array.from({ length: 10 }, () => "part");
    const taken = numbers(9).map(() => push.trySend(tenParts));
    expect(taken).toEqual([true, true, true, true, true, false, false, false, false]);
    expect(push.stats()).toMatchObject({ sent: 0, queued: 5, dropped: 0 });
  });

  it("OP-HWM: 0 is no limit", () => {
    const push = new World().push({ sendHighWaterMark: 0 });
    push.connect("sim://down");
    for (const n of numbers(5000)) expect(push.trySend(n)).toBe(true);
  });

  it("OP-HWM: a change is in force at once (E43)", () => {
    const push = new World().push({ sendHighWaterMark: 1 });
    push.connect("sim://down");
    expect([push.trySend("1"), push.trySend("2")]).toEqual([true, false]);
    push.sendHighWaterMark = 3;
    expect([push.trySend("2"), push.trySend("3"), push.trySend("4")]).toEqual([true, true, false]);
  });

  it("bytes: each part counts with 64 more", () => {
    const push = new World().push({ sendHighWaterMark: 0, sendHighWaterMarkBytes: 1000 });
    push.connect("sim://down");
    const taken = numbers(12).map(() => push.trySend(["", Buffer.alloc(36)])); // 64 + 100
    expect(taken.filter((one) => one)).toHaveLength(7); // 6 * 164 = 984 is not full yet
  });

  it("B-25: bound, without peers: there is no queue, EAGAIN", async () => {
    const world = new World();
    const push = world.push({ sendTimeout: 0 });
    await world.bind(push);
    expect(push.trySend("x")).toBe(false);
    expect((await failure(() => push.send("x"))).error).toMatchObject({
      code: "EAGAIN",
      errno: 11,
      message: "Operation was not possible or timed out",
    });
  });

  it("NU-10, B-27: a peer whose handshake is not complete is no peer", async () => {
    const world = new World();
    const push = world.push({ sendTimeout: 0 });
    await world.bind(push);
    const raw = await world.dialRaw("sim://a");
    await world.settle();
    expect(push.trySend("x")).toBe(false);
    raw.greet("PULL");
    await world.settle();
    expect(push.trySend("x")).toBe(true);
  });

  it("a stalled peer: its stream, then exactly the high-water mark; then all of it arrives in order", async () => {
    const world = new World();
    world.network.capacity = 1000;
    const pull = world.pull();
    const push = world.push({ sendHighWaterMark: 10 });
    push.connect(await world.bind(pull));
    await world.settle();
    const stream = world.lastDialled;
    stream.stall();
    let taken = 0;
    for (; taken < 10_000; taken += 1) {
      if (!push.trySend(String(taken))) break;
      await world.settle();
    }
    expect(push.stats().queued).toBe(10);
    expect(push.stats().sent).toBe(taken - 10);
    expect(push.trySend("x")).toBe(false);
    stream.unstall();
    await world.settle();
    expect(await drain(pull)).toEqual(numbers(taken));
    expect(push.stats()).toMatchObject({ sent: taken, queued: 0, dropped: 0 });
  });
});

describe("PP-4: what becomes of a queue", () => {
  it("B-26: that of a dialled endpoint survives reconnects, in order (E28)", async () => {
    const world = new World();
    const push = world.push();
    push.connect("sim://a");
    for (const n of numbers(3)) await push.send(n);
    const first = world.pull();
    await world.bind(first);
    await world.advance(300);
    expect(await drain(first)).toEqual(numbers(3));
    await world.run(first.close());
    for (const n of numbers(3, 3)) await push.send(n);
    const second = world.pull();
    await world.bind(second);
    await world.advance(300);
    expect(await drain(second)).toEqual(numbers(3, 3));
    expect(push.stats()).toMatchObject({ sent: 6, dropped: 0, queued: 0 });
  });

  it("that of an accepted peer dies with it, and is counted", async () => {
    const world = new World();
    world.network.capacity = 100;
    const push = world.push({ sendHighWaterMark: 4 });
    await world.bind(push);
    const raw = (await world.dialRaw("sim://a")).greet("PULL");
    await world.settle();
    raw.stream.pause();
    let taken = 0;
    while (push.trySend(Buffer.alloc(50))) {
      taken += 1;
      await world.settle();
    }
    raw.stream.reset();
    await world.settle();
    expect(push.stats()).toEqual({ sent: taken - 4, received: 0, dropped: 4, queued: 0, peers: [] });
    expect(push.trySend("x")).toBe(false);
  });

  it("PP-7, PP-9, B-26: a message cut in the middle is not sent again", async () => {
    const world = new World();
    const peers = world.listenRaw("sim://a");
    const push = world.push();
    push.connect("sim://a");
    await world.settle();
    peers[0]?.greet("PULL");
    await world.settle();
    world.lastDialled.stall();
    await push.send(Buffer.alloc(3000, 1));
    await world.settle();
    world.lastDialled.reset();
    await world.settle();
    await push.send("next");
    await world.advance(300);
    peers[1]?.greet("PULL");
    await world.settle();
    expect(peers[1]?.received.subarray(-6)).toEqual(message("next"));
    expect(peers[1]?.received.includes(Buffer.alloc(100, 1))).toBe(false);
  });

  it("E26: a send that waits for a full peer goes to the next when that one leaves", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 1 });
    await world.bind(push);
    world.network.capacity = 10;
    const raw = (await world.dialRaw("sim://a")).greet("PULL");
    await world.settle();
    raw.stream.pause();
    while (push.trySend("filling the stream")) await world.settle();
    const sent = watch(push.send("waits"));
    raw.stream.destroy();
    await world.settle();
    expect(sent.state).toBe("pending");
    world.network.capacity = 65536;
    const pull = world.pull();
    pull.connect("sim://a");
    await world.settle();
    expect(sent.state).toBe("resolved");
    expect(await drain(pull)).toEqual(["waits"]);
  });
});

describe("send: waiting", () => {
  it("PP-1, B-24, OP-TIMEO: EAGAIN after sendTimeout, and no earlier", async () => {
    const world = new World();
    const push = world.push({ sendTimeout: 50 });
    const sent = watch(push.send("x"));
    expect(world.holds).toBe(1);
    await world.advance(49);
    expect(sent.state).toBe("pending");
    await world.advance(1);
    expect(sent).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    expect(world.left).toMatchObject({ holds: 0, timers: 0 });
  });

  it("one that timed out is not sent later", async () => {
    const world = new World();
    const push = world.push({ sendTimeout: 10 });
    await failure(() => {
      const sent = push.send("late");
      void world.advance(10);
      return sent;
    });
    const pull = world.pull();
    await world.bind(pull);
    push.connect("sim://a");
    await push.send("next");
    await world.settle();
    expect(await drain(pull)).toEqual(["next"]);
  });

  it("EAGAIN for those that wait when the socket is closed", async () => {
    const world = new World();
    const push = world.push();
    const waiting = [watch(push.send("1")), watch(push.send("2"))];
    await push.close();
    await world.settle();
    for (const one of waiting) expect(one).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    expect(world.left.holds).toBe(0);
  });

  it("N-6: calls that overlap keep their order; trySend does not overtake them", async () => {
    const world = new World();
    const push = world.push();
    const waiting = numbers(20).map((n) => push.send(n));
    expect(push.trySend("overtaker")).toBe(false);
    const pull = world.pull();
    await world.bind(pull);
    push.connect("sim://a");
    await Promise.all(waiting);
    await world.settle();
    expect(await drain(pull)).toEqual(numbers(20));
  });

  it("trySend does not overtake when there is room, but not yet enough for those that wait", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 10 });
    await world.bind(push);
    const raw = (await world.dialRaw("sim://a")).greet("PULL");
    await world.settle();
    raw.stream.pause();
    while (push.trySend(Buffer.alloc(40_000))) await world.settle();
    const waits = watch(push.send("waits"));
    raw.onData = () => raw.stream.pause();
    raw.stream.resume();
    await world.settle();
    expect(push.stats().queued).toBe(8);
    expect(push.trySend("overtaker")).toBe(false);
    expect(waits.state).toBe("pending");
    raw.onData = () => {};
    raw.stream.resume();
    await world.settle();
    expect(waits.state).toBe("resolved");
  });

  it("a message sent by a listener comes behind what was queued before", async () => {
    const world = new World();
    const pull = world.pull();
    const push = world.push();
    push.events.on("handshake", () => push.trySend("by the listener"));
    push.connect(await world.bind(pull));
    push.trySend("queued");
    await world.settle();
    expect(await drain(pull)).toEqual(["queued", "by the listener"]);
  });

  it("with a high-water mark of 1 they pass one by one, in order", async () => {
    const world = new World();
    world.network.capacity = 10;
    const pull = world.pull();
    const push = world.push({ sendHighWaterMark: 1 });
    push.connect(await world.bind(pull));
    const waiting = numbers(50).map((n) => watch(push.send(`a longer message, number ${n}`)));
    await world.settle();
    expect(waiting.every((one) => one.state === "resolved")).toBe(true);
    expect(await drain(pull)).toEqual(numbers(50).map((n) => `a longer message, number ${n}`));
  });

  it.each([
    [10, 1000],
    [1500, 1500],
  ])("high-water mark %i: %i calls may wait, the next is EBUSY", async (sendHighWaterMark, limit) => {
    const world = new World();
    const push = world.push({ sendHighWaterMark });
    const waiting = numbers(limit).map((n) => watch(push.send(n)));
    expect((await failure(() => push.send("one more"))).error).toMatchObject({ code: "EBUSY", errno: 16 });
    expect(waiting.every((one) => one.state === "pending")).toBe(true);
    void push.close();
    await world.settle();
  });

  it("N-16: AbortSignal: an aborted send takes nothing, and those behind it go on", async () => {
    const world = new World();
    const push = world.push();
    const abort = new AbortController();
    const aborted = watch(push.send("aborted", { signal: abort.signal }));
    const next = push.send("next");
    abort.abort(new Error("enough"));
    await world.settle();
    expect(aborted).toMatchObject({ state: "rejected", error: new Error("enough") });
    const pull = world.pull();
    await world.bind(pull);
    push.connect("sim://a");
    await next;
    await world.settle();
    expect(await drain(pull)).toEqual(["next"]);
  });

  it("AbortSignal: aborted beforehand, nothing is sent though there is room", async () => {
    const { world, push, pulls } = await workers(1);
    const { error } = await failure(() => push.send("x", { signal: AbortSignal.abort() }));
    expect(error.name).toBe("AbortError");
    await world.settle();
    expect(pulls[0]?.stats().received).toBe(0);
  });

  it("AbortSignal: no listener stays on a signal", async () => {
    const { world, push, pulls } = await workers(1);
    const signal = new AbortController().signal;
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: never[]) => {
      listeners += 1;
      return Reflect.apply(addEventListener, signal, args);
    };
    signal.removeEventListener = (...args: never[]) => {
      listeners -= 1;
      return Reflect.apply(removeEventListener, signal, args);
    };
    const received = (pulls[0] as (typeof pulls)[0]).receive({ signal });
    expect(listeners).toBe(1);
    await push.send("x", { signal });
    await world.settle();
    await received;
    expect(listeners).toBe(0);
  });
});

describe("receive", () => {
  it("PP-6: fair: one message from each peer in turn, each whole", async () => {
    const world = new World();
    const pull = world.pull();
    await world.bind(pull);
    const pushes = ["a", "b", "c"].map(() => world.push());
    for (const push of pushes) push.connect("sim://a");
    await world.settle();
    for (const [i, push] of pushes.entries()) {
      for (const n of numbers(i === 0 ? 6 : 3)) await push.send([`${"abc"[i]}`, n]);
    }
    await world.settle();
    const order = await drain(pull);
    expect(order.slice(0, 9).map((one) => one[0])).toEqual([..."abcabcabc"]);
    expect(order.filter((one) => one.startsWith("a"))).toEqual(numbers(6).map((n) => `a|${n}`));
  });

  it("OP-TIMEO: EAGAIN after receiveTimeout; 0 does not wait", async () => {
    const world = new World();
    const pull = world.pull({ receiveTimeout: 30 });
    const received = watch(pull.receive());
    await world.advance(29);
    expect(received.state).toBe("pending");
    await world.advance(1);
    expect(received).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    pull.receiveTimeout = 0;
    expect((await failure(() => pull.receive())).error.code).toBe("EAGAIN");
    expect(world.left).toMatchObject({ holds: 0, timers: 0 });
  });

  it("N-6: readers are served in order; the limit is EBUSY", async () => {
    const { world, push, pulls } = await workers(1);
    const pull = pulls[0] as (typeof pulls)[0];
    const readers = numbers(1000).map(() => pull.receive());
    expect((await failure(() => pull.receive())).error.code).toBe("EBUSY");
    for (const n of numbers(1000)) push.trySend(n);
    await world.settle();
    expect((await Promise.all(readers)).map((parts) => String(parts))).toEqual(numbers(1000));
  });

  it("E35, N-16: an aborted receive loses no message", async () => {
    const { world, push, pulls } = await workers(1);
    const pull = pulls[0] as (typeof pulls)[0];
    const abort = new AbortController();
    const aborted = watch(pull.receive({ signal: abort.signal }));
    const next = pull.receive();
    abort.abort();
    await push.send("1");
    await push.send("2");
    await world.settle();
    expect(aborted.state).toBe("rejected");
    expect(texts(await next)).toEqual(["1"]);
    expect(texts(await pull.receive())).toEqual(["2"]);
  });

  it("receiveBatch waits for the first, then takes what is there, up to max", async () => {
    const { world, push, pulls } = await workers(1);
    const pull = pulls[0] as (typeof pulls)[0];
    const batch = watch(pull.receiveBatch());
    await world.settle();
    expect(batch.state).toBe("pending");
    for (const n of numbers(5)) await push.send(n);
    await world.settle();
    expect(batch.value?.map(String)).toEqual(numbers(5));
    for (const n of numbers(5)) await push.send(n);
    await world.settle();
    expect((await pull.receiveBatch({ max: 2 })).map(String)).toEqual(["0", "1"]);
    expect((await pull.receiveBatch({ max: 2 })).map(String)).toEqual(["2", "3"]);
    expect((await pull.receiveBatch({ max: 2 })).map(String)).toEqual(["4"]);
  });

  it("receiveBatch among other calls: each has what comes before the next one's", async () => {
    const { world, push, pulls } = await workers(1);
    const pull = pulls[0] as (typeof pulls)[0];
    const waiting = [watch(pull.receiveBatch()), watch(pull.receive()), watch(pull.receiveBatch())];
    for (const n of numbers(5)) await push.send(n);
    await world.settle();
    expect(waiting.map(({ value }) => String(value))).toEqual(["0", "1", "2,3,4"]);
    for (const n of numbers(5)) await push.send(n);
    await world.settle();
    const batch = pull.receiveBatch();
    const next = pull.receive();
    expect((await batch).map(String)).toEqual(numbers(5));
    // A call that is made when a batch has its first message, and no more yet.
    const between = watch(next.then(() => pull.receive()));
    const late = watch(pull.receiveBatch());
    for (const n of numbers(4)) await push.send(n);
    await world.settle();
    expect(String((await next)[0])).toBe("0");
    expect([String(late.value), String(between.value)]).toEqual(["1", "2"]);
    expect(String(await pull.receiveBatch())).toBe("3");
  });

  it("iteration ends with the socket, and a loop that is left can be taken up again", async () => {
    const { world, push, pulls } = await workers(1);
    const pull = pulls[0] as (typeof pulls)[0];
    for (const n of numbers(3)) await push.send(n);
    await world.settle();
    const seen: string[] = [];
    for await (const [part] of pull) {
      seen.push(String(part));
      if (seen.length === 1) break;
    }
    const rest = (async () => {
      for await (const [part] of pull) seen.push(String(part));
      return "ended";
    })();
    await world.settle();
    void pull.close();
    expect(await rest).toBe("ended");
    expect(seen).toEqual(numbers(3));
    expect(await pull[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  it("iteration on an open socket throws EAGAIN after receiveTimeout", async () => {
    const pull = new World().pull({ receiveTimeout: 0 });
    expect((await failure(() => pull[Symbol.asyncIterator]().next())).error.code).toBe("EAGAIN");
  });

  it("a loop of sends that complete at once lets the event loop run", async () => {
    const { world, push, pulls } = await workers(1);
    const pull = pulls[0] as (typeof pulls)[0];
    let turns = 0;
    const tick = (): void => {
      turns += 1;
      if (turns < 100) world.environment.nextTurn(tick);
    };
    world.environment.nextTurn(tick);
    push.sendHighWaterMark = 0;
    const loop = watch(
      (async () => {
        for (const n of numbers(2500)) {
          world.time += 0.004; // 10 ms in all
          await push.send(n);
        }
        return turns;
      })(),
    );
    await world.settle();
    expect(loop.value).toBeGreaterThanOrEqual(3);
    expect(pull.stats().queued).toBeGreaterThan(1);
  });

  it.each(["receive", "for await"])("so does a loop of %s", async (how) => {
    const world = new World();
    const pull = world.pull({ receiveHighWaterMark: 0 });
    await world.bind(pull);
    const all = numbers(2500);
    (await world.dialRaw("sim://a")).greet("PUSH").write(...all.map((text) => message(text)));
    await world.settle();
    expect(pull.stats().queued).toBe(2500);
    let turns = 0;
    const tick = (): void => {
      turns += 1;
      if (turns < 100) world.environment.nextTurn(tick);
    };
    world.environment.nextTurn(tick);
    const received: string[] = [];
    const iterator = pull[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> =>
      how === "receive" ? (await pull.receive())[0] : ((await iterator.next()).value?.[0] as unknown);
    const loop = watch(
      (async () => {
        while (received.length < 2500) {
          world.time += 0.004; // 10 ms in all
          received.push(String(await next()));
        }
        return turns;
      })(),
    );
    await world.settle();
    expect(loop.value).toBeGreaterThanOrEqual(3);
    expect(received).toEqual(all);
    await world.run(pull.close());
  });
});

describe("Peers that should not talk", () => {
  it("PP-8: what a PULL sends is dropped by PUSH and holds up nothing", async () => {
    const world = new World();
    const push = world.push();
    await world.bind(push);
    const raw = (await world.dialRaw("sim://a")).greet("PULL");
    await world.settle();
    for (let i = 0; i < 3000; i += 1) raw.write(message("noise"));
    await world.settle();
    expect(raw.stream.inFlight).toBe(0);
    expect(push.stats().received).toBe(0);
    expect(push.trySend("x")).toBe(true);
    expect(raw.ends).toEqual([]);
  });

  it("EP-10: what is unbound ends its connections: nothing more comes, and the dialler tries again", async () => {
    const world = new World();
    const pull = world.pull();
    const push = world.push({ linger: 0 });
    push.connect(await world.bind(pull));
    await world.settle();
    await push.send("before");
    await world.settle();
    await world.run(pull.unbind("sim://a"));
    await push.send("after");
    await world.advance(1000);
    expect(await drain(pull)).toEqual(["before"]);
    expect(pull.stats().peers).toEqual([]);
    expect(push.stats()).toMatchObject({ sent: 1, queued: 1 });
    await world.bind(pull);
    await world.advance(1000);
    expect(await drain(pull)).toEqual(["after"]);
  });

  it("PS-21, PP-8: a type that does not send has no send, one that does not receive no receive", () => {
    const world = new World();
    expect(world.publisher().trySend("to nobody")).toBe(true);
    expect(["send", "trySend"].filter((name) => name in world.pull() || name in world.subscriber())).toEqual(
      [],
    );
    expect(
      ["receive", "receiveBatch", Symbol.asyncIterator].filter(
        (name) => name in world.push() || name in world.publisher(),
      ),
    ).toEqual([]);
  });
});
