import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/errors.ts";
import type { AllOptions } from "../../src/sockets/options/options.ts";
import type { InprocPipe } from "../../src/sockets/pipes/inproc-pipe.ts";
import type { Pattern, Pipe } from "../../src/sockets/pipes/pipe.ts";
import { Socket } from "../../src/sockets/socket.ts";
import { OutgoingMessage, type SocketType } from "../../src/zmtp/index.ts";
import {
  drain,
  eventsOf,
  failure,
  texts,
  trapRejections,
  typesOf,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

const NOTHING = { holds: 0, timers: 0, streams: 0, listeners: 0 };
const A = "inproc://a";

/** Nothing is left of any connection: neither a name nor somebody who waits for one. */
function expectNothingLeft(world: World): void {
  expect(world.context.inproc.size).toEqual({ bound: 0, waiting: 0 });
  expect(world.left).toEqual(NOTHING);
}

/** Sends as long as there is room. @returns how many were taken. */
function fill(socket: { trySend(message: string): boolean }, most = 10_000): number {
  let taken = 0;
  while (taken < most && socket.trySend(String(taken))) taken += 1;
  return taken;
}

describe("inproc: names (EP-7)", () => {
  it.each(["the receiver", "the sender"])(
    "%s binds: messages in order, and an answer that it is gone",
    async (who) => {
      const world = new World();
      const [push, pull] = [world.push(), world.pull()];
      const [binder, dialler] = who === "the sender" ? [push, pull] : [pull, push];
      await world.bind(binder, A);
      dialler.connect(A);
      const sent = ["1", "2", "3"].map((text) => push.send([text, "x"]));
      await world.run(Promise.all(sent));
      expect(await drain(pull)).toEqual(["1|x", "2|x", "3|x"]);
      expect(push.stats()).toMatchObject({ sent: 3, queued: 0, peers: [{ address: A, socketType: "PULL" }] });
      expect(pull.stats()).toMatchObject({
        received: 3,
        queued: 0,
        peers: [{ address: A, socketType: "PUSH" }],
      });
      await world.run(Promise.all([push.close(), pull.close()]));
      expectNothingLeft(world);
    },
  );

  it("a name has up to 256 bytes of UTF-8; more are EINVAL", async () => {
    const world = new World();
    for (const name of ["x".repeat(256), "\u00e9".repeat(128)]) await world.pull().bind(`inproc://${name}`);
    for (const name of ["x".repeat(257), `${"\u00e9".repeat(128)}x`]) {
      const address = `inproc://${name}`;
      const bound = await failure(() => world.pull().bind(address));
      expect(bound).toMatchObject({ how: "rejected", error: { code: "EINVAL", address } });
      const connected = await failure(() => world.pull().connect(address));
      expect(connected).toMatchObject({ how: "thrown", error: { code: "EINVAL", address } });
    }
    expect((await failure(() => world.pull().connect("inproc://"))).error.code).toBe("EINVAL");
  });

  it("bound twice is EADDRINUSE, by the same socket too; each context has names of its own", async () => {
    const world = new World();
    const pull = world.pull();
    await pull.bind(A);
    for (const other of [pull, world.pull(), world.publisher()])
      expect((await failure(() => other.bind(A))).error).toMatchObject({
        code: "EADDRINUSE",
        errno: 98,
        address: A,
      });
    await pull.bind("inproc://b");
    expect(pull.lastEndpoint).toBe("inproc://b"); // EP-8
    const elsewhere = new World();
    const push = elsewhere.push();
    push.connect(A);
    push.trySend("lost in another world");
    await elsewhere.bind(elsewhere.pull(), "inproc://b");
    await elsewhere.settle();
    await world.settle();
    expect(pull.stats().queued + elsewhere.context.inproc.size.waiting).toBe(1);
  });

  it("bind is done when it returns: a connect in the same turn finds the name", async () => {
    const world = new World();
    const [push, pull] = [world.push(), world.pull()];
    const bound = push.bind(A);
    pull.connect(A);
    expect(pull.stats().peers).toMatchObject([{ socketType: "PUSH" }]);
    await bound;
  });

  it("sockets of types that do not talk to each other: connect throws EINVAL, and nothing is left of it", async () => {
    const world = new World();
    await world.bind(world.publisher(), A);
    const pull = world.pull();
    const { how, error } = await failure(() => pull.connect(A));
    expect(how).toBe("thrown");
    expect(error).toMatchObject({ code: "EINVAL", address: A });
    expect(error.message).toContain("a PUB is bound to inproc://a, which does not talk to a PULL");
    expect([pull.lastEndpoint, pull.stats().peers]).toEqual([null, []]);
    expect(world.context.inproc.size).toEqual({ bound: 1, waiting: 0 });
  });

  it("one that waits is passed over with a warning by a type that it does not talk to, and waits on", async () => {
    const world = new World();
    const [push, publisher, pull] = [world.push(), world.publisher(), world.pull()];
    push.connect(A);
    push.trySend("kept");
    await world.bind(publisher, A);
    expect(world.warnings).toEqual([expect.stringMatching(/a PUSH waits for inproc:\/\/a, and a PUB/)]);
    await publisher.unbind(A);
    await world.bind(pull, A);
    await world.settle();
    expect(await drain(pull)).toEqual(["kept"]);
    expect(world.warnings).toHaveLength(1);
  });
});

describe("inproc: connect before bind (EP-7, E41, test_inproc_connect)", () => {
  it("messages queue up to the own high-water mark, and come first and in order (PP-2)", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 3 });
    push.connect(A);
    expect(fill(push)).toBe(3);
    const waiting = watch(push.send("3"));
    await world.settle();
    expect(waiting.state).toBe("pending");
    expect(push.stats()).toMatchObject({ sent: 0, queued: 3, peers: [{ address: A, socketType: null }] });
    const pull = world.pull({ receiveHighWaterMark: 1 });
    await world.bind(pull, A);
    await world.settle();
    expect(waiting.state).toBe("resolved");
    expect(push.trySend("4")).toBe(false); // 3 + 1
    expect(await drain(pull)).toEqual(["0", "1", "2", "3"]);
    await world.settle();
    expect(push.trySend("4")).toBe(true);
  });

  it("all who wait are connected, of several sockets and of one that connected twice", async () => {
    const world = new World();
    const senders = [world.push(), world.push(), world.push()];
    for (const push of senders) push.connect(A);
    senders[0]?.connect(A);
    for (const push of senders) expect(fill(push, 4)).toBe(4);
    const pull = world.pull();
    await world.bind(pull, A);
    await world.settle();
    expect((await drain(pull)).sort()).toEqual(["0", "0", "0", "1", "1", "1", "2", "2", "2", "3", "3", "3"]);
    expect(pull.stats().peers).toHaveLength(4);
    expect(senders[0]?.stats().peers.map((peer) => peer.sent)).toEqual([2, 2]);
  });

  it("a subscriber's topics are told when the publisher comes (PS-15)", async () => {
    const world = new World();
    const subscriber = world.subscriber();
    subscriber.subscribe("early");
    subscriber.connect(A);
    subscriber.subscribe("late", "undone");
    subscriber.unsubscribe("undone");
    const publisher = world.publisher();
    await world.bind(publisher, A);
    await world.run(publisher.subscribed("late"));
    for (const text of ["early1", "late1", "undone1"]) publisher.trySend(text);
    await world.settle();
    expect(await drain(subscriber)).toEqual(["early1", "late1"]);
    expect(publisher.stats().sent).toBe(2);
  });

  it("disconnect before anybody has bound: what is queued lingers for who comes", async () => {
    const world = new World();
    const push = world.push({ linger: 100 });
    push.connect(A);
    push.trySend("x");
    push.disconnect(A);
    expect(() => push.disconnect(A)).toThrow(expect.objectContaining({ code: "ENOENT" }));
    expect(push.trySend("nobody")).toBe(false);
    const pull = world.pull();
    await world.bind(pull, A);
    await world.settle();
    expect(await drain(pull)).toEqual(["x"]);
    expect(pull.stats().peers).toEqual([]);
    await world.run(Promise.all([push.close(), pull.close()]));
    expectNothingLeft(world);
  });
});

