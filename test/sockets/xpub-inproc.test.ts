import { describe, expect, it } from "vitest";
import type { XPublisherOptions, XSubscriberOptions } from "../../src/sockets/index.ts";
import { drain, texts, trapRejections, World, watch } from "../support/sim-sockets.ts";

trapRejections();

const A = "inproc://a";
const either = [true, false] as const;
const when = (bindsFirst: boolean): string => (bindsFirst ? "bound first" : "connected first");

/** An XPUB and XSUBs in one process. */
async function connected(
  options: XPublisherOptions = {},
  {
    count = 2,
    bindsFirst = true,
    ...theirs
  }: XSubscriberOptions & { count?: number; bindsFirst?: boolean } = {},
) {
  const world = new World();
  const publisher = world.xpublisher(options);
  const subscribers = Array.from({ length: count }, () => world.xsubscriber(theirs));
  if (bindsFirst) await world.bind(publisher, A);
  for (const subscriber of subscribers) subscriber.connect(A);
  if (!bindsFirst) await world.bind(publisher, A);
  await world.settle();
  const say = async (n: number, ...messages: string[]): Promise<void> => {
    for (const message of messages) subscribers[n]?.trySend(message);
    await world.settle();
  };
  const publish = async (...messages: (string | string[])[]): Promise<string[][]> => {
    for (const message of messages) publisher.trySend(message);
    await world.settle();
    const all: string[][] = [];
    for (const subscriber of subscribers) all.push(await drain(subscriber));
    return all;
  };
  return { world, publisher, subscribers, say, publish };
}

