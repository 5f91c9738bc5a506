import { describe, expect, it } from "vitest";
import type { XPublisherOptions } from "../../src/sockets/index.ts";
import {
  command,
  drain,
  failure,
  hex,
  message,
  type RawPeer,
  texts,
  trapRejections,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

/** An XPUB with peers that speak bytes. */
async function withPeers(count: number, options: XPublisherOptions = {}) {
  const world = new World();
  const publisher = world.xpublisher(options);
  await world.bind(publisher);
  const peers: RawPeer[] = [];
  for (let n = 0; n < count; n += 1) peers.push((await world.dialRaw("sim://a")).greet("SUB"));
  await world.settle();
  for (const peer of peers) peer.take();
  const say = async (peer: RawPeer | undefined, ...chunks: Uint8Array[]): Promise<void> => {
    peer?.write(...chunks);
    await world.settle();
  };
  return { world, publisher, peers, say };
}

const subscribe = (topic: string): Buffer => command("SUBSCRIBE", topic);
const cancel = (topic: string): Buffer => command("CANCEL", topic);

describe("PS-3, table 71 to 74: what an XPUB hears of subscriptions", () => {
  it("71, 72: of both forms, from a 3.1 and a 3.0 peer", async () => {
    for (const minor of [0, 1]) {
      for (const form of [subscribe("ab"), hex("00 03 01 61 62")]) {
        const world = new World();
        const publisher = world.xpublisher();
        await world.bind(publisher);
        const raw = (await world.dialRaw("sim://a")).greet("SUB", minor).write(form);
        await world.settle();
        raw.take();
        expect(await drain(publisher)).toEqual(["\x01ab"]);
        publisher.trySend("abc");
        await world.settle();
        expect(raw.take()).toEqual(message("abc"));
      }
    }
  });

  it("notifications are Buffers of one part, binary topics as they are", async () => {
    const { publisher, peers, say } = await withPeers(1);
    await say(peers[0], hex("00 04 01 00 FF 80"));
    const [part, ...rest] = await publisher.receive();
    expect(Buffer.isBuffer(part)).toBe(true);
    expect([part, rest]).toEqual([hex("01 00 FF 80"), []]);
  });

  it("73: two legacy subscriptions and one cancel give exactly 01a, 00a, and nothing is sent", async () => {
    const { world, publisher, peers, say } = await withPeers(1);
    await say(peers[0], message("\x01a"), message("\x01a"), message("\0a"));
    publisher.trySend("abc");
    await world.settle();
    expect(await drain(publisher)).toEqual(["\x01a", "\0a"]);
    expect(peers[0]?.take()).toHaveLength(0);
  });

  it("74: the end of what was never subscribed to is told", async () => {
    const { publisher, peers, say } = await withPeers(1);
    await say(peers[0], message("\0zz"), cancel("y"));
    expect(await drain(publisher)).toEqual(["\0zz", "\0y"]);
  });

  it("but not by default if others have it: they would be taken to have gone", async () => {
    const { world, publisher, peers, say } = await withPeers(2);
    await say(peers[0], subscribe("a"));
    await say(peers[1], cancel("a"));
    expect(await drain(publisher)).toEqual(["\x01a"]);
    publisher.trySend("abc");
    await world.settle();
    expect(peers[0]?.take()).toEqual(message("abc"));
  });

  it("76: every part of a message may be a subscription", async () => {
    const { publisher, peers, say } = await withPeers(1);
    await say(peers[0], message("\x01a", "\x01b"));
    expect(await drain(publisher)).toEqual(["\x01a", "\x01b"]);
  });

  it("come in the order of arrival, whoever caused them", async () => {
    const { publisher, peers, say } = await withPeers(2);
    await say(peers[0], subscribe("t"));
    await say(peers[0], cancel("t"));
    await say(peers[1], subscribe("t"));
    await say(peers[1], message("hello"));
    await say(peers[0], subscribe("u"));
    expect(await drain(publisher)).toEqual(["\x01t", "\0t", "\x01t", "hello", "\x01u"]);
  });

  it("by receive, receiveBatch, and for await that is left and taken up again", async () => {
    const { world, publisher, peers, say } = await withPeers(1);
    await say(peers[0], ...["a", "b", "c", "d", "e"].map(subscribe));
    for await (const parts of publisher) {
      expect(texts(parts)).toEqual(["\x01a"]);
      break;
    }
    expect(texts(await publisher.receive())).toEqual(["\x01b"]);
    expect((await publisher.receiveBatch({ max: 2 })).flatMap(texts)).toEqual(["\x01c", "\x01d"]);
    const seen: string[] = [];
    const loop = (async () => {
      for await (const parts of publisher) seen.push(...texts(parts));
    })();
    await say(peers[0], subscribe("f"));
    await world.run(publisher.close());
    await world.run(loop);
    expect(seen).toEqual(["\x01e", "\x01f"]);
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });
});

describe("PS-4, OP-XPUB: two subscribers, a+ b+ a+ a- b-", () => {
  async function story(options: XPublisherOptions): Promise<string[]> {
    const { publisher, peers, say } = await withPeers(2, options);
    const [a, b] = peers;
    await say(a, subscribe("T"));
    await say(b, subscribe("T"));
    await say(a, subscribe("T"));
    await say(a, cancel("T"));
    await say(b, cancel("T"));
    return drain(publisher);
  }

  it("default: the first and the last", async () => {
    expect(await story({})).toEqual(["\x01T", "\0T"]);
    expect(await story({ verbosity: null })).toEqual(["\x01T", "\0T"]);
  });

  it("allSubs: every subscription, the last end", async () => {
    expect(await story({ verbosity: "allSubs" })).toEqual(["\x01T", "\x01T", "\x01T", "\0T"]);
  });

  it("allSubsUnsubs: every subscription, every end", async () => {
    expect(await story({ verbosity: "allSubsUnsubs" })).toEqual(["\x01T", "\x01T", "\x01T", "\0T", "\0T"]);
  });

  it("takes effect at once", async () => {
    const { publisher, peers, say } = await withPeers(2);
    await say(peers[0], subscribe("T"));
    publisher.verbosity = "allSubsUnsubs";
    await say(peers[1], subscribe("T"));
    publisher.verbosity = "allSubs";
    await say(peers[1], cancel("T"));
    publisher.verbosity = null;
    await say(peers[1], subscribe("T"));
    await say(peers[1], cancel("T"), cancel("T"));
    expect(await drain(publisher)).toEqual(["\x01T", "\x01T"]);
  });

  it.each([
    [null, ["\0one"]],
    ["allSubs", ["\0one"]],
    ["allSubsUnsubs", ["\0one", "\0both"]],
  ] as const)("a peer goes, %s", async (verbosity, expected) => {
    const { world, publisher, peers, say } = await withPeers(2, { verbosity });
    await say(peers[0], subscribe("one"), subscribe("both"));
    await say(peers[1], subscribe("both"));
    await drain(publisher);
    peers[0]?.stream.reset();
    await world.settle();
    expect(await drain(publisher)).toEqual(expected);
    publisher.trySend("both");
    await world.settle();
    expect(peers[1]?.take()).toEqual(message("both"));
    expect(publisher.stats()).toMatchObject({ queued: 0, dropped: 0 });
  });

  it("a peer goes while a reader waits, and when the endpoint is unbound", async () => {
    const { world, publisher, peers, say } = await withPeers(2);
    await say(peers[0], subscribe("x"));
    await say(peers[1], subscribe("y"));
    await drain(publisher);
    const next = watch(publisher.receive());
    peers[0]?.stream.reset();
    await world.settle();
    expect(texts(next.value as Buffer[])).toEqual(["\0x"]);
    await world.run(publisher.unbind("sim://a"));
    expect(await drain(publisher)).toEqual(["\0y"]);
  });

  it("what waits of a peer that has gone can be read, and is counted", async () => {
    const { world, publisher, peers, say } = await withPeers(1);
    await say(peers[0], subscribe("x"), message("hello"));
    peers[0]?.stream.reset();
    await world.settle();
    expect(publisher.stats()).toMatchObject({ received: 2, queued: 3, peers: [] });
    expect(await drain(publisher)).toEqual(["\x01x", "hello", "\0x"]);
    expect(publisher.stats().queued).toBe(0);
  });

  it("an XPUB that dialled: a lost connection ends its topics, the next begins anew", async () => {
    const world = new World();
    const raws = world.listenRaw("sim://a");
    const publisher = world.xpublisher();
    publisher.connect("sim://a");
    await world.settle();
    raws[0]?.greet("SUB").write(subscribe("t"));
    await world.settle();
    raws[0]?.stream.reset();
    await world.advance(1000);
    raws[1]?.greet("SUB").write(subscribe("t"));
    await world.settle();
    expect(await drain(publisher)).toEqual(["\x01t", "\0t", "\x01t"]);
  });

  it("after close the end of topics is told to nobody", async () => {
    const { world, publisher, peers, say } = await withPeers(1);
    await say(peers[0], subscribe("t"));
    const closed = publisher.close();
    await world.run(closed);
    expect((await failure(() => publisher.receive())).error.code).toBe("EBADF");
    expect(publisher.stats().queued).toBe(1);
  });
});

describe("PS-7, table 75: messages from below", () => {
  it("whatever is no subscription is received with all its parts, the empty message too", async () => {
    const { publisher, peers, say } = await withPeers(1);
    await say(peers[0], message("\x02hi"), message("plain"), message(""), message("a", "", "b"));
    await say(peers[0], hex("00 0B 09"), Buffer.from("SUBSCRIBEa"));
    expect(await drain(publisher)).toEqual(["\x02hi", "plain", "", "a||b", "\tSUBSCRIBEa"]);
    expect(publisher.stats()).toMatchObject({ received: 5 });
  });

  it("subscriptions are found in every part; they come first, then what is left", async () => {
    const { world, publisher, peers, say } = await withPeers(1);
    await say(peers[0], message("x", "\x01t", "y"));
    expect(await drain(publisher)).toEqual(["\x01t", "x|y"]);
    publisher.trySend("t");
    await world.settle();
    expect(peers[0]?.take()).toEqual(message("t"));
  });

  it("OP-DRAFTS: onlyFirstSubscribe: only if the first part is one", async () => {
    const { publisher, peers, say } = await withPeers(1, { onlyFirstSubscribe: true });
    await say(peers[0], message("x", "\x01t", "y"), message("\x01a", "\x01b", "z"));
    expect(await drain(publisher)).toEqual(["x|\x01t|y", "\x01a", "\x01b", "z"]);
  });

  it("a PUB drops them and goes on reading", async () => {
    const world = new World();
    const publisher = world.publisher();
    await world.bind(publisher);
    const raw = (await world.dialRaw("sim://a")).greet("XSUB");
    for (let n = 0; n < 3000; n += 1) raw.write(message("up", "stream"));
    raw.write(message("\x01a"));
    await world.settle();
    raw.take();
    publisher.trySend("a");
    await world.settle();
    expect(raw.take()).toEqual(message("a"));
    expect(publisher.stats()).toMatchObject({ received: 0, queued: 0 });
  });
});

describe("An XPUB that is not read", () => {
  it("holds up the peer at receiveHighWaterMark, subscriptions included, and nobody else", async () => {
    const { world, publisher, peers, say } = await withPeers(2, { receiveHighWaterMark: 10 });
    const [busy, calm] = peers;
    for (let n = 0; n < 500; n += 1) await say(busy, subscribe(`topic-${n}.`));
    expect(publisher.stats().queued).toBe(10);
    expect(busy?.stream.other.isPaused).toBe(true);
    publisher.trySend("topic-499.");
    await world.settle();
    expect(busy?.take()).toHaveLength(0); // not in force yet
    await say(calm, subscribe("calm"));
    publisher.trySend("calm");
    await world.settle();
    expect(calm?.take()).toEqual(message("calm"));

    const seen: string[] = [];
    for (let more = await drain(publisher); more.length > 0; more = await drain(publisher)) {
      seen.push(...more);
      await world.settle();
    }
    expect(seen.filter((one) => one !== "\x01calm")).toEqual(
      Array.from({ length: 500 }, (_, n) => `\x01topic-${n}.`),
    );
    publisher.trySend("topic-499.");
    await world.settle();
    expect(busy?.take()).toEqual(message("topic-499."));
  });

  it("subscriptions that it is not told of need no reader", async () => {
    const { world, publisher, peers, say } = await withPeers(2, { receiveHighWaterMark: 3 });
    await say(peers[0], subscribe("a"), subscribe("b"));
    for (let n = 0; n < 100; n += 1) await say(peers[1], subscribe("a"), cancel("a"));
    await say(peers[1], subscribe("b"));
    publisher.trySend("b");
    await world.settle();
    expect(peers[1]?.take()).toEqual(message("b"));
    expect(publisher.stats().queued).toBe(2);
  });
});

describe("PS-5, OP-XPUB: manual", () => {
  it("subscriptions are told, all of them, and do nothing until the application acts", async () => {
    const { world, publisher, peers, say } = await withPeers(2, { manual: true });
    const [a, b] = peers;
    await say(a, subscribe("A"), subscribe("A"));
    await say(b, subscribe("B"));
    expect(texts(await publisher.receive())).toEqual(["\x01A"]);
    publisher.subscribe("XA");
    expect(texts(await publisher.receive())).toEqual(["\x01A"]);
    expect(texts(await publisher.receive())).toEqual(["\x01B"]);
    publisher.subscribe("XB", Buffer.from("XB2"));
    for (const topic of ["A", "B", "XA", "XB", "XB2"]) publisher.trySend(topic);
    await world.settle();
    expect(a?.take()).toEqual(message("XA"));
    expect(b?.take()).toEqual(Buffer.concat([message("XB"), message("XB2")]));

    await say(a, cancel("A"), cancel("never"));
    expect(texts(await publisher.receive())).toEqual(["\0A"]);
    publisher.unsubscribe("XA");
    expect(texts(await publisher.receive())).toEqual(["\0never"]);
    publisher.trySend("XA");
    await world.settle();
    expect(a?.take()).toHaveLength(0);
  });

  it("a user message counts as the last message too, and no topic means everything", async () => {
    const { world, publisher, peers, say } = await withPeers(2, { manual: true });
    await say(peers[0], subscribe("A"));
    await say(peers[1], message("hello"));
    expect(await drain(publisher)).toEqual(["\x01A", "hello"]);
    publisher.subscribe();
    publisher.trySend("to all who want it");
    await world.settle();
    expect(peers[0]?.take()).toHaveLength(0);
    expect(peers[1]?.take()).toEqual(message("to all who want it"));
  });

  it("handed to a reader who waits: it is that peer's turn", async () => {
    const { world, publisher, peers, say } = await withPeers(2, { manual: true });
    const next = publisher.receive().then((parts) => {
      publisher.subscribe("X");
      return texts(parts);
    });
    peers[0]?.write(subscribe("A"));
    await say(peers[1], subscribe("B"));
    expect(await next).toEqual(["\x01A"]);
    publisher.trySend("X");
    await world.settle();
    expect([peers[0]?.take().length, peers[1]?.take().length]).toEqual([3, 0]);
  });

  it("a peer goes: the end of each topic that it asked for, not of those it was given", async () => {
    const { world, publisher, peers, say } = await withPeers(2, { manual: true });
    await say(peers[0], subscribe("A"), subscribe("B"), cancel("B"));
    await say(peers[1], subscribe("A"));
    await publisher.receive();
    publisher.subscribe("XA");
    await drain(publisher);
    peers[0]?.stream.reset();
    await world.settle();
    expect(await drain(publisher)).toEqual(["\0A"]);
    publisher.subscribe("nobody is meant");
    publisher.trySend("XA");
    publisher.trySend("nobody is meant");
    await world.settle();
    expect(peers[1]?.take()).toHaveLength(0);
    expect(publisher.stats().sent).toBe(0);
  });

  it("the peer whose message was received last goes: acting on it does nothing", async () => {
    const { world, publisher, peers, say } = await withPeers(1, { manual: true });
    await say(peers[0], message("hello"));
    await publisher.receive();
    peers[0]?.stream.reset();
    await world.settle();
    publisher.subscribe("X");
    const subscribed = watch(publisher.subscribed("X"));
    await world.settle();
    expect(subscribed.state).toBe("pending");
    await world.run(publisher.close());
  });

  it("messages of a peer that has gone meanwhile: acting on it does nothing, also when it is back", async () => {
    const world = new World();
    const raws = world.listenRaw("sim://a");
    const publisher = world.xpublisher({ manual: true });
    publisher.connect("sim://a");
    await world.settle();
    raws[0]?.greet("SUB").write(subscribe("t"));
    await world.settle();
    raws[0]?.stream.reset();
    await world.advance(1000);
    raws[1]?.greet("SUB");
    await world.settle();
    raws[1]?.take();
    expect(texts(await publisher.receive())).toEqual(["\x01t"]);
    publisher.subscribe("t");
    publisher.trySend("t");
    await world.settle();
    expect(raws[1]?.take()).toHaveLength(0);
    expect(await drain(publisher)).toEqual(["\0t"]);
  });

  it("without it: EINVAL; closed: EBADF; what is no topic: TypeError", async () => {
    const { world, publisher } = await withPeers(0);
    for (const call of ["subscribe", "unsubscribe"] as const) {
      expect(await failure(() => publisher[call]("x"))).toMatchObject({
        how: "thrown",
        error: { code: "EINVAL" },
      });
    }
    publisher.manual = true;
    publisher.subscribe("nobody yet");
    expect((await failure(() => publisher.subscribe(1 as never))).error).toBeInstanceOf(TypeError);
    await world.run(publisher.close());
    expect((await failure(() => publisher.subscribe("x"))).error.code).toBe("EBADF");
  });

  it("pub.subscribed waits for what is in force, not for what was asked for", async () => {
    const { publisher, peers, say } = await withPeers(1, { manual: true });
    const ready = watch(publisher.subscribed("XA"));
    await say(peers[0], subscribe("XA"));
    expect(ready.state).toBe("pending");
    await publisher.receive();
    publisher.subscribe("X");
    await publisher.subscribed("XA");
    expect(ready.state).toBe("resolved");
  });
});

describe("PS-6, OP-XPUB: manualLastValue", () => {
  async function lastValue(options: XPublisherOptions = {}) {
    const all = await withPeers(2, { manualLastValue: true, ...options });
    const { publisher, peers, say } = all;
    for (const peer of peers) {
      await say(peer, subscribe("A"));
      await publisher.receive();
      publisher.subscribe("A");
    }
    return all; // the second peer's message was received last
  }

  it("the next message goes to the last peer only, the one after it to all", async () => {
    const { world, publisher, peers } = await lastValue();
    publisher.trySend(["A", "snapshot"]);
    await world.run(publisher.send(["A", "news"]));
    await world.settle();
    expect(peers[0]?.take()).toEqual(message("A", "news"));
    expect(peers[1]?.take()).toEqual(Buffer.concat([message("A", "snapshot"), message("A", "news")]));
  });

  it("to nobody when it does not match", async () => {
    const { world, publisher, peers } = await lastValue();
    await world.run(publisher.send("B"));
    await world.run(publisher.send("A"));
    await world.settle();
    expect(peers.map((peer) => peer.take())).toEqual([message("A"), message("A")]);
  });

  it("is manual: subscriptions do nothing by themselves", async () => {
    const { world, publisher, peers, say } = await lastValue();
    await say(peers[0], subscribe("C"));
    publisher.trySend("A");
    publisher.trySend("C");
    await world.settle();
    expect(peers[0]?.take()).toHaveLength(0);
  });

  it("with noDrop: a message that waits is still for that peer", async () => {
    const { world, publisher, peers, say } = await lastValue({ noDrop: true, sendHighWaterMark: 1 });
    world.network.capacity = 10;
    await world.run(publisher.send("A"));
    peers[1]?.stream.pause();
    await say(peers[1], message("again"));
    await publisher.receive();
    const sent: string[] = [];
    while (publisher.trySend("A1")) {
      sent.push("A1");
      await say(peers[1], message("again"));
      await publisher.receive();
    }
    peers[0]?.take();
    const waits = watch(publisher.send("A2"));
    await say(peers[0], message("other"));
    await publisher.receive(); // another was last since
    expect(waits.state).toBe("pending");
    peers[1]?.stream.resume();
    await world.settle();
    expect(waits.state).toBe("resolved");
    expect(peers[0]?.take()).toHaveLength(0);
    expect(peers[1]?.take().subarray(-4)).toEqual(message("A2"));
  });

  it.each([
    [false, "for all"],
    [true, "for that peer"],
  ])(
    "with noDrop: whom a message is for is settled when it is sent, with manualLastValue %s: %s",
    async (wasOn) => {
      const { world, publisher, peers, say } = await lastValue({ noDrop: true, sendHighWaterMark: 1 });
      world.network.capacity = 10;
      await world.run(publisher.send("A"));
      peers[1]?.stream.pause();
      await world.settle();
      // Nobody was last since: these are for all.
      while (publisher.trySend("A1")) await world.settle();
      await say(peers[1], message("again"));
      await publisher.receive();
      publisher.manualLastValue = wasOn;
      peers[0]?.take();
      const waits = watch(publisher.send("A2"));
      await world.settle();
      expect(waits.state).toBe("pending");
      publisher.manualLastValue = !wasOn;
      await world.settle();
      expect(waits.state).toBe("pending");
      peers[1]?.stream.resume();
      await world.settle();
      expect(waits.state).toBe("resolved");
      expect(peers[0]?.take()).toEqual(wasOn ? Buffer.alloc(0) : message("A2"));
      expect(peers[1]?.take().subarray(-4)).toEqual(message("A2"));
    },
  );
});

describe("PS-18, OP-XPUB: welcomeMessage", () => {
  it("is the first thing that each peer gets, with no subscription at all", async () => {
    const world = new World();
    const welcome = Buffer.from("hello");
    const publisher = world.xpublisher({ welcomeMessage: welcome });
    welcome.fill("x"); // copied when it was set
    await world.bind(publisher);
    const raw = (await world.dialRaw("sim://a")).greet("SUB");
    await world.settle();
    expect(raw.take().subarray(64 + 28)).toEqual(message("hello"));
    expect(publisher.stats().sent).toBe(1);
  });

  it("text is UTF-8; null and empty are none; later connections only", async () => {
    const { world, publisher, peers } = await withPeers(1);
    const tails: Buffer[] = [];
    for (const value of ["grüß", "", "now", null]) {
      publisher.welcomeMessage = value;
      const raw = (await world.dialRaw("sim://a")).greet("SUB");
      await world.settle();
      tails.push(raw.take().subarray(64 + 28));
    }
    expect(tails).toEqual([message("grüß"), Buffer.alloc(0), message("now"), Buffer.alloc(0)]);
    expect(peers[0]?.take()).toHaveLength(0);
  });

  it("a SUB receives it if it has subscribed to it", async () => {
    const world = new World();
    const publisher = world.xpublisher({ welcomeMessage: "W" });
    await world.bind(publisher);
    const subscribers = [world.subscriber(), world.subscriber()];
    subscribers[0]?.subscribe("W");
    for (const subscriber of subscribers) subscriber.connect("sim://a");
    await world.settle();
    expect(await drain(subscribers[0] as never)).toEqual(["W"]);
    expect(await drain(subscribers[1] as never)).toEqual([]);
  });

  it("again on every connection of an XPUB that dialled", async () => {
    const world = new World();
    const raws = world.listenRaw("sim://a");
    const publisher = world.xpublisher({ welcomeMessage: "W" });
    publisher.connect("sim://a");
    for (let n = 0; n < 2; n += 1) {
      await world.settle();
      raws[n]?.greet("SUB");
      await world.settle();
      expect(raws[n]?.received.subarray(64 + 28)).toEqual(message("W"));
      raws[n]?.stream.reset();
      await world.advance(1000);
    }
  });

  it("also before what an XPUB that dialled has kept from the connection before, and where that leaves no room", async () => {
    const world = new World();
    const raws = world.listenRaw("sim://a");
    world.network.capacity = 200;
    const publisher = world.xpublisher({ welcomeMessage: "W", sendHighWaterMark: 1 });
    publisher.connect("sim://a");
    await world.settle();
    raws[0]?.greet("SUB").write(command("SUBSCRIBE"));
    await world.settle();
    raws[0]?.stream.pause();
    await publisher.send("x".repeat(300));
    await world.settle();
    await publisher.send("kept");
    expect(publisher.stats().queued).toBe(2); // with the notification
    raws[0]?.stream.reset();
    await world.advance(1000);
    raws[1]?.greet("SUB");
    await world.settle();
    expect(raws[1]?.received.subarray(64 + 28)).toEqual(Buffer.concat([message("W"), message("kept")]));
    expect(publisher.stats().dropped).toBe(0);
  });

  it("what is neither text nor bytes nor null is a TypeError", () => {
    const world = new World();
    expect(() => world.xpublisher({ welcomeMessage: 5 as never })).toThrow(TypeError);
    expect(() => world.xpublisher({ verbosity: "all" as never })).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    expect(() => world.xpublisher({ manual: 1 as never })).toThrow(TypeError);
  });
});

describe("PS-23: a second connect to the same address", () => {
  it("makes another connection for XPUB and XSUB", async () => {
    const world = new World();
    const raws = world.listenRaw("sim://a");
    for (const socket of [world.xpublisher(), world.xsubscriber()]) {
      socket.connect("sim://a");
      socket.connect("sim://a");
    }
    await world.settle();
    expect(raws).toHaveLength(4);
  });
});
