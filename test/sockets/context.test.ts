import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { Context, Push } from "../../src/sockets/index.ts";
import { failure, trapRejections, World } from "../support/sim-sockets.ts";
import { until } from "../support/wait.ts";

trapRejections();

const world = new World();
type Bag = Record<string, unknown>;
const make = (options?: object): Context & Bag => new Context(world.environment, options) as Context & Bag;

describe("OP-CONTEXT: the options of a context", () => {
  it("have zeromq.js's names and defaults", () => {
    expect(make()).toMatchObject({
      blocky: true,
      ioThreads: 1,
      ipv6: false,
      maxMessageSize: 2 ** 31 - 1,
      maxSockets: 1023,
      maxSocketsLimit: 65_535,
    });
  });

  it.each([
    ["blocky", false],
    ["ipv6", true],
    ["ioThreads", 0],
    ["maxSockets", 1],
    ["maxMessageSize", 0],
  ])("%s = %s, in the constructor and later", (name, value) => {
    expect(make({ [name]: value })[name]).toBe(value);
    const context = make() as Bag;
    context[name] = value;
    expect(context[name]).toBe(value);
    expect(make()[name]).not.toBe(value);
  });

  it.each(["threadPriority", "threadSchedulingPolicy"])("%s can only be set", (name) => {
    const context = make({ [name]: 1 }) as Bag;
    context[name] = 2;
    expect(context[name]).toBeUndefined();
  });

  it.each([
    ["blocky", 1, "TypeError", "Option value must be a boolean"],
    ["ioThreads", "1", "TypeError", "Option value must be a number"],
    ["ioThreads", undefined, "TypeError", "Option value must be a number"],
    ["ioThreads", -1, "ZmqError", "Invalid argument: ioThreads = -1"],
    ["maxSockets", 0, "ZmqError", "Invalid argument: maxSockets = 0"],
    ["threadPriority", -1, "ZmqError", "Invalid argument: threadPriority = -1"],
    [
      "maxSocketsLimit",
      1,
      "TypeError",
      "Cannot set property maxSocketsLimit of #<Context> which has only a getter",
    ],
    ["nonsense", 1, "TypeError", "Cannot add property nonsense, object is not extensible"],
  ])("%s = %s: %s", (name, value, kind, message) => {
    const wrong = expect.objectContaining({ name: kind, message });
    expect(() => make({ [name]: value })).toThrow(wrong);
    expect(() => {
      make()[name] = value;
    }).toThrow(wrong);
  });

  it.each([1, "x", null])("options that are no object: %s", (options) => {
    expect(() => make(options as never)).toThrow(new TypeError("Options must be an object"));
  });
});

describe("OP-CONTEXT: the sockets of a context", () => {
  it("blocky: false gives new sockets a linger of 0", () => {
    const sim = new World();
    const before = sim.push();
    sim.context.blocky = false;
    expect([
      before.linger,
      sim.push().linger,
      sim.push({ linger: 5 }).linger,
      sim.subscriber().linger,
    ]).toEqual([-1, 0, 5, 0]);
  });

  it("ipv6 is what new sockets have", () => {
    const sim = new World();
    sim.context.ipv6 = true;
    expect([sim.push().ipv6, sim.push({ ipv6: false }).ipv6]).toEqual([true, false]);
  });

  it("more than maxSockets: EMFILE, until one is closed and done with lingering", async () => {
    const sim = new World();
    sim.context.maxSockets = 2;
    const first = sim.push({ linger: 100 });
    sim.pull();
    expect(() => sim.pull()).toThrow(
      expect.objectContaining({ code: "EMFILE", errno: 24, message: "Too many open file descriptors" }),
    );
    first.connect("sim://nobody");
    void first.send("x");
    void first.close();
    expect(() => sim.pull()).toThrow(expect.objectContaining({ code: "EMFILE" }));
    await sim.advance(100);
    sim.pull();
    expect(() => sim.pull()).toThrow(expect.objectContaining({ code: "EMFILE" }));
    sim.context.maxSockets = 3;
    sim.pull();
  });

  it("a socket that could not be made does not count", () => {
    const sim = new World();
    sim.context.maxSockets = 1;
    expect(() => sim.pull({ linger: -2 })).toThrow(expect.objectContaining({ code: "EINVAL" }));
    sim.pull();
  });

  it("a socket without endpoints that nobody refers to any more does not count", async () => {
    const sim = new World();
    sim.context.maxSockets = 1;
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    (() => void sim.pull())();
    await until("it is collected", () => {
      collect();
      try {
        sim.pull();
        return true;
      } catch {
        return false;
      }
    });
  });

  it("closing twice counts once", async () => {
    const sim = new World();
    sim.context.maxSockets = 1;
    const pull = sim.pull();
    await sim.run(pull.close());
    await sim.run(pull.close());
    sim.pull();
    expect(() => sim.pull()).toThrow(expect.objectContaining({ code: "EMFILE" }));
  });

  it("options.context picks the context, and stays in the caller's object", () => {
    const other = make();
    const options = { context: other, linger: 5 };
    const push = new Push(options, world.context);
    expect(push.context).toBe(other);
    expect(push.linger).toBe(5);
    expect(options).toEqual({ context: other, linger: 5 });
    expect(world.push().context).toBe(world.context);
  });

  it.each([{}, null, undefined, 1])("options.context = %s: zeromq.js's error", (context) => {
    expect(() => new Push({ context: context as never }, world.context)).toThrow(
      new TypeError("Invalid argument"),
    );
  });
});

