import { describe, expect, it } from "vitest";
import type { XSubscriberOptions } from "../../src/sockets/index.ts";
import {
  command,
  drain,
  failure,
  hex,
  message,
  type RawPeer,
  trapRejections,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

/** An XSUB that has dialled a publisher that speaks bytes. */
async function dialled(options: XSubscriberOptions = {}, minor = 1) {
  const world = new World();
  const peers = world.listenRaw("sim://a");
  const subscriber = world.xsubscriber(options);
  subscriber.connect("sim://a");
  await world.settle();
  const raw = peers[0] as RawPeer;
  raw.greet("XPUB", minor);
  await world.settle();
  raw.take();
  return { world, peers, raw, subscriber };
}

describe("PS-8, SU-4: what XSUB sends", () => {
  it.each([0, 1])("\\x01topic is added and always forwarded, as a message also to 3.%i", async (minor) => {
    const { world, raw, subscriber } = await dialled({}, minor);
    await subscriber.send("\x01ab");
    await subscriber.send(Buffer.from("\x01ab"));
    await world.settle();
    expect(raw.take()).toEqual(hex("00 03 01 61 62 00 03 01 61 62"));
  });

  it("\\x00topic is forwarded when the count reaches 0, never for an unknown topic", async () => {
    const { world, raw, subscriber } = await dialled();
    for (const parts of ["\x01a", "\x01a", "\0a", "\0b"]) subscriber.trySend(parts);
    await world.settle();
    expect(raw.take()).toEqual(hex("00 02 01 61 00 02 01 61"));
    subscriber.trySend("\0a");
    subscriber.trySend("\0a");
    await world.settle();
    expect(raw.take()).toEqual(hex("00 02 00 61"));
  });

  it("OP-DRAFTS: verboseUnsubscribe: always", async () => {
    const { world, raw, subscriber } = await dialled({ verboseUnsubscribe: true });
    for (const parts of ["\x01a", "\x01a", "\0a", "\0b"]) subscriber.trySend(parts);
    await world.settle();
    expect(raw.take()).toEqual(hex("00 02 01 61 00 02 01 61 00 02 00 61 00 02 00 62"));
  });

  it("the empty topic is a topic", async () => {
    const { world, raw, subscriber } = await dialled();
    subscriber.trySend("\x01");
    subscriber.trySend("\0");
    await world.settle();
    expect(raw.take()).toEqual(hex("00 01 01 00 01 00"));
  });

  it("anything else goes upstream with all its parts, also the empty message", async () => {
    const { world, raw, subscriber } = await dialled();
    for (const parts of ["\x02hi", "", ["a", "", "b"], ["", "x"]]) subscriber.trySend(parts);
    subscriber.trySend([]); // nothing to send
    await world.settle();
    expect(raw.take()).toEqual(
      Buffer.concat([message("\x02hi"), message(""), message("a", "", "b"), message("", "x")]),
    );
    expect(subscriber.stats()).toMatchObject({ sent: 4 });
  });

  it("each part of a message may be a subscription; the rest goes upstream", async () => {
    const { world, raw, subscriber } = await dialled();
    subscriber.trySend(["x", "\x01t", "y", "\0unknown"]);
    await world.settle();
    expect(raw.take()).toEqual(Buffer.concat([message("\x01t"), message("x", "y")]));
  });

  it("to all publishers, those that are dialled and not there yet included", async () => {
    const { world, raw, subscriber } = await dialled({ reconnectInterval: 10 });
    subscriber.connect("sim://later");
    subscriber.trySend("upstream");
    subscriber.trySend("\x01t");
    await world.settle();
    expect(raw.take()).toEqual(Buffer.concat([message("upstream"), message("\x01t")]));
    const later = world.listenRaw("sim://later");
    await world.advance(100);
    later[0]?.greet("PUB");
    await world.settle();
    expect(later[0]?.received.subarray(64 + 28)).toEqual(
      Buffer.concat([command("SUBSCRIBE", "t"), message("upstream")]),
    );
  });

  it("a publisher whose queue is full misses messages, which are counted, and no subscription", async () => {
    const { world, raw, subscriber } = await dialled({ sendHighWaterMark: 2 });
    world.network.capacity = 10;
    raw.stream.pause();
    for (let n = 0; n < 10; n += 1) {
      await world.run(subscriber.send(`message ${n}`));
      await world.settle();
    }
    subscriber.trySend("\x01t");
    await world.settle();
    expect(subscriber.stats()).toMatchObject({ sent: 1, queued: 2, dropped: 7 });
    raw.stream.resume();
    await world.settle();
    const sent = raw.take().toString();
    expect(sent).toContain("\x01t");
    expect(sent.match(/message \d/g)).toEqual(["message 0", "message 1", "message 2"]);
  });

  it("a signal, close, and what is no message", async () => {
    const { world, subscriber } = await dialled();
    const aborted = watch(subscriber.send("x", { signal: AbortSignal.abort() }));
    await world.settle();
    expect(aborted.state).toBe("rejected");
    expect((await failure(() => subscriber.send(undefined as never))).error).toBeInstanceOf(TypeError);
    await world.run(subscriber.close());
    expect(await failure(() => subscriber.send("x"))).toMatchObject({
      how: "thrown",
      error: { code: "EBADF" },
    });
    expect(() => subscriber.trySend("x")).toThrow(expect.objectContaining({ code: "EBADF" }));
    expect(world.left).toMatchObject({ holds: 0, timers: 0 });
  });

  it("its bytes are the caller's again", async () => {
    const { world, peers, raw, subscriber } = await dialled();
    const part = Buffer.from("\x01ab");
    subscriber.trySend(part);
    part.fill("z");
    raw.stream.reset();
    await world.advance(1000);
    peers[1]?.greet("XPUB");
    await world.settle();
    expect(peers[1]?.received.subarray(64 + 28)).toEqual(command("SUBSCRIBE", "ab"));
  });
});

describe("PS-15: the replay of an XSUB", () => {
  it.each([
    [1, Buffer.concat([command("SUBSCRIBE", "a"), command("SUBSCRIBE", "b")])],
    [0, Buffer.concat([message("\x01a"), message("\x01b")])],
  ])("each topic once, in the form for 3.%i", async (minor, expected) => {
    const { world, peers, raw, subscriber } = await dialled({}, minor);
    for (const parts of ["\x01a", "\x01a", "\x01gone", "\0gone", "\x01b"]) subscriber.trySend(parts);
    await world.settle();
    raw.stream.reset();
    await world.advance(1000);
    peers[1]?.greet("XPUB", minor);
    await world.settle();
    expect(peers[1]?.received.subarray(64 + 28)).toEqual(expected);
  });
});

describe("PS-8: an XSUB has no receive filter", () => {
  it("whatever the publishers send is received", async () => {
    const { world, raw, subscriber } = await dialled();
    raw.write(message("never asked for", "x"), message(""));
    await world.settle();
    expect(await drain(subscriber)).toEqual(["never asked for|x", ""]);
  });
});

describe("subscribe and unsubscribe of an XSUB", () => {
  it("are as a Subscriber's, and count together with what is sent", async () => {
    const { world, raw, subscriber } = await dialled();
    subscriber.subscribe("a", "b");
    subscriber.trySend("\x01a");
    subscriber.unsubscribe("a");
    await world.settle();
    expect(raw.take()).toEqual(
      Buffer.concat([command("SUBSCRIBE", "a"), command("SUBSCRIBE", "b"), message("\x01a")]),
    );
    subscriber.trySend("\0a");
    subscriber.unsubscribe("b");
    await world.settle();
    expect(raw.take()).toEqual(Buffer.concat([message("\0a"), command("CANCEL", "b")]));
  });

  it("confirmed: publishers have the subscriptions sent so far", async () => {
    const world = new World();
    const publisher = world.xpublisher();
    const subscriber = world.xsubscriber();
    subscriber.connect(await world.bind(publisher));
    await world.settle();
    subscriber.trySend("\x01a");
    expect(await world.run(subscriber.confirmed())).toBe("answered");
    publisher.trySend("abc");
    await world.settle();
    expect(await drain(subscriber)).toEqual(["abc"]);
  });
});

describe("XPUB and XSUB together", () => {
  it("are a proxy that passes on what is published and what is wanted", async () => {
    const world = new World();
    const source = world.publisher();
    const back = world.xsubscriber();
    const front = world.xpublisher();
    back.connect(await world.bind(source, "sim://source"));
    await world.bind(front, "sim://front");
    const pass = async (from: typeof back | typeof front, to: typeof back | typeof front) => {
      for await (const parts of from) await to.send(parts);
    };
    const passing = [pass(back, front), pass(front, back)];
    const subscribers = [world.subscriber(), world.subscriber()];
    for (const subscriber of subscribers) subscriber.connect("sim://front");
    subscribers[0]?.subscribe("a", "both");
    subscribers[1]?.subscribe("both");
    await world.settle();
    for (const topic of ["a", "both", "other"]) source.trySend(topic);
    await world.settle();
    expect(await drain(subscribers[0] as never)).toEqual(["a", "both"]);
    expect(await drain(subscribers[1] as never)).toEqual(["both"]);
    expect(source.stats().sent).toBe(2); // filtered at the source

    void subscribers[0]?.close();
    await world.settle();
    for (const topic of ["a", "both"]) source.trySend(topic);
    await world.settle();
    expect(await drain(subscribers[1] as never)).toEqual(["both"]);
    expect(source.stats().sent).toBe(3);
    await world.run(Promise.all([back.close(), front.close()]));
    await world.run(Promise.all(passing));
  });
});