describe("inproc: high-water marks are added (PP-5, PS-13, test_hwm)", () => {
  const cases: [send: number, receive: number, room: number][] = [
    [1000, 1000, 2000],
    [1, 1, 2],
    [5, 3, 8],
    [0, 1, 10_000],
    [1, 0, 10_000],
    [0, 0, 10_000],
  ];
  describe.each(cases)("%i and %i: room for %i", (sendHighWaterMark, receiveHighWaterMark, room) => {
    it.each(["bind", "connect"])("the receiver's side is %s", async (how) => {
      const world = new World();
      const push = world.push({ sendHighWaterMark });
      const pull = world.pull({ receiveHighWaterMark });
      const [binder, dialler] = how === "bind" ? [pull, push] : [push, pull];
      await world.bind(binder, A);
      dialler.connect(A);
      await world.settle();
      expect(fill(push)).toBe(room);
      await world.settle(); // in the receiver's hands now: they count all the same
      expect(fill(push)).toBe(room === 10_000 ? 10_000 : 0);
      expect((await drain(pull)).slice(0, room)).toEqual(Array.from({ length: room }, (_, n) => String(n)));
      expect(push.trySend("again")).toBe(true);
    });
  });

  it("counts messages, not parts", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 2 });
    await world.bind(world.pull({ receiveHighWaterMark: 2 }), A);
    push.connect(A);
    for (let n = 0; n < 4; n += 1) expect(push.trySend(Array(10).fill("part"))).toBe(true);
    expect(push.trySend("x")).toBe(false);
  });

  it("marks in bytes are added too; a message is taken as long as there is any room", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMarkBytes: 300 });
    const pull = world.pull({ receiveHighWaterMarkBytes: 200 });
    await world.bind(pull, A);
    push.connect(A);
    const message = Buffer.alloc(136); // counts 200
    expect([1, 2, 3, 4].map(() => push.trySend(message))).toEqual([true, true, true, false]);
    await world.settle();
    expect(push.trySend(message)).toBe(false);
    await pull.receive();
    expect(push.trySend(message)).toBe(true);
  });

  it("changed while connected they count at once: 1 to 5 with a peer's 1 gives 6 (test_sockopt_hwm)", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 1 });
    await world.bind(world.pull({ receiveHighWaterMark: 1 }), A);
    push.connect(A);
    expect(fill(push)).toBe(2);
    push.sendHighWaterMark = 5;
    expect(fill(push)).toBe(4);
  });

  it("a send that waits goes on when the queue is half empty", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 4 });
    const pull = world.pull({ receiveHighWaterMark: 4 });
    await world.bind(pull, A);
    push.connect(A);
    expect(fill(push)).toBe(8);
    const waiting = watch(push.send("8"));
    await world.settle();
    for (let n = 0; n < 3; n += 1) await pull.receive();
    await world.settle();
    expect(waiting.state).toBe("pending");
    await pull.receive();
    await world.settle();
    expect(waiting.state).toBe("resolved");
    expect(await drain(pull)).toEqual(["4", "5", "6", "7", "8"]);
  });

  it.each([
    [true, false],
    [false, true],
  ])(
    "conflate at either end: only the last message is kept, on its way and when it has come (%s, %s)",
    async (ours, theirs) => {
      const world = new World();
      const [near, far] = [world.push(), world.pull()];
      near.conflate = ours;
      far.conflate = theirs;
      await world.bind(far, A);
      near.connect(A);
      for (const texts of [
        ["1", "2", "3"],
        ["4", "5"],
      ]) {
        for (const text of texts) expect(near.trySend(text)).toBe(true);
        await world.settle();
      }
      expect(far.stats()).toMatchObject({ received: 2, dropped: 1, queued: 1 });
      expect(near.stats()).toMatchObject({ sent: 2, dropped: 3 });
      expect(await drain(far)).toEqual(["5"]);
    },
  );

  it("a publisher drops above the sum, and counts it", async () => {
    const world = new World();
    const publisher = world.publisher({ sendHighWaterMark: 2 });
    const subscriber = world.subscriber({ receiveHighWaterMark: 3 });
    await world.bind(publisher, A);
    subscriber.connect(A);
    subscriber.subscribe("");
    await world.run(publisher.subscribed(""));
    const drops: string[] = [];
    publisher.events.on("drop", ({ address }) => drops.push(address));
    for (let n = 0; n < 9; n += 1) publisher.trySend(String(n));
    await world.settle();
    expect(await drain(subscriber)).toEqual(["0", "1", "2", "3", "4"]);
    expect(publisher.stats()).toMatchObject({ sent: 5, dropped: 4, queued: 0 });
    expect(drops).toEqual([A, A, A, A]);
  });

  it('overflow "disconnect": both ends are told, the one event beside `end`, and the subscriber may come again', async () => {
    const world = new World();
    const publisher = world.publisher({ sendHighWaterMark: 1, overflow: "disconnect" });
    const subscriber = world.subscriber({ receiveHighWaterMark: 1 });
    await world.bind(publisher, A);
    subscriber.connect(A);
    subscriber.subscribe("");
    await world.run(publisher.subscribed(""));
    const events = [publisher, subscriber].map(eventsOf);
    for (let n = 0; n < 4; n += 1) publisher.trySend(String(n));
    await world.settle();
    expect(events).toEqual([
      [{ type: "disconnect", address: A, reason: "overflow" }],
      [{ type: "disconnect", address: A, reason: "peer" }],
    ]);
    expect(publisher.stats()).toMatchObject({ sent: 0, dropped: 4, peers: [] });
    expect(subscriber.stats().peers).toEqual([]);
    subscriber.connect(A);
    await world.run(publisher.subscribed(""));
  });
});

