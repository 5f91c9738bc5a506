import fc from "fast-check";
import { describe, expect, it } from "vitest";
// biome-ignore lint/suspicious/noShadowRestrictedNames: zeromq.js's name.
import { Proxy } from "../../src/sockets/index.ts";
import { command, drain, failure, trapRejections, World, watch } from "../support/sim-sockets.ts";

trapRejections();

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

/** PUSH to a proxy's PULL; the proxy's PUSH to PULL. */
async function pipeline(options: { highWaterMark?: number; linger?: number } = {}) {
  const { highWaterMark = 1000, linger = -1 } = options;
  const world = new World();
  const front = world.pull({ receiveHighWaterMark: highWaterMark, linger });
  const back = world.push({ sendHighWaterMark: highWaterMark, linger });
  await world.bind(front, "sim://front");
  await world.bind(back, "sim://back");
  const push = world.push({ sendHighWaterMark: highWaterMark });
  push.connect("sim://front");
  const pull = world.pull({ receiveHighWaterMark: highWaterMark });
  return { world, front, back, push, pull };
}

describe("Proxy: arguments and states", () => {
  const world = new World();

  it.each([
    [1, {}, "Front-end must be a socket object"],
    [undefined, {}, "Front-end must be a socket object"],
    [{}, {}, "Invalid argument"],
    [world.pull(), null, "Back-end must be a socket object"],
    [world.pull(), {}, "Invalid argument"],
  ])("new Proxy(%s, %s)", (front, back, text) => {
    expect(() => new Proxy(front as never, back as never)).toThrow(new TypeError(text));
  });

  it("a capture that is no socket, or cannot send", () => {
    const [front, back] = [world.pull(), world.push()];
    expect(() => new Proxy(front, back, 1 as never)).toThrow(
      new TypeError("Capture must be a socket object"),
    );
    expect(() => new Proxy(front, back, world.pull())).toThrow(
      new TypeError("Capture must be a socket that can send"),
    );
  });

  it("has its sockets, which cannot be replaced", () => {
    const [front, back] = [world.pull(), world.push()];
    const proxy = new Proxy(front, back);
    expect([proxy.frontEnd, proxy.backEnd]).toEqual([front, back]);
    expect(() => {
      (proxy as { frontEnd: unknown }).frontEnd = back;
    }).toThrow(TypeError);
  });

  it.each(["pause", "resume", "terminate"] as const)(
    "%s before run and after the end: EBADF",
    async (method) => {
      const { world, front, back } = await pipeline();
      const proxy = new Proxy(front, back);
      const closed = { how: "thrown", error: { code: "EBADF", message: "Socket is closed" } };
      expect(await failure(() => proxy[method]())).toMatchObject(closed);
      const running = proxy.run();
      proxy.terminate();
      expect(await failure(() => proxy[method]())).toMatchObject(closed);
      await world.run(running);
      expect(await failure(() => proxy[method]())).toMatchObject(closed);
    },
  );

  it("run without an endpoint, or with a closed socket: EINVAL at once", async () => {
    const sim = new World();
    const bound = sim.pull();
    await sim.bind(bound);
    const fails = async (front: never, back: never, message: string): Promise<void> => {
      expect(await failure(() => new Proxy(front, back).run())).toMatchObject({
        how: "thrown",
        error: { code: "EINVAL", message },
      });
    };
    await fails(sim.pull() as never, sim.push() as never, "Front-end socket must be bound or connected");
    await fails(bound as never, sim.push() as never, "Back-end socket must be bound or connected");
    const closed = sim.push();
    closed.connect("sim://a");
    void closed.close();
    await fails(bound as never, closed as never, "Back-end socket must be bound or connected");
    await fails(closed as never, bound as never, "Front-end socket must be bound or connected");
    const other = sim.pull();
    other.connect("sim://a");
    await fails(bound as never, other as never, "Neither socket can send what the other could receive");
  });

  it("run while it runs: EBUSY", async () => {
    const { world, front, back } = await pipeline();
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    expect(await failure(() => proxy.run())).toMatchObject({ how: "thrown", error: { code: "EBUSY" } });
    proxy.terminate();
    await world.run(running);
    expect([front.closed, back.closed]).toEqual([true, true]);
  });
});

