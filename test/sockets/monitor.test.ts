import { describe, expect, it } from "vitest";
import { ZmqError } from "../../src/errors.ts";
import type { SocketEvent } from "../../src/sockets/index.ts";
import {
  type AnyEvent,
  command,
  eventsOf,
  failure,
  greeting,
  hex,
  message,
  type RawPeer,
  ready,
  trapRejections,
  typesOf,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

const address = "sim://a";
const interval = expect.any(Number);

interface Failure {
  name: string;
  does(peer: RawPeer): void;
  event: object;
  reason: string;
  /** ERROR is final (RFC 37, Error Handling). */
  final?: true;
}

const protocol = (code: string, name = "ProtocolError"): object => ({
  type: "handshake:error:protocol",
  error: { code, name },
});
const other = (code: string): object => ({ type: "handshake:error:other", error: { code } });
const auth = (status: number, text: string): object => ({
  type: "handshake:error:auth",
  error: { status, message: text, name: "RefusedError" },
});
const reset = "ECONNRESET";

const FAILURES: readonly Failure[] = [
  { name: "closes at once", does: (peer) => peer.stream.end(), event: other("EPIPE"), reason: "handshake" },
  {
    name: "closes within its READY",
    does: (peer) => peer.write(greeting(), ready("PUSH").subarray(0, 9)).stream.end(),
    event: other("ERR_ZMTP_TRUNCATED"),
    reason: "handshake",
  },
  { name: "resets", does: (peer) => peer.stream.reset(), event: other(reset), reason: "handshake" },
  {
    name: "is silent (GR-18)",
    does: () => {},
    event: other("ERR_ZMTP_HANDSHAKE_TIMEOUT"),
    reason: "handshake",
  },
  {
    name: "speaks SSH (GR-17)",
    does: (peer) => peer.write(Buffer.from("SSH-2.0-x\r\n")),
    event: other("ERR_ZMTP_VERSION"),
    reason: "protocol",
  },
  {
    name: "speaks ZMTP 2.0 (GR-12)",
    does: (peer) => peer.write(hex("ff 0000000000000001 7f 01 07")),
    event: other("ERR_ZMTP_VERSION"),
    reason: "protocol",
  },
  {
    name: "has another mechanism (GR-13)",
    does: (peer) => peer.write(hex("ff 0000000000000000 7f 0301"), Buffer.from("NULLX".padEnd(52, "\0"))),
    event: protocol("ERR_ZMTP_MECHANISM_MISMATCH"),
    reason: "protocol",
  },
  {
    name: "has a type that does not fit (NU-5)",
    does: (peer) => peer.write(greeting(), ready("SUB")),
    event: protocol("ERR_ZMTP_SOCKET_TYPE"),
    reason: "protocol",
  },
  {
    name: "has metadata that are cut short (NU-5)",
    does: (peer) => peer.write(greeting(), command("READY", hex("0541"))),
    event: protocol("ERR_ZMTP_INVALID_METADATA"),
    reason: "protocol",
  },
  {
    name: "sends PING where READY is due (HB-6)",
    does: (peer) => peer.write(greeting(), command("PING", hex("0000"))),
    event: protocol("ERR_ZMTP_UNEXPECTED_COMMAND"),
    reason: "protocol",
  },
  {
    name: "has a command name longer than the body",
    does: (peer) => peer.write(greeting(), hex("04 02 05 41")),
    event: protocol("ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"),
    reason: "protocol",
  },
  {
    name: "sends an ERROR cut short (NU-8)",
    does: (peer) => peer.write(greeting(), command("ERROR", hex("09 41"))),
    event: protocol("ERR_ZMTP_MALFORMED_COMMAND_ERROR"),
    reason: "protocol",
  },
  {
    name: "refuses without a status (NU-8)",
    does: (peer) => peer.write(greeting(), command("ERROR", "\x03401")),
    event: protocol("ERR_ZMTP_REFUSED", "RefusedError"),
    reason: "refused",
    final: true,
  },
  ...(
    [
      [300, "Temporary error"],
      [400, "Authentication failure"],
      [500, "Internal error"],
    ] as const
  ).map(
    ([status, text]): Failure => ({
      name: `refuses with ${status} (NU-8)`,
      does: (peer) => peer.write(greeting(), command("ERROR", `\x03${status}`)),
      event: auth(status, text),
      reason: "refused",
      final: true,
    }),
  ),
];

describe("MO-4, MO-5: a handshake that fails tells why, then disconnect, then connect:retry where we dial again", () => {
  it.each(FAILURES.map((one) => [one.name, one] as const))("a listener that %s", async (_, one) => {
    const world = new World();
    const peers = world.listenRaw(address);
    const pull = world.pull({ handshakeInterval: 50 });
    const events = eventsOf(pull);
    pull.connect(address);
    await world.settle();
    one.does(peers[0] as RawPeer);
    await world.advance(90);
    const expected: object[] = [
      { type: "connect:delay", address },
      { type: "connect", address },
      { ...one.event, address },
      { type: "disconnect", address, reason: one.reason },
    ];
    if (!one.final) expected.push({ type: "connect:retry", address, interval });
    expect(events).toMatchObject(expected);
    const [lost, retry] = events.slice(3) as [AnyEvent & { type: "disconnect" }, { interval: number }?];
    expect(lost.retryIn).toBe(retry?.interval);
    await world.run(pull.close());
    expect(events.slice(expected.length)).toEqual([{ type: "end" }]);
  });

  it.each(FAILURES.map((one) => [one.name, one] as const))("a dialler that %s", async (_, one) => {
    const world = new World();
    const pull = world.pull({ handshakeInterval: 50 });
    const events = eventsOf(pull);
    await world.bind(pull);
    one.does(await world.dialRaw(address));
    await world.advance(100);
    await world.run(pull.close());
    expect(events).toMatchObject([
      { type: "bind", address },
      { type: "accept", address },
      { ...one.event, address },
      { type: "disconnect", address, reason: one.reason },
      { type: "close", address },
      { type: "end" },
    ]);
  });

  it("after the handshake a broken protocol is a disconnect, not an error of the handshake", async () => {
    const world = new World();
    const pull = world.pull();
    const events = eventsOf(pull);
    await world.bind(pull);
    (await world.dialRaw(address)).greet("PUSH").write(hex("08 00"));
    await world.settle();
    expect(typesOf(events)).toEqual(["bind", "accept", "handshake", "disconnect"]);
  });

  it("two sockets of types that do not fit: both say so, and the dialler tries again, more and more seldom", async () => {
    const world = new World();
    const pull = world.pull();
    const sub = world.subscriber();
    const [bound, dialled] = [eventsOf(pull), eventsOf(sub)];
    await world.bind(pull);
    sub.connect(address);
    await world.advance(60_000);
    const [first, ...more] = typesOf(bound);
    const attempts = more.length / 3;
    expect(first).toBe("bind");
    expect(attempts).toBeGreaterThan(3);
    expect(attempts).toBeLessThan(15);
    const accepted = ["accept", "handshake:error:protocol", "disconnect"];
    expect(more).toEqual(Array.from({ length: attempts }, () => accepted).flat());
    const attempt = ["connect:delay", "connect", ...accepted.slice(1), "connect:retry"];
    expect(typesOf(dialled)).toEqual(Array.from({ length: attempts }, () => attempt).flat());
  });
});

describe("bind:error and accept:error", () => {
  it("bind rejects, and tells the same error", async () => {
    const world = new World();
    await world.bind(world.pull());
    const pull = world.pull();
    const events = eventsOf(pull);
    const bound = watch(pull.bind(address));
    await world.settle();
    expect(bound.error).toMatchObject({ code: "EADDRINUSE", address });
    expect(events).toEqual([{ type: "bind:error", address, error: bound.error }]);
  });

  it("what is no address is the caller's fault alone", async () => {
    const world = new World();
    const pull = world.pull();
    const events = eventsOf(pull);
    expect(await failure(() => pull.bind("sim://a b"))).toMatchObject({ error: { code: "EINVAL" } });
    expect(events).toEqual([]);
  });

  it("a connection that the system could not take in is told, and the next one comes in", async () => {
    const world = new World();
    let fail = (_error: ZmqError): void => {};
    const listen = world.network.listen.bind(world.network);
    world.environment.transports.sim!.listen = (where, options, onStream, onError) => {
      fail = onError as typeof fail;
      return listen(where, options, onStream);
    };
    const pull = world.pull();
    const events = eventsOf(pull);
    await world.bind(pull);
    const error = new ZmqError("ENOBUFS", "accept ENOBUFS", { address });
    fail(error);
    (await world.dialRaw(address)).greet("PUSH");
    await world.settle();
    expect(events.slice(1)).toEqual([
      { type: "accept:error", address, error },
      { type: "accept", address },
      { type: "handshake", address },
    ]);
  });
});

describe("A dial that fails", () => {
  it.each(["connect:delay", "close", "connect:retry"] as const)(
    "disconnect() within %s leaves nothing, and nothing more is told",
    async (type) => {
      const world = new World();
      const pull = world.pull();
      const events = eventsOf(pull);
      pull.events.on(type, () => pull.disconnect(address));
      pull.connect(address);
      await world.advance(5000);
      expect(typesOf(events)).toEqual(
        ["connect:delay", "close", "connect:retry"].slice(0, 1 + typesOf(events).indexOf(type)),
      );
      expect(events.at(-1)?.type).toBe(type);
      expect(world.network.dials).toHaveLength(type === "connect:delay" ? 0 : 1);
      expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
    },
  );

  it("while a dialler that was given up lingers, its dials are nobody's business", async () => {
    const world = new World();
    const push = world.push({ linger: 2000 });
    push.connect(address);
    push.trySend("x");
    await world.settle();
    const events = eventsOf(push);
    push.disconnect(address);
    await world.advance(1000);
    expect(world.network.dials.length).toBeGreaterThan(3);
    await world.advance(1000);
    await world.run(push.close());
    expect(events).toEqual([{ type: "end" }]);
  });

  it("a transport that answers at once has no connect:delay (ipc)", async () => {
    const world = new World();
    Object.assign(world.network, { dialsAtOnce: true });
    const pull = world.pull();
    const events = eventsOf(pull);
    pull.connect(address);
    await world.advance(250);
    expect(typesOf(events).slice(0, 3)).toEqual(["close", "connect:retry", "close"]);
  });
});

/** Two sockets through losses and failures: what the wire carried, what came of it, and the events. */
async function story(watches: "nobody" | "listeners" | "receive"): Promise<object> {
  const world = new World(7);
  world.network.maxChunk = 50;
  const push = world.push({ sendHighWaterMark: 20, reconnectInterval: 30 });
  const pull = world.pull({ handshakeInterval: 200 });
  const told: Record<string, SocketEvent[]> = {};
  const loops: Promise<void>[] = [];
  for (const [name, socket] of Object.entries({ push, pull })) {
    if (watches === "listeners") told[name] = eventsOf(socket);
    if (watches === "receive") {
      const seen: SocketEvent[] = [];
      told[name] = seen;
      const read = async (): Promise<void> => {
        for await (const event of socket.events) seen.push(event);
      };
      loops.push(read());
    }
  }
  const received: string[] = [];
  const read = async (): Promise<void> => {
    for await (const [part] of pull) received.push(String(part));
  };
  loops.push(read());
  const wire: string[] = [];
  const { link } = world.network;
  world.network.link = () => {
    const ends = link.call(world.network);
    for (const end of [ends.near, ends.far]) {
      const write = end.write.bind(end);
      end.write = (chunks) => {
        wire.push(`${world.time} ${end.remoteAddress} ${Buffer.concat(chunks).toString("hex")}`);
        return write(chunks);
      };
    }
    return ends;
  };

  push.connect(address);
  for (let n = 0; n < 10; n += 1) push.trySend(`early ${n}`);
  await world.advance(100);
  await world.bind(pull);
  await world.advance(100);
  for (const say of ["PUB", "PUSH"]) (await world.dialRaw(address)).greet(say).write(message(`from ${say}`));
  await world.dialRaw(address);
  await world.advance(50);
  world.network.streams[0]?.reset();
  const taken = Array.from({ length: 40 }, (_, n) => push.trySend(`lost or late ${n}`));
  await world.advance(500);
  await world.run(pull.unbind(address));
  await world.advance(200);
  await world.run(Promise.all([push.close(), pull.close()]));
  await world.run(Promise.all(loops));
  expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  return {
    told,
    result: { wire, received, taken, stats: [push.stats(), pull.stats()], dials: world.network.dials },
  };
}

describe("E44: watching changes nothing", () => {
  it("without a listener, with listeners, and with receive: the same bytes and results; the same events both ways", async () => {
    const [nobody, listeners, receive] = (await Promise.all(
      (["nobody", "listeners", "receive"] as const).map(story),
    )) as { told: Record<string, SocketEvent[]>; result: { wire: string[]; received: string[] } }[];
    expect(listeners?.result).toEqual(nobody?.result);
    expect(receive?.result).toEqual(nobody?.result);
    expect(receive?.told).toEqual(listeners?.told);
    expect(nobody?.result.received).toContain("from PUSH");
    expect(nobody?.result.wire.length).toBeGreaterThan(10);
    const types = new Set(Object.values(listeners?.told ?? {}).flatMap(typesOf));
    expect([...types].sort()).toEqual([
      "accept",
      "bind",
      "close",
      "connect",
      "connect:delay",
      "connect:retry",
      "disconnect",
      "end",
      "handshake",
      "handshake:error:other",
      "handshake:error:protocol",
    ]);
  });
});

describe("maxPendingConnections", () => {
  it("one more in handshake costs the oldest its place, without ERROR; those that are through count no more", async () => {
    const world = new World();
    const pull = world.pull({ maxPendingConnections: 3 });
    await world.bind(pull);
    const good = (await world.dialRaw(address)).greet("PUSH");
    const silent: RawPeer[] = [];
    for (let n = 0; n < 3; n += 1) silent.push((await world.dialRaw(address)).write(greeting()));
    await world.settle();
    const events = eventsOf(pull);
    silent.push(await world.dialRaw(address));
    await world.settle();
    const error = expect.objectContaining({ code: "EMFILE", errno: 24, address });
    expect(events).toEqual([
      { type: "accept", address },
      { type: "handshake:error:other", address, error },
      { type: "disconnect", address, reason: "handshake", error },
    ]);
    expect(silent.map((peer) => peer.ends.length)).toEqual([1, 0, 0, 0]);
    // Our greeting and READY, and nothing behind them.
    expect(silent[0]?.received).toHaveLength(64 + ready("PULL").length);
    good.write(message("good"));
    silent[1]?.write(ready("PUSH"), message("late"));
    await world.settle();
    expect(pull.stats().received).toBe(2);
    await world.run(pull.close());
    expect(world.left).toMatchObject({ timers: 0, streams: 0 });
  });

  it("is for each listener by itself", async () => {
    const world = new World();
    const pull = world.pull({ maxPendingConnections: 1 });
    await world.bind(pull);
    await world.bind(pull, "sim://b");
    const peers = [await world.dialRaw(address), await world.dialRaw("sim://b")];
    await world.settle();
    expect(peers.map((peer) => peer.ends.length)).toEqual([0, 0]);
  });

  it("E45: a flood of silent ones without end; a good peer gets through at any time", async () => {
    const world = new World();
    const pull = world.pull({ maxPendingConnections: 50 });
    const events = eventsOf(pull);
    await world.bind(pull);
    for (let round = 1; round <= 5; round += 1) {
      for (let n = 0; n < 100; n += 1) world.network.dial(address, null, () => {});
      const good = (await world.dialRaw(address)).greet("PUSH");
      for (let n = 0; n < 30; n += 1) world.network.dial(address, null, () => {});
      good.write(message(`round ${round}`));
      await world.settle();
      expect(pull.stats().received).toBe(round);
      expect(world.left.streams).toBe(2 * (50 + round));
    }
    expect(typesOf(events).filter((type) => type === "disconnect")).toHaveLength(5 * 130 - 50);
    await world.advance(31_000); // handshakeInterval
    expect(world.left.streams).toBe(2 * 5);
  });
});