describe("inproc: the same memory (E39)", () => {
  it("what is sent is not copied: the receiver has Buffers on it", async () => {
    const world = new World();
    const [push, pull] = [world.push(), world.pull()];
    await world.bind(pull, A);
    push.connect(A);
    const buffer = Buffer.from("a buffer");
    const bytes = new Uint8Array([0, 1, 2, 3, 4, 5]).subarray(2, 5);
    const words = new Uint16Array([1, 2, 3]).subarray(1);
    push.trySend([buffer, bytes, words, "text", null]);
    await world.settle();
    const parts = await pull.receive();
    expect(parts.every(Buffer.isBuffer)).toBe(true);
    expect(parts.map((part) => part.toString("hex"))).toEqual([
      "6120627566666572",
      "020304",
      "02000300",
      "74657874",
      "",
    ]);
    const places = parts.slice(0, 3).map((part) => [part.buffer, part.byteOffset]);
    expect(places.map(([memory], i) => memory === [buffer, bytes, words][i]?.buffer)).toEqual([
      true,
      true,
      true,
    ]);
    expect(places.map(([, offset]) => offset)).toEqual([buffer, bytes, words].map((sent) => sent.byteOffset));
    bytes[0] = 255;
    expect(parts[1]?.[0]).toBe(255);
  });

  it("each subscriber has a list of its own, and the sender keeps his", async () => {
    const world = new World();
    const publisher = world.publisher();
    await world.bind(publisher, A);
    const subscribers = [world.subscriber(), world.subscriber()];
    for (const subscriber of subscribers) {
      subscriber.connect(A);
      subscriber.subscribe("");
    }
    await world.run(publisher.subscribed("", { count: 2 }));
    const list = [Buffer.from("a"), Buffer.from("b")];
    publisher.trySend(list);
    list.pop();
    await world.settle();
    const [first, second] = await Promise.all(subscribers.map((subscriber) => subscriber.receive()));
    first?.shift();
    expect(texts(second ?? [])).toEqual(["a", "b"]);
    expect(first?.[0]?.buffer).toBe(second?.[1]?.buffer);
    expect(list).toHaveLength(1);
  });

  it("a topic's bytes are the caller's again when subscribe returns", async () => {
    const world = new World();
    const [publisher, subscriber] = [world.publisher(), world.subscriber()];
    await world.bind(publisher, A);
    subscriber.connect(A);
    await world.settle();
    const topic = Buffer.from("topic");
    subscriber.subscribe(topic);
    topic.fill("x");
    await world.run(publisher.subscribed("topic"));
  });
});