describe("Proxy: messages", () => {
  it("PULL to PUSH, whichever is in front, in order and whole", async () => {
    for (const swap of [false, true]) {
      const { world, front, back, push, pull } = await pipeline();
      const proxy = swap ? new Proxy(back, front) : new Proxy(front, back);
      const running = proxy.run();
      pull.connect("sim://back");
      for (const n of numbers(500)) await push.send([n, "body"]);
      await world.settle();
      expect(await drain(pull)).toEqual(numbers(500).map((n) => `${n}|body`));
      proxy.terminate();
      await world.run(running);
      await world.settle();
      await Promise.all([world.run(push.close()), world.run(pull.close())]);
      expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    }
  });

  it("SUB to PUB", async () => {
    const world = new World();
    const [front, back] = [world.subscriber(), world.publisher()];
    front.subscribe("");
    await world.bind(front, "sim://front");
    await world.bind(back, "sim://back");
    const running = new Proxy(front, back).run();
    const [pub, sub] = [world.publisher(), world.subscriber()];
    sub.subscribe("a");
    sub.connect("sim://back");
    pub.connect("sim://front");
    await world.settle();
    for (const text of ["a1", "b1", "a2"]) await pub.send(text);
    await world.settle();
    expect(await drain(sub)).toEqual(["a1", "a2"]);
    void running;
  });

  it("capture gets a copy of every message, and stays open", async () => {
    const { world, front, back, push, pull } = await pipeline();
    const capture = world.push();
    const copies = world.pull();
    await world.bind(capture, "sim://capture");
    copies.connect("sim://capture");
    pull.connect("sim://back");
    await world.settle();
    const proxy = new Proxy(front, back, capture);
    const running = proxy.run();
    for (const n of numbers(50)) await push.send([n, "body"]);
    await world.settle();
    const expected = numbers(50).map((n) => `${n}|body`);
    expect(await drain(copies)).toEqual(expected);
    expect(await drain(pull)).toEqual(expected);
    proxy.terminate();
    await world.run(running);
    expect(capture.closed).toBe(false);
  });

  it("a capture without room holds up the proxy, and nothing is lost", async () => {
    const { world, front, back, push, pull } = await pipeline();
    const capture = world.push({ sendTimeout: 0 });
    await world.bind(capture, "sim://capture");
    pull.connect("sim://back");
    await world.settle();
    const running = new Proxy(front, back, capture).run();
    for (const n of numbers(5)) await push.send(n);
    await world.settle();
    expect(await drain(pull)).toEqual([]);
    const copies = world.pull();
    copies.connect("sim://capture");
    await world.settle();
    expect(await drain(pull)).toEqual(numbers(5));
    expect(await drain(copies)).toEqual(numbers(5));
    void running;
  });

  it("a slow back holds up the front", async () => {
    const { world, front, back, push, pull } = await pipeline({ highWaterMark: 10 });
    world.network.capacity = 100;
    const running = new Proxy(front, back).run();
    const body = Buffer.alloc(2000);
    const sends = numbers(500).map((n) => watch(push.send([n, body])));
    await world.settle();
    const taken = sends.filter(({ state }) => state === "resolved").length;
    expect(taken).toBeLessThan(200);
    pull.connect("sim://back");
    const got: string[] = [];
    while (got.length < 500) {
      await world.settle();
      got.push(...(await drain(pull)));
    }
    expect(got.map((text) => text.split("|")[0])).toEqual(numbers(500));
    expect(sends.every(({ state }) => state === "resolved")).toBe(true);
    void running;
  });

  it("timeouts of its sockets do not end it", async () => {
    const { world, front, back, push, pull } = await pipeline();
    front.receiveTimeout = 0;
    back.sendTimeout = 0;
    const running = watch(new Proxy(front, back).run());
    await world.advance(1000);
    await push.send("x");
    await world.settle();
    pull.connect("sim://back");
    await world.settle();
    expect(await drain(pull)).toEqual(["x"]);
    expect(running.state).toBe("pending");
  });
});

/** A source's XPUB to a proxy's XSUB; the proxy's XPUB to a SUB. */
async function relay(options: { highWaterMark?: number; noDrop?: boolean } = {}) {
  const { highWaterMark = 1000, noDrop = false } = options;
  const world = new World();
  const front = world.xsubscriber({ receiveHighWaterMark: highWaterMark, sendHighWaterMark: highWaterMark });
  const back = world.xpublisher({ sendHighWaterMark: highWaterMark, noDrop });
  const source = world.xpublisher({ sendHighWaterMark: highWaterMark, noDrop });
  front.connect(await world.bind(source, "sim://source"));
  await world.bind(back, "sim://back");
  const sub = world.subscriber({ receiveHighWaterMark: highWaterMark });
  return { world, source, front, back, sub };
}