describe("Context: when the process has nothing left to do", () => {
  const idle = (sim: World): void => {
    for (const callback of [...sim.idlers]) callback();
  };

  it("it hears of that from the first endpoint on, until the last socket is closed", async () => {
    const sim = new World();
    const [one, two] = [sim.push(), sim.pull()];
    expect(sim.idlers.size).toBe(0);
    one.connect("sim://a");
    two.connect("sim://a");
    expect(sim.idlers.size).toBe(1);
    await sim.run(one.close());
    expect(sim.idlers.size).toBe(1);
    await sim.run(two.close());
    expect(sim.idlers.size).toBe(0);
  });

  it("sockets with nothing to send are left alone", async () => {
    const sim = new World();
    const [push, pull] = [sim.push(), sim.pull()];
    await sim.bind(pull);
    push.connect("sim://a");
    void push.send("x");
    await sim.settle();
    idle(sim);
    expect([push.closed, pull.closed, sim.holds]).toEqual([false, false, 0]);
  });

  it("messages that wait are sent, and the sockets closed", async () => {
    const sim = new World();
    const push = sim.push();
    push.connect("sim://a");
    void push.send("x");
    await sim.settle();
    expect(sim.holds).toBe(0);
    idle(sim);
    expect([push.closed, sim.holds]).toEqual([true, 1]);
    await sim.advance(400);
    const raw = sim.listenRaw("sim://a");
    await sim.advance(200);
    raw[0]?.greet("PULL");
    await sim.settle();
    expect(push.stats()).toMatchObject({ sent: 1, queued: 0 });
    raw[0]?.stream.end();
    await sim.settle();
    expect(sim.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
    expect(sim.idlers.size).toBe(0);
  });

  it("half a second later it says what it waits for; not when that is soon over", async () => {
    for (const [linger, said] of [
      [499, 0],
      [501, 1],
    ] as const) {
      const sim = new World();
      const push = sim.push({ linger });
      push.connect("sim://nobody");
      void push.send("x");
      idle(sim);
      await sim.advance(1000);
      expect(sim.told).toHaveLength(said);
      expect(sim.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    }
  });

  it("linger 0: not even asked", async () => {
    const sim = new World();
    const push = sim.push({ linger: 0 });
    push.connect("sim://nobody");
    void push.send("x");
    idle(sim);
    expect(push.closed).toBe(false);
  });
});

describe("The package's context", () => {
  it("is a Context, and what sockets belong to", async () => {
    const push = new zmtp.Push();
    expect(zmtp.context).toBeInstanceOf(zmtp.Context);
    expect(push.context).toBe(zmtp.context);
    const own = new zmtp.Context({ maxSockets: 5 });
    const pull = new zmtp.Pull({ context: own });
    expect(pull.context).toBe(own);
    await Promise.all([push.close(), pull.close()]);
  });

  it.each([{}, [], null, 1])("%s is none", (value) => {
    expect(value instanceof (zmtp.Context as unknown as new () => object)).toBe(false);
  });

  it("lets sockets of two contexts talk", async () => {
    const pull = new zmtp.Pull({ context: new zmtp.Context() });
    await pull.bind("tcp://127.0.0.1:*");
    const push = new zmtp.Push({ context: new zmtp.Context() });
    push.connect(pull.lastEndpoint as string);
    await push.send("hello");
    expect(String(await pull.receive())).toBe("hello");
    await Promise.all([push.close(), pull.close()]);
  });

  it("a misspelt option is an error there too", async () => {
    const { how, error } = await failure(() => new zmtp.Context({ blocki: true } as never));
    expect({ how, message: error.message }).toEqual({
      how: "thrown",
      message: "Cannot add property blocki, object is not extensible",
    });
  });
});