describe("inproc: subscriptions", () => {
  it("PS-2: counted at the subscriber; the publisher hears of the first and of the last", async () => {
    const world = new World();
    const [publisher, subscriber] = [world.publisher(), world.subscriber()];
    await world.bind(subscriber, A);
    publisher.connect(A);
    subscriber.subscribe("a", "a");
    await world.run(publisher.subscribed("a"));
    subscriber.unsubscribe("a");
    await world.settle();
    publisher.trySend("a1");
    subscriber.unsubscribe("a");
    await world.settle();
    publisher.trySend("a2");
    await world.settle();
    expect(publisher.stats().sent).toBe(1);
  });

  it("confirmed(): answered, when the publisher has applied what came before", async () => {
    const world = new World();
    const [publisher, subscriber] = [world.publisher(), world.subscriber()];
    await world.bind(publisher, A);
    expect((await failure(() => subscriber.confirmed())).error.code).toBe("EAGAIN");
    subscriber.connect(A);
    await world.settle();
    subscriber.subscribe("now");
    const confirmed = subscriber.confirmed().then((how) => {
      publisher.trySend("now!");
      return how;
    });
    expect(await world.run(confirmed)).toBe("answered");
    expect(await drain(subscriber)).toEqual(["now!"]);
  });

  it("confirmed() rejects with ECONNRESET when the publisher is closed in the same turn", async () => {
    const world = new World();
    const [publisher, subscriber] = [world.publisher(), world.subscriber()];
    await world.bind(publisher, A);
    subscriber.connect(A);
    await world.settle();
    void publisher.close();
    const confirmed = failure(() => subscriber.confirmed());
    await world.settle();
    expect((await confirmed).error).toMatchObject({ code: "ECONNRESET", address: A });
  });

  it("test_disconnect_inproc: no messages after disconnect, and again after another connect", async () => {
    const world = new World();
    const [publisher, subscriber] = [world.publisher(), world.subscriber()];
    await world.bind(publisher, A);
    subscriber.subscribe("");
    for (const round of ["first", "second"]) {
      subscriber.connect(A);
      await world.run(publisher.subscribed(""));
      publisher.trySend(round);
      await world.settle();
      expect(await drain(subscriber)).toEqual([round]);
      subscriber.disconnect(A);
      publisher.trySend("nobody");
      await world.settle();
      expect(publisher.stats().peers).toEqual([]);
      publisher.trySend("nobody");
    }
    expect(await drain(subscriber)).toEqual([]);
  });

  it("PS-23: PUB and SUB connect once to a name, bound or not", async () => {
    const world = new World();
    const [publisher, subscriber] = [world.publisher(), world.subscriber()];
    subscriber.connect(A);
    subscriber.connect(A);
    await world.bind(publisher, A);
    subscriber.connect(A);
    await world.settle();
    expect([publisher, subscriber].map((socket) => socket.stats().peers.length)).toEqual([1, 1]);
  });
});