describe("Proxy: XSUB and XPUB", () => {
  it.each([false, true])("subscriptions go up, messages down; swapped: %s", async (swap) => {
    const { world, source, front, back, sub } = await relay();
    const proxy = swap ? new Proxy(back, front) : new Proxy(front, back);
    const running = proxy.run();
    const other = world.xsubscriber();
    for (const one of [sub, other]) one.connect("sim://back");
    sub.subscribe("a", "both");
    await world.settle();
    for (const text of ["\x01both", "up"]) other.trySend(text);
    await world.settle();
    expect(await drain(source)).toEqual(["\x01a", "\x01both", "up"]);
    for (const text of ["a1", "both", "c"]) source.trySend([text, "body"]);
    await world.settle();
    expect(await drain(sub)).toEqual(["a1|body", "both|body"]);
    expect(await drain(other)).toEqual(["both|body"]);
    expect(source.stats().sent).toBe(2); // filtered at the source
    sub.unsubscribe("both");
    await world.settle();
    expect(await drain(source)).toEqual([]);
    void sub.close();
    other.trySend("\0both");
    await world.settle();
    expect((await drain(source)).sort()).toEqual(["\0a", "\0both"]);
    proxy.terminate();
    await world.run(running);
    await world.run(Promise.all([other.close(), source.close()]));
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });

  it("subscriptions are sent upstream again when the source comes back", async () => {
    const { world, source, front, back, sub } = await relay();
    void new Proxy(front, back).run();
    sub.subscribe("a");
    sub.connect("sim://back");
    await world.settle();
    expect(await drain(source)).toEqual(["\x01a"]);
    void source.close();
    await world.settle();
    const next = world.xpublisher();
    await world.bind(next, "sim://source");
    await world.advance(1000);
    expect(await drain(next)).toEqual(["\x01a"]);
    next.trySend("abc");
    await world.settle();
    expect(await drain(sub)).toEqual(["abc"]);
  });

  it("capture gets what goes either way, in the order in which it was taken", async () => {
    const { world, source, front, back, sub } = await relay();
    const [capture, copies] = [world.push(), world.pull()];
    await world.bind(capture, "sim://capture");
    copies.connect("sim://capture");
    const running = new Proxy(front, back, capture).run();
    sub.subscribe("a");
    sub.connect("sim://back");
    await world.settle();
    source.trySend(["a1", "body"]);
    await world.settle();
    sub.unsubscribe("a");
    await world.settle();
    expect(await drain(copies)).toEqual(["\x01a", "a1|body", "\0a"]);
    void running;
  });

  it("with noDrop a slow subscriber holds up the source, and nothing is lost; subscriptions go up meanwhile", async () => {
    const { world, source, front, back, sub } = await relay({ highWaterMark: 5, noDrop: true });
    world.network.capacity = 100;
    void new Proxy(front, back).run();
    const raw = (await world.dialRaw("sim://back")).greet("SUB").write(command("SUBSCRIBE", "a"));
    await world.settle();
    await drain(source);
    raw.stream.pause();
    const body = "x".repeat(3000);
    const sends = numbers(300).map((n) => watch(source.send([`a${n}.`, body])));
    await world.settle();
    const taken = sends.filter(({ state }) => state === "resolved").length;
    expect(taken).toBeLessThan(100);
    sub.subscribe("elsewhere");
    sub.connect("sim://back");
    await world.settle();
    expect(await drain(source)).toEqual(["\x01elsewhere"]);
    raw.take();
    raw.stream.resume();
    await world.settle();
    expect(
      raw
        .take()
        .toString("latin1")
        .match(/a\d+\./g),
    ).toEqual(numbers(300).map((n) => `a${n}.`));
    expect(sends.every(({ state }) => state === "resolved")).toBe(true);
    expect([source, front, back].map((socket) => socket.stats().dropped)).toEqual([0, 0, 0]);
  });

  it("terminate: what was taken is passed on first", async () => {
    const { world, source, front, back } = await relay({ highWaterMark: 5, noDrop: true });
    world.network.capacity = 100;
    const proxy = new Proxy(front, back);
    const running = watch(proxy.run());
    const raw = (await world.dialRaw("sim://back")).greet("SUB").write(command("SUBSCRIBE", "a"));
    await world.settle();
    raw.stream.pause();
    for (const n of numbers(300)) void source.send([`a${n}.`, "x".repeat(3000)]).catch(() => {});
    await world.settle();
    proxy.terminate();
    await world.settle();
    expect(running.state).toBe("pending");
    const { received, queued } = front.stats();
    raw.take();
    raw.stream.resume();
    await world.settle();
    expect(running.state).toBe("resolved");
    const passed = received - queued;
    expect(passed).toBeGreaterThan(5);
    expect(
      raw
        .take()
        .toString("latin1")
        .match(/a\d+\./g)?.length,
    ).toBe(passed);
    source.linger = 0;
    await world.run(source.close());
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });
});

