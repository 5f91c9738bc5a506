import { describe, expect, it } from "vitest";
import {
  type AnyEvent,
  command,
  eventsOf,
  greeting,
  hex,
  message,
  ready,
  trapRejections,
  typesOf,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

const address = "sim://a";
const retryIn = expect.any(Number);

/** What a dialling socket tells when the peer does this after the handshake, or instead of it. */
async function dialled(raw: (peer: ReturnType<World["listenRaw"]>[0]) => void, options: object = {}) {
  const world = new World();
  const peers = world.listenRaw(address);
  const pull = world.pull(options);
  const events = eventsOf(pull);
  pull.connect(address);
  await world.settle();
  const peer = peers[0] as (typeof peers)[0];
  raw(peer);
  await world.settle();
  return { world, peers, peer, pull, events };
}

async function accepted(raw: (peer: ReturnType<World["listenRaw"]>[0]) => void, options: object = {}) {
  const world = new World();
  const pull = world.pull(options);
  const events = eventsOf(pull);
  await world.bind(pull);
  const peer = await world.dialRaw(address);
  raw(peer);
  await world.settle();
  return { world, peer, pull, events };
}

describe("Events: the order of a life (MO-5)", () => {
  it("bind, accept, handshake, disconnect, close, end", async () => {
    const { world, pull, events, peer } = await accepted((peer) => peer.greet("PUSH"));
    peer.stream.end();
    await world.settle();
    await world.run(pull.close());
    expect(events).toEqual([
      { type: "bind", address },
      { type: "accept", address },
      { type: "handshake", address },
      { type: "disconnect", address, reason: "peer" },
      { type: "close", address },
      { type: "end" },
    ]);
  });

  it("connect, handshake, disconnect, and again; nothing for one's own close but the end", async () => {
    const { world, peers, pull, events } = await dialled((peer) => peer.greet("PUSH"));
    peers[0]?.stream.end();
    await world.advance(200);
    peers[1]?.greet("PUSH");
    await world.settle();
    await world.run(pull.close());
    expect(events).toEqual([
      { type: "connect:delay", address },
      { type: "connect", address },
      { type: "handshake", address },
      { type: "disconnect", address, reason: "peer", retryIn },
      { type: "connect:retry", address, interval: retryIn },
      { type: "connect:delay", address },
      { type: "connect", address },
      { type: "handshake", address },
      { type: "end" },
    ]);
  });

  it("connect:delay, close, connect:retry while nobody is there (MO-5); the interval is the time until the next dial", async () => {
    const world = new World();
    const pull = world.pull();
    const events = eventsOf(pull);
    pull.connect(address);
    await world.advance(1000);
    const types = typesOf(events);
    expect(types.length).toBeGreaterThan(12);
    for (const [i, type] of types.entries())
      expect(type).toBe(["connect:delay", "close", "connect:retry"][i % 3]);
    const { dials } = world.network;
    const retries = events.filter((event) => event.type === "connect:retry");
    for (const [i, { interval, error }] of retries.entries()) {
      expect(error).toMatchObject({ code: "ECONNREFUSED" });
      const next = dials[i + 1];
      if (next !== undefined) expect(next.at - (dials[i]?.at ?? 0)).toBe(interval);
    }
  });

  it("a socket that did nothing: only the end", async () => {
    const world = new World();
    const pull = world.pull();
    const events = eventsOf(pull);
    await world.run(pull.close());
    expect(events).toEqual([{ type: "end" }]);
  });

  it("unbind: the listener's close comes at once, though its connections linger", async () => {
    const world = new World();
    world.network.capacity = 10;
    const push = world.push();
    const events = eventsOf(push);
    await world.bind(push);
    const raw = (await world.dialRaw(address)).greet("PULL");
    await world.settle();
    raw.stream.pause();
    while (push.trySend("x".repeat(20))) if (push.stats().queued === 0) await world.settle();
    const unbound = watch(push.unbind(address));
    await world.settle();
    expect(typesOf(events)).toEqual(["bind", "accept", "handshake", "close"]);
    expect(unbound.state).toBe("pending");
    raw.stream.resume();
    await world.settle();
    expect(unbound.state).toBe("resolved");
  });
});

describe("N-17: events, why a connection ended", () => {
  const broken = hex("08 00"); // FR-3: reserved flag bits
  const cases: [string, (peer: ReturnType<World["listenRaw"]>[0]) => void, object][] = [
    ["peer", (peer) => peer.greet("PUSH").stream.end(), { reason: "peer" }],
    ["reset", (peer) => peer.greet("PUSH"), { reason: "reset", error: { code: "ECONNRESET" } }],
    ["closed before the greeting", (peer) => peer.stream.end(), { reason: "handshake" }],
    ["closed before READY", (peer) => peer.write(greeting()).stream.end(), { reason: "handshake" }],
    [
      "no READY but ERROR",
      (peer) => peer.write(greeting(), command("ERROR", "\x02no")),
      { reason: "refused", error: { code: "ERR_ZMTP_REFUSED", reason: "no" } },
    ],
    ["not ZMTP", (peer) => peer.write(Buffer.from("GET / HTTP/1.1\r\n\r\n")), { reason: "protocol" }],
    [
      "wrong type",
      (peer) => peer.write(greeting(), ready("SUB")),
      { reason: "protocol", error: { code: "ERR_ZMTP_SOCKET_TYPE", name: "ProtocolError" } },
    ],
    [
      "bad frame",
      (peer) => peer.greet("PUSH").write(broken),
      { reason: "protocol", error: { code: "ERR_ZMTP_FRAME", rule: expect.stringContaining("RFC 37") } },
    ],
    [
      "closed within a frame",
      (peer) => peer.greet("PUSH").write(hex("00 05 61")).stream.end(),
      { reason: "peer", error: { code: "ERR_ZMTP_TRUNCATED" } },
    ],
    [
      "closed within a message",
      (peer) => peer.greet("PUSH").write(hex("01 01 61")).stream.end(),
      { reason: "peer", error: { code: "ERR_ZMTP_TRUNCATED" } },
    ],
  ];

  it.each(cases)("%s: accepted", async (name, raw, expected) => {
    const { world, peer, events, pull } = await accepted(raw);
    if (name === "reset") peer.stream.reset();
    await world.settle();
    expect(events.at(-1)).toMatchObject({ type: "disconnect", address, ...expected });
    expect("error" in (events.at(-1) as object)).toBe("error" in expected || name === "not ZMTP");
    expect("retryIn" in (events.at(-1) as object)).toBe(false);
    expect(pull.stats().peers).toEqual([]);
    await world.advance(2000);
    expect(world.left).toMatchObject({ timers: 0, streams: 0 });
  });

  it.each(cases)("%s: dialled", async (name, raw, expected) => {
    const { world, peer, events } = await dialled(raw);
    if (name === "reset") peer.stream.reset();
    await world.settle();
    const refused = "reason" in expected && expected.reason === "refused";
    const lost = events.find((event) => event.type === "disconnect");
    expect(lost).toMatchObject({ address, ...expected });
    expect(lost?.retryIn === undefined).toBe(refused);
    const last = refused ? lost : { type: "connect:retry", address, interval: lost?.retryIn };
    expect(events.at(-1)).toMatchObject(last as object);
  });

  it("a silent peer: handshakeInterval", async () => {
    const { world, events } = await accepted(() => {}, { handshakeInterval: 100 });
    await world.advance(200);
    expect(events.at(-1)).toMatchObject({
      type: "disconnect",
      reason: "handshake",
      error: { code: "ERR_ZMTP_HANDSHAKE_TIMEOUT" },
    });
    expect(world.left).toMatchObject({ timers: 0, streams: 0 });
  });

  it("a peer told that it is unacceptable gets the ERROR before the end", async () => {
    const { world, peer } = await accepted((peer) => peer.write(greeting(), ready("SUB")));
    await world.settle();
    expect(peer.received.includes("ERROR")).toBe(true);
    expect(peer.ends).toEqual([null]);
  });

  it("one that does not read it is cut after a second", async () => {
    const { world, peer } = await accepted((peer) => {
      peer.stream.pause();
      peer.write(greeting(), ready("SUB"));
    });
    expect(world.left.streams).toBe(2);
    await world.advance(1000);
    peer.stream.resume();
    await world.settle();
    expect(world.left).toMatchObject({ timers: 0, streams: 0 });
  });
});

describe("Refused (RFC 37, Error Handling): the endpoint leaves the rotation", () => {
  it("its queue is dropped and counted, nothing is dialled again until a new connect", async () => {
    const world = new World();
    const peers = world.listenRaw(address);
    const push = world.push({ sendTimeout: 0 });
    push.connect(address);
    push.trySend("1");
    push.trySend("2");
    await world.settle();
    peers[0]?.write(greeting(), command("ERROR", "\0"));
    await world.advance(60_000);
    expect(peers).toHaveLength(1);
    expect(push.stats()).toEqual({ sent: 0, received: 0, dropped: 2, queued: 0, peers: [] });
    expect(push.trySend("3")).toBe(false);
    expect(() => push.disconnect(address)).toThrow(expect.objectContaining({ code: "ENOENT" }));
    push.connect(address);
    push.trySend("4");
    await world.settle();
    peers[1]?.greet("PULL");
    await world.settle();
    expect(peers[1]?.received.subarray(-3)).toEqual(message("4"));
    await world.run(push.close());
    expect(world.left.timers).toBe(0);
  });

  it("others go on", async () => {
    const world = new World();
    const peers = world.listenRaw("sim://refuses");
    const pull = world.pull();
    await world.bind(pull);
    const push = world.push();
    push.connect("sim://refuses");
    push.connect(address);
    await world.settle();
    peers[0]?.write(greeting(), command("ERROR", "\0"));
    await world.settle();
    for (let i = 0; i < 3; i += 1) push.trySend(String(i));
    await world.settle();
    expect(pull.stats().received).toBe(3);
  });
});

describe("Listeners", () => {
  it("E40: one that throws harms nothing: the others hear, the socket works, the error is nobody's", async () => {
    const world = new World();
    const pull = world.pull();
    const seen: string[] = [];
    pull.events.on("accept", () => {
      throw new Error("mine");
    });
    pull.events.on("accept", () => seen.push("second"));
    await world.bind(pull);
    const push = world.push();
    push.connect(address);
    await expect(world.settle()).rejects.toThrow("mine");
    await world.settle();
    push.trySend("x");
    await world.settle();
    expect(seen).toEqual(["second"]);
    expect(pull.stats().received).toBe(1);
  });

  it("off takes one away; on returns the emitter", async () => {
    const world = new World();
    const pull = world.pull();
    const seen: string[] = [];
    const listener = (event: AnyEvent): void => void seen.push(event.type);
    expect(pull.events.on("bind", listener).off("bind", listener)).toBe(pull.events);
    await world.bind(pull);
    expect(seen).toEqual([]);
  });

  it.each(["connect", "handshake", "disconnect"] as const)(
    "disconnect() within %s leaves nothing",
    async (type) => {
      const world = new World();
      const peers = world.listenRaw(address);
      const pull = world.pull();
      pull.events.on(type, () => pull.disconnect(address));
      pull.connect(address);
      await world.settle();
      const peer = peers[0] as (typeof peers)[0];
      if (type !== "connect") peer.greet("PUSH");
      await world.settle();
      if (type === "disconnect") peer.stream.destroy();
      await world.advance(5000);
      expect(peer.ends).toEqual([null]);
      expect(world.network.dials).toHaveLength(1);
      expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
      expect(pull.stats().peers).toEqual([]);
    },
  );

  it.each(["bind", "accept", "handshake", "disconnect"] as const)(
    "close() within %s leaves nothing",
    async (type) => {
      const world = new World();
      const pull = world.pull();
      const events = eventsOf(pull);
      pull.events.on(type, () => void pull.close());
      const bound = watch(pull.bind(address));
      await world.settle();
      expect(bound.state).toBe("resolved");
      if (type !== "bind") {
        const raw = await world.dialRaw(address);
        await world.settle();
        if (type !== "accept") raw.greet("PUSH");
        await world.settle();
        if (type === "disconnect") raw.stream.destroy();
      }
      await world.settle();
      expect(typesOf(events).slice(-2)).toEqual(["close", "end"]);
      expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    },
  );
});

describe("N-17: diagnostics channels", () => {
  const names = ["zmtp:connect", "zmtp:handshake", "zmtp:disconnect", "zmtp:drop"];

  it("tell of both ends and of what was dropped", async () => {
    const world = new World();
    for (const name of names) world.subscribed.add(name);
    const push = world.push({ sendHighWaterMark: 2 });
    push.connect(address);
    push.trySend("1");
    push.trySend("2");
    const pull = world.pull({ maxMessageSize: 0 });
    await world.bind(pull);
    await world.advance(200);
    await world.run(push.close());
    const told = world.published.map(({ name, message }) => ({ name, ...(message as object) }));
    expect(told).toMatchObject([
      { name: "zmtp:connect", socketType: "PULL", type: "accept", address },
      { name: "zmtp:connect", socketType: "PUSH", type: "connect", address },
      { name: "zmtp:handshake", type: "handshake" },
      { name: "zmtp:handshake", type: "handshake" },
      { name: "zmtp:disconnect", socketType: "PULL", type: "disconnect", reason: "protocol" },
      { name: "zmtp:disconnect", socketType: "PUSH", type: "disconnect", reason: "peer", retryIn },
    ]);
  });

  it("zmtp:drop counts messages", async () => {
    const world = new World();
    world.subscribed.add("zmtp:drop");
    const push = world.push({ linger: 0 });
    push.connect(address);
    push.trySend("1");
    push.trySend("2");
    await world.run(push.close());
    expect(world.published).toEqual([
      { name: "zmtp:drop", message: { socketType: "PUSH", address, count: 2 } },
    ]);
  });

  it("nothing is published where nobody listens", async () => {
    const { world } = await accepted((peer) => peer.greet("PUSH"));
    expect(world.published).toEqual([]);
  });
});