describe("inproc: unbind, disconnect, close (EP-7, EP-9, EP-10, CL-1, CL-5)", () => {
  async function pair(options: { linger?: number } = {}) {
    const world = new World();
    const push = world.push(options);
    const pull = world.pull();
    await world.bind(pull, A);
    push.connect(A);
    await world.settle();
    return { world, push, pull };
  }

  it.each(["unbind", "disconnect"] as const)(
    "%s of the name frees it, and what is connected stays",
    async (how) => {
      const { world, push, pull } = await pair();
      await pull[how](A);
      expect((await failure(() => pull[how](A))).error.code).toBe("ENOENT");
      push.trySend("still");
      await world.settle();
      expect(await drain(pull)).toEqual(["still"]);
      const other = world.pull();
      await world.bind(other, A);
      push.connect(A);
      expect([1, 2].map(() => push.trySend("both"))).toEqual([true, true]);
      await world.settle();
      expect([await drain(pull), await drain(other)]).toEqual([["both"], ["both"]]);
      await world.run(pull.close());
      expect(push.stats().peers).toHaveLength(1);
    },
  );

  it.each(["unbind", "disconnect"] as const)(
    "%s of what was dialled ends it, and what was sent arrives",
    async (how) => {
      const { world, push, pull } = await pair({ linger: 0 });
      for (const text of ["1", "2"]) push.trySend(text);
      const undone = push[how](A);
      expect(push.trySend("3")).toBe(false);
      await world.settle();
      await undone;
      expect((await failure(() => push[how](A))).error.code).toBe("ENOENT");
      expect(pull.stats()).toMatchObject({ received: 2, queued: 2, peers: [] });
      expect(await drain(pull)).toEqual(["1", "2"]);
      await world.run(Promise.all([push.close(), pull.close()]));
      expectNothingLeft(world);
    },
  );

  it("the sender closes: all that it sent can be received, whatever its linger, and close waits for nobody", async () => {
    const { world, push, pull } = await pair({ linger: 0 });
    expect(fill(push)).toBe(2000);
    await world.run(push.close());
    expect(push.stats()).toMatchObject({ sent: 2000, dropped: 0, queued: 0, peers: [] });
    expect(pull.stats()).toMatchObject({ queued: 2000, peers: [] });
    expect(await drain(pull)).toHaveLength(2000);
    expect(world.context.inproc.size).toEqual({ bound: 1, waiting: 0 });
  });

  it("the binder closes: the name is free at once, and the other end has no peer any more", async () => {
    const { world, push, pull } = await pair();
    const closed = pull.close();
    const next = world.pull();
    const bound = next.bind(A);
    await world.run(Promise.all([closed, bound]));
    expect(push.stats().peers).toEqual([]);
    expect((await failure(() => push.disconnect(A))).error.code).toBe("ENOENT");
    const waiting = watch(push.send("for the next"));
    await world.settle();
    expect(waiting.state).toBe("pending"); // no reconnect
    push.connect(A);
    await world.settle();
    expect(await drain(next)).toEqual(["for the next"]);
  });

  it("unbound, bound by another, and closed in one turn: the name is the other's", async () => {
    const { world, pull } = await pair();
    const other = world.pull();
    const done = [pull.unbind(A), other.bind(A), pull.close()];
    await world.run(Promise.all(done));
    expect((await failure(() => world.pull().bind(A))).error.code).toBe("EADDRINUSE");
  });

  it("the receiver closes: what it has not got is dropped and counted", async () => {
    const { world, push, pull } = await pair();
    push.trySend("in its hands");
    await world.settle();
    push.trySend("too late");
    void pull.close();
    push.trySend("too late");
    await world.settle();
    expect(push.stats()).toMatchObject({ sent: 1, dropped: 2, queued: 0 });
  });

  it("both close in one turn", async () => {
    const { world, push, pull } = await pair();
    push.trySend("x");
    await world.run(Promise.all([push.close(), pull.close()]));
    expect(push.stats()).toMatchObject({ sent: 0, dropped: 1 });
    expectNothingLeft(world);
  });

  it("connected and closed in one turn", async () => {
    const world = new World();
    const pull = world.pull();
    const push = world.push();
    await pull.bind(A);
    push.connect(A);
    push.trySend("x");
    const closed = push.close();
    await world.settle();
    await closed;
    expect(await drain(pull)).toEqual(["x"]);
    push.close();
    const third = world.push();
    third.connect(A);
    await world.run(Promise.all([pull.close(), third.close()]));
    expectNothingLeft(world);
  });

  it("CL-1: nobody has bound: linger -1 waits, without keeping the process; who comes later gets everything", async () => {
    const world = new World();
    const push = world.push();
    push.connect(A);
    expect(fill(push, 3)).toBe(3);
    const closed = watch(push.close());
    await world.advance(1e9);
    expect([closed.state, world.holds]).toEqual(["pending", 0]);
    const pull = world.pull();
    await world.bind(pull, A);
    await world.settle();
    expect(closed.state).toBe("resolved");
    expect(await drain(pull)).toEqual(["0", "1", "2"]);
  });

  it.each([0, 300])(
    "CL-1: nobody has bound: linger %i ends on time, and what is left is counted",
    async (linger) => {
      const world = new World();
      const push = world.push({ linger });
      push.connect(A);
      push.trySend("x");
      const closed = watch(push.close());
      if (linger > 0) {
        await world.advance(linger - 1);
        expect([closed.state, world.holds]).toEqual(["pending", 1]);
        await world.advance(1);
      }
      await world.settle();
      expect(closed.state).toBe("resolved");
      expect(push.stats()).toMatchObject({ sent: 0, dropped: 1, queued: 0 });
      expectNothingLeft(world);
    },
  );

  it("CL-1: an empty queue closes at once, even with -1 and without a peer", async () => {
    const world = new World();
    const sockets = [world.push(), world.pull(), world.publisher(), world.subscriber()];
    for (const socket of sockets) socket.connect(A);
    await world.run(Promise.all(sockets.map((socket) => socket.close())));
    expectNothingLeft(world);
  });

  it("there are no events but the end", async () => {
    const world = new World();
    const [push, pull] = [world.push(), world.pull()];
    const events = [push, pull].map(eventsOf);
    push.connect(A);
    await world.bind(pull, A);
    push.trySend("x");
    await world.run(pull.unbind(A));
    push.disconnect(A);
    await world.run(Promise.all([push.close(), pull.close()]));
    expect(events.map(typesOf)).toEqual([["end"], ["end"]]);
  });
});

