import { describe, expect, it } from "vitest";
import type { Socket } from "../../src/sockets/index.ts";
import { failure, trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

const world = new World();
const make = {
  Publisher: (options?: object) => world.publisher(options),
  Subscriber: (options?: object) => world.subscriber(options),
  XPublisher: (options?: object) => world.xpublisher(options),
  XSubscriber: (options?: object) => world.xsubscriber(options),
  Push: (options?: object) => world.push(options),
  Pull: (options?: object) => world.pull(options),
};
type Kind = keyof typeof make;
const kinds = Object.keys(make) as Kind[];
type Bag = Record<string, unknown>;

const common = {
  reconnectInterval: 100,
  reconnectMaxInterval: 0,
  backlog: 100,
  maxMessageSize: -1,
  maxMessageBytes: 2 ** 30,
  maxMessageParts: 2 ** 20,
  handshakeInterval: 30_000,
  heartbeatInterval: 0,
  heartbeatTimeout: -1,
  heartbeatTimeToLive: 0,
  heartbeatPeers: "all",
  connectTimeout: 0,
  reconnectFirst: -1,
  tcpKeepalive: -1,
  tcpKeepaliveIdle: -1,
  ipv6: false,
  immediate: false,
  conflate: false,
  affinity: 0,
  rate: 100,
  recoveryInterval: 10_000,
  multicastMaxTransportDataUnit: 1500,
  tcpKeepaliveCount: -1,
  tcpKeepaliveInterval: -1,
  tcpMaxRetransmitTimeout: 0,
  typeOfService: 0,
  interface: null,
  loopbackFastPath: false,
  vmciBufferSize: 65_546,
  vmciBufferMinSize: 128,
  vmciBufferMaxSize: 262_144,
  vmciConnectTimeout: -1,
};
const sending = {
  sendHighWaterMark: 1000,
  sendHighWaterMarkBytes: 0,
  sendTimeout: -1,
  sendBufferSize: -1,
  multicastHops: 1,
};
const receiving = {
  receiveHighWaterMark: 1000,
  receiveHighWaterMarkBytes: 0,
  receiveTimeout: -1,
  receiveBufferSize: -1,
};

const { conflate: _, ...commonX } = common;
const publishing = {
  overflow: "drop",
  noDrop: false,
  invertMatching: false,
  maxSubscriptionBytes: 2 ** 29,
  maxTopicSize: 2 ** 20,
};
const xpublishing = {
  verbosity: null,
  manual: false,
  manualLastValue: false,
  welcomeMessage: null,
  onlyFirstSubscribe: false,
};
const all = {
  ...common,
  ...sending,
  ...receiving,
  ...publishing,
  ...xpublishing,
  verboseUnsubscribe: false,
  linger: 0,
};

describe("PS-21, OP-DEFAULTS, OP-BUFFERS: names and defaults", () => {
  it.each([
    ["Publisher", { ...common, linger: -1, ...sending, ...publishing }],
    ["Subscriber", { ...common, linger: 0, ...receiving, invertMatching: false }], // PS-21
    ["XPublisher", { ...commonX, linger: -1, ...sending, ...receiving, ...publishing, ...xpublishing }],
    ["XSubscriber", { ...commonX, linger: 0, ...sending, ...receiving, verboseUnsubscribe: false }], // PS-21
    ["Push", { ...common, linger: -1, ...sending }],
    ["Pull", { ...common, linger: -1, ...receiving }],
  ] as [Kind, Bag][])("%s has these, and no others", (kind, expected) => {
    const socket = make[kind]() as unknown as Bag;
    const names = Object.keys(all);
    const found = Object.fromEntries(
      names.filter((name) => name in socket).map((name) => [name, socket[name]]),
    );
    expect(found).toEqual(expected);
  });

  it.each(kinds)("%s has no own properties and is sealed", (kind) => {
    const socket = make[kind]() as unknown as Bag;
    expect(Object.keys(socket)).toEqual([]);
    expect(Object.isSealed(socket)).toBe(true);
    expect(() => {
      socket.lingre = 1;
    }).toThrow(TypeError);
  });
});

describe("Socket, the type", () => {
  it("needs no parameter to stand for any of them", () => {
    const sockets: readonly Socket[] = [make.Publisher(), make.Subscriber(), make.Push(), make.Pull()];
    expect(sockets.map((socket) => socket.closed)).toEqual([false, false, false, false]);
  });
});

describe("OP-CHECKED: what options take", () => {
  const values: [string, unknown][] = [
    ["linger", 0],
    ["linger", 2 ** 31 - 1],
    ["reconnectInterval", 5],
    ["maxMessageSize", 2 ** 40],
    ["maxMessageSize", -5],
    ["heartbeatTimeToLive", 6_553_500],
    ["heartbeatPeers", "able"],
    ["interface", "eth0"],
    ["interface", null],
    ["affinity", 5],
    ["tcpKeepalive", 0],
    ["ipv6", true],
  ];
  it.each(values)("%s = %s, in the constructor and later", (name, value) => {
    expect((make.Pull({ [name]: value }) as unknown as Bag)[name]).toBe(value);
    const socket = make.Pull() as unknown as Bag;
    socket[name] = value;
    expect(socket[name]).toBe(value);
  });

  it.each([
    ["linger", "1"],
    ["linger", null],
    ["linger", undefined],
    ["linger", 1n],
    ["ipv6", 1],
    ["immediate", undefined],
    ["immediate", null],
    ["heartbeatPeers", 1],
    ["interface", 1],
    ["interface", undefined],
    ["affinity", "1"],
    ["receiveTimeout", {}],
  ] as [string, unknown][])("%s = %s: zeromq.js's TypeError for the wrong kind", (name, value) => {
    const socket = make.Pull() as unknown as Bag;
    const before = socket[name];
    const wrong = expect.objectContaining({ name: "TypeError", message: wanted(before, name) });
    expect(() => {
      socket[name] = value;
    }).toThrow(wrong);
    expect(socket[name]).toBe(before);
    expect(() => make.Pull({ [name]: value })).toThrow(wrong);
  });

  const wanted = (before: unknown, name: string): string => {
    if (name === "interface") return "Option value must be a string or buffer";
    return `Option value must be a ${typeof before}`;
  };

  it.each([
    ["linger", 2.9, 2],
    ["linger", -0.5, 0],
    ["linger", -1.5, -1],
    ["maxMessageSize", 10.5, 10],
    ["heartbeatTimeToLive", 150, 100],
    ["heartbeatTimeToLive", 6_553_599, 6_553_500],
    ["typeOfService", 3.7, 3],
    ["affinity", -1, 0],
    ["affinity", Number.POSITIVE_INFINITY, 2 ** 64],
    ["interface", "eth0\0rest", "eth0"],
    ["interface", Buffer.from("eth0"), "eth0"],
    ["interface", "", null],
  ] as [string, unknown, unknown][])("%s = %s is kept as %s", (name, value, kept) => {
    expect((make.Pull({ [name]: value }) as unknown as Bag)[name]).toBe(kept);
  });

  it("a number that is no longer exact: taken, with zeromq.js's warning", () => {
    const sim = new World();
    expect(sim.pull({ affinity: 2 ** 53 }).affinity).toBe(2 ** 53);
    expect(sim.warnings).toEqual([
      "Value is larger than Number.MAX_SAFE_INTEGER and may have been rounded inaccurately.",
    ]);
  });

  it.each([
    ["linger", -2],
    ["linger", Number.NaN],
    ["linger", Number.POSITIVE_INFINITY],
    ["linger", 2 ** 31],
    ["reconnectMaxInterval", -1],
    ["heartbeatTimeToLive", 6_553_600],
    ["heartbeatPeers", "none"],
    ["tcpKeepalive", 2],
    ["receiveHighWaterMark", -1],
    ["maxMessageBytes", 0],
    ["maxMessageParts", 0],
  ] as [string, unknown][])("%s = %s: EINVAL for a value out of range", (name, value) => {
    const socket = make.Pull() as unknown as Bag;
    const before = socket[name];
    expect(() => {
      socket[name] = value;
    }).toThrow(expect.objectContaining({ code: "EINVAL", name: "ZmqError" }));
    expect(socket[name]).toBe(before);
    expect(() => make.Pull({ [name]: value })).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });

  it.each([
    ["Publisher", "receiveTimeout"],
    ["Push", "overflow"],
    ["Subscriber", "sendHighWaterMark"],
    ["Pull", "sendTimeout"],
    ["Pull", "nonsense"],
    ["Pull", "receive"],
    ["Pull", "plainServer"],
    ["Pull", "curveServerKey"],
    ["Pull", "socksProxy"],
  ] as [Kind, string][])("a %s has no %s", (kind, name) => {
    const wrong = new TypeError(`Cannot add property ${name}, object is not extensible`);
    expect(() => make[kind]({ [name]: 1 })).toThrow(wrong);
    const socket = make[kind]() as unknown as Bag;
    expect(() => {
      socket[name] = 1;
    }).toThrow(wrong);
  });

  it.each(["lastEndpoint", "closed", "events"])("%s can only be read", (name) => {
    const wrong = new TypeError(`Cannot set property ${name} of #<Socket> which has only a getter`);
    expect(() => make.Pull({ [name]: 1 })).toThrow(wrong);
    const socket = make.Pull() as unknown as Bag;
    expect(() => {
      socket[name] = 1;
    }).toThrow(wrong);
  });

  it.each([1, "x", null])("options that are no object: %s", (options) => {
    expect(() => make.Pull(options as never)).toThrow(new TypeError("Options must be an object"));
  });

  it("two sockets do not share values", () => {
    const one = make.Push({ linger: 7 });
    expect(make.Push().linger).toBe(-1);
    expect(one.linger).toBe(7);
  });
});

describe("Wrong arguments are errors at the call", () => {
  const calls: [string, () => unknown, string][] = [
    ["bind", () => make.Pull().bind(1 as never), "Address must be a string"],
    ["unbind", () => make.Pull().unbind(null as never), "Address must be a string"],
    ["connect", () => make.Pull().connect(undefined as never), "Address must be a string"],
    ["disconnect", () => make.Pull().disconnect({} as never), "Address must be a string"],
    ["send", () => make.Push().send(undefined as never), "Message must be present"],
    ["trySend", () => make.Publisher().trySend(undefined as never), "Message must be present"],
    ["send a symbol", () => make.Push().send(Symbol() as never), "Cannot convert a Symbol value to a string"],
    [
      "send symbols",
      () => make.Push().send([Symbol()] as never),
      "Cannot convert a Symbol value to a string",
    ],
    ["subscribe", () => make.Subscriber().subscribe(1 as never), "Topic must be a string or buffer"],
    ["unsubscribe", () => make.Subscriber().unsubscribe({} as never), "Topic must be a string or buffer"],
    ["subscribed", () => make.Publisher().subscribed(7 as never), "Topic must be a string or buffer"],
    ["events.on", () => make.Pull().events.on("bind", 1 as never), "Listener must be a function"],
  ];
  it.each(calls)("%s throws a TypeError", async (_name, call, message) => {
    const { how, error } = await failure(call);
    expect(how).toBe("thrown");
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(message);
  });

  it("a wrong topic subscribes to none of the others", () => {
    const sub = make.Subscriber();
    expect(() => sub.subscribe("a", 1 as never)).toThrow(TypeError);
  });

  it.each([
    ["count", () => make.Publisher().subscribed("", { count: 0 })],
    ["max", () => make.Pull().receiveBatch({ max: 0 })],
  ] as [string, () => unknown][])("%s = 0 is EINVAL", async (_name, call) => {
    const { how, error } = await failure(call);
    expect({ how, code: error.code }).toEqual({ how: "thrown", code: "EINVAL" });
  });

  it.each([
    ["receive", () => make.Pull().receive({ signal: {} as never })],
    ["send", () => make.Push().send("x", { signal: {} as never })],
  ] as [string, () => unknown][])(
    "%s with what is no signal fails and keeps nothing alive",
    async (_name, call) => {
      const { error } = await failure(call);
      expect(error).toBeInstanceOf(TypeError);
      expect(world.holds).toBe(0);
    },
  );
});

describe("Addresses", () => {
  it.each([
    ["foo-bar", "EINVAL"],
    ["", "EINVAL"],
    ["sim://", "EINVAL"],
    ["://x", "EINVAL"],
    ["sim://a b", "EINVAL"],
    ["foo://bar", "EPROTONOSUPPORT"],
    ["SIM://a", "EPROTONOSUPPORT"],
    ["toString://a", "EPROTONOSUPPORT"],
  ])("%j is %s: connect throws, bind rejects", async (address, code) => {
    const connected = await failure(() => make.Pull().connect(address));
    expect(connected).toMatchObject({ how: "thrown", error: { code } });
    expect(connected.error).toMatchObject(address ? { address } : {});
    const bound = await failure(() => make.Pull().bind(address));
    expect(bound).toMatchObject({ how: "rejected", error: { code } });
  });

  it("EP-9: what is not bound or connected is ENOENT", async () => {
    const pull = make.Pull();
    expect(await failure(() => pull.unbind("sim://none"))).toMatchObject({
      how: "rejected",
      error: { code: "ENOENT", errno: 2, address: "sim://none", message: "No such endpoint" },
    });
    expect(await failure(() => pull.disconnect("sim://none"))).toMatchObject({
      how: "thrown",
      error: { code: "ENOENT", address: "sim://none" },
    });
  });

  it("an address in use: EADDRINUSE, with the address", async () => {
    const sim = new World();
    await sim.bind(sim.pull(), "sim://a");
    const second = sim.pull();
    const bound = second.bind("sim://a");
    const caught = failure(() => bound);
    await sim.settle();
    expect((await caught).error).toMatchObject({ code: "EADDRINUSE", errno: 98, address: "sim://a" });
    expect(second.lastEndpoint).toBeNull();
  });

  it.each(["sim://any-1", "sim://*"])(
    "EP-9, B-37: what was bound with a wildcard is unbound by the address really bound, or as it was given: %s",
    async (address) => {
      const sim = new World();
      const pull = sim.pull();
      expect(pull.lastEndpoint).toBeNull();
      expect(await sim.bind(pull, "sim://*")).toBe("sim://any-1");
      await pull.unbind(address);
      for (const gone of ["sim://any-1", "sim://*"])
        expect((await failure(() => pull.unbind(gone))).error.code).toBe("ENOENT");
      expect(pull.lastEndpoint).toBe("sim://any-1"); // EP-8
      expect(sim.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    },
  );

  it("EP-9: unbind undoes connect, and disconnect undoes bind", async () => {
    const sim = new World();
    const pull = sim.pull();
    pull.connect("sim://later");
    await sim.run(pull.unbind("sim://later"));
    expect((await failure(() => pull.disconnect("sim://later"))).error.code).toBe("ENOENT");
    await sim.bind(pull, "sim://here");
    pull.disconnect("sim://here");
    expect((await failure(() => pull.unbind("sim://here"))).error.code).toBe("ENOENT");
    await sim.settle();
    expect(sim.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });

  it("EP-9: what is bound and dialled under one address ends at once; other addresses stay", async () => {
    const sim = new World();
    const push = sim.push();
    await sim.bind(push, "sim://a");
    for (const address of ["sim://a", "sim://b", "sim://a"]) push.connect(address);
    await sim.run(push.unbind("sim://a"));
    expect(push.stats().peers).toMatchObject([{ address: "sim://b" }]);
    expect(sim.network.listeners.size).toBe(0);
  });

  it("EP-8: lastEndpoint after connect is the string given; it changes with every bind and connect, and with no other", async () => {
    const sim = new World();
    const pull = sim.pull();
    pull.connect("sim://nobody");
    expect(pull.lastEndpoint).toBe("sim://nobody");
    await sim.bind(pull, "sim://a");
    expect(pull.lastEndpoint).toBe("sim://a");
    pull.connect("sim://other");
    pull.disconnect("sim://nobody");
    await sim.run(pull.unbind("sim://a"));
    expect(() => pull.connect("foo-bar")).toThrow();
    expect(pull.lastEndpoint).toBe("sim://other");
  });

  it("EP-9: two connections to one address end with one disconnect (PUSH, PULL)", async () => {
    const sim = new World();
    const pull = sim.pull();
    pull.connect("sim://a");
    pull.connect("sim://a");
    expect(pull.stats().peers).toHaveLength(2);
    pull.disconnect("sim://a");
    expect((await failure(() => pull.disconnect("sim://a"))).error.code).toBe("ENOENT");
    await sim.settle();
    expect(sim.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });

  it("PS-23: PUB and SUB connect once to an address", () => {
    for (const socket of [make.Publisher(), make.Subscriber()]) {
      socket.connect("sim://a");
      socket.connect("sim://a");
      expect(socket.stats().peers).toHaveLength(1);
      expect(socket.lastEndpoint).toBe("sim://a");
      socket.disconnect("sim://a");
      expect(() => socket.disconnect("sim://a")).toThrow(expect.objectContaining({ code: "ENOENT" }));
    }
  });
});

describe("A closed socket", () => {
  const closed = <T extends { close(): Promise<void> }>(socket: T): T => {
    void socket.close();
    return socket;
  };
  it.each([
    ["bind", () => closed(make.Pull()).bind("sim://x")],
    ["unbind", () => closed(make.Pull()).unbind("sim://x")],
    ["connect", () => closed(make.Pull()).connect("sim://x")],
    ["disconnect", () => closed(make.Pull()).disconnect("sim://x")],
    ["send (PUSH)", () => closed(make.Push()).send("x")],
    ["send (PUB)", () => closed(make.Publisher()).send("x")],
    ["trySend", () => closed(make.Push()).trySend("x")],
    ["send nothing", () => closed(make.Push()).send([])],
    ["receive", () => closed(make.Pull()).receive()],
    ["receiveBatch", () => closed(make.Subscriber()).receiveBatch()],
    ["subscribe", () => closed(make.Subscriber()).subscribe("x")],
    ["unsubscribe", () => closed(make.Subscriber()).unsubscribe("x")],
    ["confirmed", () => closed(make.Subscriber()).confirmed()],
    ["subscribed", () => closed(make.Publisher()).subscribed("x")],
  ] as [string, () => unknown][])("%s throws EBADF at once", async (_name, call) => {
    const { how, error } = await failure(call);
    expect({ how, code: error.code }).toEqual({ how: "thrown", code: "EBADF" });
  });

  it("says so", () => {
    const pull = make.Pull();
    expect(pull.closed).toBe(false);
    void pull.close();
    expect(pull.closed).toBe(true);
  });
});