describe("Proxy: pause, resume, terminate", () => {
  it("paused, it takes nothing; resumed, everything comes", async () => {
    const { world, front, back, push, pull } = await pipeline();
    pull.connect("sim://back");
    await world.settle();
    const proxy = new Proxy(front, back);
    const running = watch(proxy.run());
    await push.send("0");
    await world.settle();
    proxy.pause();
    proxy.pause();
    for (const n of ["1", "2"]) await push.send(n);
    await world.settle();
    expect(await drain(pull)).toEqual(["0"]);
    expect(front.stats().queued).toBe(2);
    expect(world.holds).toBeGreaterThan(0);
    proxy.resume();
    await world.settle();
    expect(await drain(pull)).toEqual(["1", "2"]);
    proxy.resume();
    proxy.pause();
    proxy.terminate();
    await world.settle();
    expect(running.state).toBe("resolved");
  });

  it("a message that comes in the turn of the pause is not lost", async () => {
    const { world, front, back, push, pull } = await pipeline();
    pull.connect("sim://back");
    await world.settle();
    const proxy = new Proxy(front, back);
    void proxy.run();
    for (const n of numbers(100)) {
      await push.send(n);
      await world.settle();
      void push.send(`${n}+`);
      world.network.later(() => {
        proxy.pause();
        proxy.resume();
      });
      await world.settle();
    }
    expect(await drain(pull)).toEqual(numbers(100).flatMap((n) => [n, `${n}+`]));
  });

  it("terminate: what was taken is passed on first", async () => {
    const { world, front, back, push, pull } = await pipeline();
    const proxy = new Proxy(front, back);
    const running = watch(proxy.run());
    for (const n of numbers(5)) await push.send(n);
    await world.settle();
    expect(front.stats().queued).toBe(0);
    proxy.terminate();
    await world.advance(10_000);
    expect(running.state).toBe("pending");
    pull.connect("sim://back");
    await world.settle();
    expect(running.state).toBe("resolved");
    expect(await drain(pull)).toEqual(numbers(5));
    await world.settle();
    expect(back.closed).toBe(true);
  });

  it("terminate: for as long as linger says", async () => {
    const { world, front, back, push } = await pipeline({ linger: 300 });
    const proxy = new Proxy(front, back);
    const running = watch(proxy.run());
    await push.send("x");
    await world.settle();
    proxy.terminate();
    await world.advance(299);
    expect(running.state).toBe("pending");
    await world.advance(1);
    expect(running.state).toBe("resolved");
    await world.run(push.close());
    expect(world.left).toMatchObject({ holds: 0, timers: 0 });
  });

  it.each(["front", "back"] as const)(
    "a %s that is closed ends it: EBADF, and both are closed",
    async (which) => {
      const { world, front, back, push } = await pipeline();
      const running = watch(new Proxy(front, back).run());
      await world.settle();
      void (which === "front" ? front : back).close();
      await push.send("x");
      await world.settle();
      expect(running).toMatchObject({ state: "rejected", error: { code: "EBADF" } });
      expect([front.closed, back.closed]).toEqual([true, true]);
    },
  );

  it("whatever is done to it, every message that was taken arrives once, in order", async () => {
    const steps = fc.array(fc.constantFrom("send", "settle", "pause", "resume", "take"), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, async (doings) => {
        const { world, front, back, push, pull } = await pipeline({ highWaterMark: 3 });
        world.network.capacity = 50;
        pull.connect("sim://back");
        const proxy = new Proxy(front, back);
        const running = watch(proxy.run());
        let sent = 0;
        const got: string[] = [];
        for (const what of doings) {
          if (what === "send" && push.trySend(String(sent))) sent += 1;
          else if (what === "settle") await world.settle();
          else if (what === "pause") proxy.pause();
          else if (what === "resume") proxy.resume();
          else if (what === "take") got.push(...(await drain(pull)));
        }
        proxy.terminate();
        for (let i = 0; i < 30; i += 1) {
          await world.settle();
          got.push(...(await drain(pull)));
        }
        expect(running.state).toBe("resolved");
        expect(got).toEqual(numbers(got.length));
        const left = front.stats();
        expect(got.length + left.queued).toBeLessThanOrEqual(sent);
        expect(got.length).toBe(left.received - left.queued);
      }),
      { numRuns: 60 },
    );
  });
});