/** Writes down what a pattern is told. */
class Recorder implements Pattern {
  readonly told: string[] = [];
  pipe: Pipe | null = null;
  attach(pipe: Pipe): void {
    this.pipe = pipe;
    this.#write("attach", pipe);
  }
  detach(pipe: Pipe): void {
    this.#write("detach", pipe);
  }
  ready(pipe: Pipe): void {
    this.#write("ready", pipe);
  }
  lost(pipe: Pipe): void {
    this.#write("lost", pipe);
  }
  writable(pipe: Pipe): void {
    this.#write("writable", pipe);
  }
  message(pipe: Pipe, parts: Uint8Array[]): void {
    this.#write(`message ${parts.map(String)}`, pipe);
  }
  subscription(pipe: Pipe, subscribe: boolean, topic: Uint8Array): void {
    this.#write(`${subscribe ? "subscribe" : "cancel"} ${Buffer.from(topic)}`, pipe);
  }
  isReadable(): boolean {
    return false;
  }
  isWritable(): boolean {
    return false;
  }
  orphaned(): number {
    return 0;
  }
  optionsChanged(): void {}
  close(): void {
    this.told.push("close");
  }
  #write(what: string, pipe: Pipe): void {
    this.told.push(`${what}${pipe.isReady ? "" : " (not ready)"}`);
  }
}