describe("XPUB and XSUB over inproc (E41)", () => {
  it.each(either.map((bindsFirst) => [when(bindsFirst), bindsFirst] as const))(
    "%s: subscriptions up, messages down, and both ways again; nothing is left",
    async (_, bindsFirst) => {
      const { world, publisher, subscribers, say, publish } = await connected({}, { bindsFirst });
      await say(0, "\x01a");
      await say(1, "\x01b");
      expect(await drain(publisher)).toEqual(["\x01a", "\x01b"]);
      expect(await publish(["a1", "x", ""], "b1", "c1")).toEqual([["a1|x|"], ["b1"]]);
      await say(0, "\0a");
      expect(await drain(publisher)).toEqual(["\0a"]);
      expect(await publish("a2", "b2")).toEqual([[], ["b2"]]);
      await world.run(Promise.all([publisher.close(), ...subscribers.map((one) => one.close())]));
      expect(world.context.inproc.size).toEqual({ bound: 0, waiting: 0 });
      expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    },
  );

  it("E41: what was subscribed to and sent before anybody had bound comes, subscriptions first, each once", async () => {
    const world = new World();
    const subscriber = world.xsubscriber();
    subscriber.connect(A);
    for (const message of ["up", "\x01a", "\x01a", "\x01gone", "\0gone"]) subscriber.trySend(message);
    const publisher = world.xpublisher();
    await world.bind(publisher, A);
    await world.settle();
    expect(await drain(publisher)).toEqual(["\x01a", "up"]);
    publisher.trySend("abc");
    await world.settle();
    expect(await drain(subscriber)).toEqual(["abc"]);
  });

  it.each(["disconnect", "close"] as const)(
    "E41: %s of a subscriber ends its topics, and only them",
    async (how) => {
      const { world, publisher, subscribers, say } = await connected();
      await say(0, "\x01mine", "\x01both");
      await say(1, "\x01both");
      await drain(publisher);
      if (how === "close") void subscribers[0]?.close();
      else subscribers[0]?.disconnect(A);
      await world.settle();
      expect(await drain(publisher)).toEqual(["\0mine"]);
      publisher.trySend("both");
      await world.settle();
      expect(await drain(subscribers[1] as never)).toEqual(["both"]);
    },
  );

  it("E41: connected again, it has its topics again", async () => {
    const { world, publisher, subscribers, say, publish } = await connected({}, { count: 1 });
    await say(0, "\x01a");
    subscribers[0]?.disconnect(A);
    await world.settle();
    expect(await publish("a1")).toEqual([[]]);
    subscribers[0]?.connect(A);
    await world.settle();
    expect(await publish("a2")).toEqual([["a2"]]);
    expect(await drain(publisher)).toEqual(["\x01a", "\0a", "\x01a"]);
  });

  it("PS-3: the end of what was never held is told", async () => {
    const { publisher, say } = await connected({}, { verboseUnsubscribe: true });
    await say(0, "\0zz", "\x01a");
    await say(1, "\0a"); // what another holds is not
    expect(await drain(publisher)).toEqual(["\0zz", "\x01a"]);
  });

  it.each([
    [null, ["\x01T", "\0T"]],
    ["allSubs", ["\x01T", "\x01T", "\x01T", "\0T"]],
    ["allSubsUnsubs", ["\x01T", "\x01T", "\x01T", "\0T", "\0T"]],
  ] as const)("PS-4: a+ b+ a+ a- a- b- b-, verbosity %s: %j", async (verbosity, expected) => {
    const { publisher, say } = await connected({ verbosity });
    for (const n of [0, 1, 0]) await say(n, "\x01T");
    for (const n of [0, 0, 1, 1]) await say(n, "\0T");
    expect(await drain(publisher)).toEqual(expected);
  });

  it("PS-5: manual", async () => {
    const { publisher, subscribers, world, say, publish } = await connected({ manual: true });
    await say(0, "\x01A");
    await say(1, "\x01B");
    expect(texts(await publisher.receive())).toEqual(["\x01A"]);
    publisher.subscribe("XA");
    expect(texts(await publisher.receive())).toEqual(["\x01B"]);
    publisher.subscribe("XB");
    expect(await publish("A", "XA", "B", "XB")).toEqual([["XA"], ["XB"]]);
    await say(1, "\0B");
    await publisher.receive();
    publisher.unsubscribe("XB");
    expect(await publish("XA", "XB")).toEqual([["XA"], []]);
    await world.run((subscribers[0] as { close(): Promise<void> }).close());
    await world.settle();
    expect(await drain(publisher)).toEqual(["\0A"]);
  });

  it("PS-6: manualLastValue", async () => {
    const { publisher, say, publish } = await connected({ manualLastValue: true });
    for (const n of [0, 1]) {
      await say(n, "\x01A");
      await publisher.receive();
      publisher.subscribe("A");
    }
    expect(await publish(["A", "snapshot"], ["A", "news"])).toEqual([["A|news"], ["A|snapshot", "A|news"]]);
  });

  it("PS-7: messages from below, and none that a PUB would take", async () => {
    const { world, publisher, subscribers } = await connected({}, { count: 1 });
    for (const message of ["\x02hi", "plain", "", ["x", "\x01t", "y"]]) subscribers[0]?.trySend(message);
    await world.settle();
    expect(await drain(publisher)).toEqual(["\x02hi", "plain", "", "\x01t", "x|y"]);

    const pub = world.publisher();
    await world.bind(pub, "inproc://pub");
    subscribers[0]?.connect("inproc://pub");
    for (const message of ["plain", "\x01a"]) subscribers[0]?.trySend(message);
    await world.settle();
    pub.trySend("abc");
    await world.settle();
    expect(await drain(subscribers[0] as never)).toEqual(["abc"]);
    expect(pub.stats()).toMatchObject({ received: 0, queued: 0, sent: 1 });
  });

  it("PS-8, PS-18: the welcome comes first, to an XSUB without filter, to a SUB that wants it; copied when it is set", async () => {
    const welcome = Buffer.from("W");
    const { world, publisher, subscribers } = await connected({ welcomeMessage: welcome }, { count: 1 });
    welcome.fill("x");
    const [wants, other] = [world.subscriber(), world.subscriber()];
    wants.subscribe("W", "a");
    other.subscribe("a");
    for (const one of [wants, other]) one.connect(A);
    await world.settle();
    publisher.trySend("a");
    await world.settle();
    expect(await drain(subscribers[0] as never)).toEqual(["W"]);
    expect(await drain(wants)).toEqual(["W", "a"]);
    expect(await drain(other)).toEqual(["a"]);
    publisher.welcomeMessage = null;
    const late = world.xsubscriber();
    late.connect(A);
    await world.settle();
    expect(await drain(late)).toEqual([]);
  });

  it("PS-12: noDrop: nobody gets what one has no room for; send waits; room comes again when it reads", async () => {
    const { world, publisher, subscribers, say } = await connected(
      { noDrop: true, sendHighWaterMark: 1 },
      { receiveHighWaterMark: 1 },
    );
    await say(0, "\x01");
    await say(1, "\x01");
    const [slow, quick] = subscribers as [(typeof subscribers)[0], (typeof subscribers)[0]];
    const quickly: string[] = [];
    let taken = 0;
    for (; taken < 10 && publisher.trySend(String(taken)); taken += 1) {
      await world.settle();
      quickly.push(...(await drain(quick)));
    }
    expect([taken, quickly]).toEqual([2, ["0", "1"]]); // the marks of both ends
    const waits = watch(publisher.send("2"));
    await world.settle();
    expect([waits.state, await drain(quick)]).toEqual(["pending", []]);
    expect(await drain(slow)).toEqual(["0", "1"]);
    await world.settle();
    expect(waits.state).toBe("resolved");
    expect([await drain(slow), await drain(quick)]).toEqual([["2"], ["2"]]);
    expect(publisher.stats().dropped).toBe(0);
  });

  it("PS-10: invertMatching", async () => {
    const { say, publish } = await connected({ invertMatching: true });
    await say(0, "\x01a");
    expect(await publish("a1", "b1")).toEqual([["b1"], ["a1", "b1"]]);
  });

  it("PS-19: a SUB that conflates gets the last message; of its subscriptions none is missing", async () => {
    const { world, publisher } = await connected({}, { count: 0 });
    const subscriber = world.subscriber({ conflate: true });
    subscriber.connect(A);
    subscriber.subscribe("a", "b", "c");
    await world.settle();
    expect(await drain(publisher)).toEqual(["\x01a", "\x01b", "\x01c"]);
    expect(publisher.readable).toBe(false);
    for (const message of ["a1", ["b1", "x"]]) publisher.trySend(message);
    await world.settle();
    expect(await drain(subscriber)).toEqual(["b1|x"]);
    subscriber.unsubscribe("a", "b");
    await world.settle();
    expect(await drain(publisher)).toEqual(["\0a", "\0b"]);
  });

  it.each(["push", "pull"] as const)("PS-19: conflate at the %s: there is always room", async (which) => {
    const world = new World();
    const push = world.push({ conflate: which === "push", sendHighWaterMark: 1 });
    const pull = world.pull({ conflate: which === "pull", receiveHighWaterMark: 1 });
    await world.bind(pull, A);
    push.connect(A);
    for (let n = 0; n < 9; n += 1) {
      expect(push.trySend(String(n))).toBe(true);
      if (n % 3 === 0) await world.settle();
    }
    await world.settle();
    expect(await drain(pull)).toEqual(["8"]);
    expect(push.stats().dropped + pull.stats().dropped).toBe(8);
  });

  it("PS-11: without noDrop only who has no room misses it", async () => {
    const { publisher, say, world, subscribers } = await connected(
      { sendHighWaterMark: 1 },
      { receiveHighWaterMark: 1 },
    );
    await say(0, "\x01");
    await say(1, "\x01");
    const quickly: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      publisher.trySend(String(n));
      await world.settle();
      quickly.push(...(await drain(subscribers[1] as never)));
    }
    expect(quickly).toEqual(["0", "1", "2", "3", "4"]);
    expect(await drain(subscribers[0] as never)).toEqual(["0", "1"]);
    expect(publisher.stats().dropped).toBe(3);
  });
});