class Recording extends Socket<Recorder> {
  constructor(type: SocketType, world: World, options: Partial<AllOptions> = {}) {
    super(type, Recorder, {}, world.context, options);
  }
  get told(): string[] {
    return this.pattern.told.splice(0);
  }
  get pipe(): Pipe {
    return this.pattern.pipe as Pipe;
  }
}

describe("inproc: what patterns are told", () => {
  const text = (text: string): OutgoingMessage => new OutgoingMessage([Buffer.from(text)]);

  async function two() {
    const world = new World();
    const [near, far] = [new Recording("PAIR", world), new Recording("PAIR", world)];
    near.connect(A);
    expect(near.told).toEqual(["attach (not ready)"]);
    await world.bind(far, A);
    await world.settle();
    expect([near.told, far.told]).toEqual([["ready"], ["attach", "ready"]]);
    return { world, near, far };
  }

  it("attach, ready, what was sent in order, then lost and detach", async () => {
    const { world, near, far } = await two();
    near.pipe.subscribe(Buffer.from("s"));
    near.pipe.offer(text("1"));
    near.pipe.cancel(Buffer.from("s"));
    near.pipe.offer(text("2"));
    expect(far.told).toEqual([]);
    near.disconnect(A);
    expect(near.told).toEqual(["detach"]);
    await world.settle();
    expect(near.told).toEqual([]);
    expect(far.told).toEqual([
      ...["subscribe s", "message 1", "cancel s", "message 2"],
      ...["lost", "detach (not ready)"],
    ]);
  });

  it("writable comes after an offer that was refused, once there is room; never from within offer or take", async () => {
    const world = new World();
    const marks = { sendHighWaterMark: 1, receiveHighWaterMark: 1 };
    const [near, far] = [new Recording("PAIR", world, marks), new Recording("PAIR", world, marks)];
    await world.bind(far, A);
    near.connect(A);
    await world.settle();
    for (const [n, taken] of [true, true, false].entries())
      expect(near.pipe.offer(text(String(n)))).toBe(taken);
    far.told;
    near.told;
    await world.settle();
    // Nothing was kept, and so there is room again.
    expect([near.told, far.told]).toEqual([["writable"], ["message 0", "message 1"]]);
  });

  it("a connection that a pattern ends: both ends hear, and both tell why", async () => {
    const { world, near, far } = await two();
    const events = [near, far].map(eventsOf);
    const error = new ProtocolError("ERR_ZMTP_FRAME", "a rule", "no");
    near.pipe.offer(text("too late"));
    far.pipe.offer(text("lost"));
    (far.pipe as InprocPipe).fail(error);
    await world.settle();
    expect([near.told, far.told]).toEqual([
      ["lost", "detach (not ready)"],
      ["lost", "detach (not ready)"],
    ]);
    expect(events).toEqual([
      [{ type: "disconnect", address: A, reason: "peer" }],
      [{ type: "disconnect", address: A, reason: "protocol", error }],
    ]);
    expect([near.stats().dropped, far.stats().dropped]).toEqual([1, 1]);
  });
});

describe("inproc: when the other side hears", () => {
  it("nothing is handed over within the call: the other side hears at the end of the turn", async () => {
    const world = new World();
    const [push, pull] = [world.push(), world.pull()];
    await world.bind(pull, A);
    push.connect(A);
    await world.settle();
    push.trySend("x");
    expect([push.stats().queued, pull.stats().queued]).toEqual([1, 0]);
    await world.settle();
    expect([push.stats().queued, pull.stats().queued]).toEqual([0, 1]);
  });

  it("sockets that answer each other leave the event loop its turns", async () => {
    const world = new World();
    const hops: number[] = [];
    const join = async (from: string, to: string): Promise<void> => {
      const [pull, push] = [world.pull(), world.push()];
      await pull.bind(from);
      push.connect(to);
      for await (const [hop] of pull) {
        world.time += 0.1; // what a hop takes
        hops.push(Number(hop));
        if (Number(hop) < 1000) push.trySend(String(Number(hop) + 1));
      }
    };
    void join(A, "inproc://b");
    void join("inproc://b", A);
    const first = world.push();
    first.connect(A);
    first.trySend("0");
    const turns: number[] = [];
    const onTurn = (): void => {
      turns.push(hops.length);
      if (hops.length < 1000) world.environment.nextTurn(onTurn);
    };
    world.environment.nextTurn(onTurn);
    await world.settle();
    expect(hops).toHaveLength(1001);
    const longest = Math.max(...turns.map((at, i) => at - (turns[i - 1] ?? 0)));
    expect(longest).toBeLessThan(50); // 2 ms, of 0.1 ms each, and those under way
  });

  it("a socket that is closed by who listens to a drop, in the middle of a send", async () => {
    const world = new World();
    const publisher = world.publisher({ sendHighWaterMark: 1 });
    await world.bind(publisher, A);
    const subscribers = [
      world.subscriber({ receiveHighWaterMark: 1 }),
      world.subscriber({ receiveHighWaterMark: 1 }),
    ];
    for (const subscriber of subscribers) {
      subscriber.connect(A);
      subscriber.subscribe("");
    }
    await world.run(publisher.subscribed("", { count: 2 }));
    publisher.events.on("drop", () => {
      void publisher.close();
      void subscribers[0]?.close();
    });
    for (let n = 0; n < 3; n += 1) if (!publisher.closed) publisher.trySend(String(n));
    await world.settle();
    expect(await drain(subscribers[1] as (typeof subscribers)[number])).toEqual(["0", "1"]);
    await world.run(Promise.all(subscribers.map((subscriber) => subscriber.close())));
    expectNothingLeft(world);
  });
});
