import { describe, expect, it } from "vitest";
import * as zeromq from "zeromq";
import {
  DbUpdate,
  type EventFrames,
  PublisherService,
  unpackMessage,
  type WireForm,
  type ZmqOptions,
  ZmqPubSubMultiproc,
} from "../../../src/drivers/index.ts";
import { until } from "../../support/wait.ts";
import { FakePublisher } from "../fakes.ts";
import { QUICK, useSocketPaths, useWorld } from "../world.ts";

const world = useWorld();
const socketPath = useSocketPaths();

/** ms; long enough for no tick to come where none is wanted. */
const NEVER = 100_000;
const NUMBERED = { sequenceNumbers: true, sequenceInterval: NEVER } as const;

/** A writer whose events go through a forwarder that keeps them, until the test says which to pass on. */
async function lossyWay(options: ZmqOptions) {
  const path = socketPath();
  const given = { ...QUICK, linger: 0, onError: () => {}, publisherMultiprocSocket: path };
  const publisher = await world.publisher();
  const forwarder = new ZmqPubSubMultiproc(given).getSubscriber();
  world.onEnd(() => forwarder.close());
  const held: EventFrames[] = [];
  await forwarder.initializeFrames((event, received) => {
    if (event === null) throw new Error("something was lost before its time");
    held.push(received!);
  });
  await forwarder.daemonize();
  const writer = new ZmqPubSubMultiproc({ ...given, ...options }).getPublisher();
  world.onEnd(() => writer.close());
  return {
    publisher,
    writer,
    /** The event of this key, once it has come from the writer; an announcement has none. */
    async event(key: string | null, seq?: number): Promise<EventFrames> {
      const isIt = ([, payload]: EventFrames): boolean => {
        const event = unpackMessage(payload);
        return event.key === key && (seq === undefined || event.sequence?.seq === seq);
      };
      await until(`${key}, ${seq}`, () => held.some(isIt));
      return held.find(isIt)!;
    },
  };
}

describe.each(["json", "map"] as const)("sequence numbers over ZMQ, form %s", (wireForm: WireForm) => {
  const options = { ...NUMBERED, wireForm };
  // On ZMQ only a log keeps its value in the json form, and the copy is made of values.
  const change = (key: string, topic = "D") =>
    new DbUpdate({ ...world.change(key, topic).toDict(), action: "log" });

  it("are there when nothing is lost, and cost no sync", async () => {
    const publisher = await world.publisher(0, options);
    const controller = await world.controller(NUMBERED).start([publisher.address!], ["D", "t"]);
    for (let i = 0; i < 20; i += 1) await publisher.sendEvent(change(`${i}`, i % 3 === 0 ? "t" : "D"));
    await controller.has("19");
    await controller.isMended(0);
    expect(controller.of("gap")).toEqual([]);
  });

  it("find an event that a foreign publisher dropped: one sync", async () => {
    const publisher = await world.publisher(0, options);
    const way = new zeromq.Publisher({ linger: 0 });
    world.onEnd(() => way.close());
    await way.bind("tcp://127.0.0.1:*");
    const relay = await world.controller({ wireForm }).subscriber;
    const held: EventFrames[] = [];
    await relay.initializeFrames((_event, received) => held.push(received!));
    relay.registerTopic("D");
    relay.registerListenAddress(publisher.address!);
    await relay.daemonize();
    const controller = await world.controller(NUMBERED).start([way.lastEndpoint!]);
    for (const key of ["a", "lost", "b", "c"]) await publisher.sendEvent(change(key));
    await until("all are there", () => held.length === 4);
    for (const i of [0, 2, 3]) await way.send([...held[i]!] as Buffer[]);
    await controller.has("a", "b", "c");
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["sequence"]]);
    expect(controller.of("gap")).toEqual([{ type: "gap", reason: "sequence", address: way.lastEndpoint }]);
  });

  it("go through a service as they are, which does not number itself", async () => {
    const path = socketPath();
    const out = new FakePublisher();
    const service = new PublisherService({
      publisher: out,
      config: { publisherMultiprocSocket: path, sequenceNumbers: true },
    });
    world.onEnd(() => service.close());
    void service.run();
    const writer = new ZmqPubSubMultiproc({
      ...QUICK,
      ...options,
      publisherMultiprocSocket: path,
    }).getPublisher();
    const plain = new ZmqPubSubMultiproc({
      ...QUICK,
      wireForm,
      publisherMultiprocSocket: path,
    }).getPublisher();
    world.onEnd(() => Promise.all([writer.close(), plain.close()]));
    for (const topic of ["a", "a", "b"]) await writer.sendEvent(change("k", topic));
    await until("they have gone through", () => out.frames.length === 3);
    await plain.sendEvent(change("k"));
    await until("the other one too", () => out.frames.length === 4);
    const sequences = out.published.map(({ sequence }) => sequence);
    const pub = sequences[0]!.pub;
    expect(pub).toMatch(/^[0-9a-f]{16}$/);
    expect(sequences).toEqual([{ pub, seq: 1 }, { pub, seq: 2 }, { pub, seq: 1 }, undefined]);
  });
});

describe("sequence numbers of a writer whose events are lost on the way", () => {
  it("each topic has its own: who follows one misses nothing of the other", async () => {
    const way = await lossyWay(NUMBERED);
    const controller = await world.controller(NUMBERED).start([way.publisher.address!], ["mine"]);
    for (const key of ["1", "2", "3"]) {
      await way.writer.sendEvent(world.change(key, "mine"));
      await way.writer.sendEvent(new DbUpdate({ table: "t", key: "k", action: "set", topic: "other" }));
    }
    for (const key of ["1", "2", "3"]) await way.publisher.sendFrames(await way.event(key));
    await controller.has("1", "2", "3");
    await controller.isMended(0);
  });

  it("the last event, by the announcement of an idle topic, which no callback sees", async () => {
    const way = await lossyWay({ ...NUMBERED, sequenceInterval: 100 });
    const controller = await world.controller(NUMBERED).start([way.publisher.address!]);
    await way.writer.sendEvent(world.change("a"));
    const a = await way.event("a");
    await way.publisher.sendFrames(a);
    await controller.has("a");
    await way.writer.sendEvent(world.change("lost"));
    const announcement = await way.event(null, 2);
    expect(unpackMessage(announcement[1])).toEqual({
      ...{ table: null, key: null, action: "log", value: null, topic: "D", form: "map" },
      sequence: { pub: unpackMessage(a[1]).sequence!.pub, seq: 2 },
    });
    await way.publisher.sendFrames(announcement);
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["sequence"]]);
    expect(controller.seen).toEqual(["a", "sync"]);
  });

  it("are not looked at by a subscriber that is not told to, which does not see announcements either", async () => {
    const way = await lossyWay({ ...NUMBERED, sequenceInterval: 100 });
    const controller = await world.controller().start([way.publisher.address!]);
    for (const key of ["a", "lost", "b"]) await way.writer.sendEvent(world.change(key));
    const announcement = await way.event(null, 3);
    for (const frames of [await way.event("a"), announcement, await way.event("b")])
      await way.publisher.sendFrames(frames);
    await controller.has("b");
    expect(controller.seen).toEqual(["a", "b"]);
  });

  it("a message that cannot be read costs one sync, not a second for its number", async () => {
    const way = await lossyWay(NUMBERED);
    const controller = await world.controller(NUMBERED).start([way.publisher.address!]);
    for (const key of ["a", "broken", "b"]) await way.writer.sendEvent(world.change(key));
    await way.publisher.sendFrames(await way.event("a"));
    const [topic, payload] = await way.event("broken");
    await way.publisher.sendFrames([topic, payload.subarray(1)]);
    await controller.isMended(1);
    await way.publisher.sendFrames(await way.event("b"));
    await controller.has("b");
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["decode"]]);
  });

  it("what a lost connection took with it costs one sync, not a second for the numbers", async () => {
    const way = await lossyWay(NUMBERED);
    const controller = await world.controller(NUMBERED).start([way.publisher.address!]);
    for (const key of ["a", "lost", "b", "c", "lost again", "d"])
      await way.writer.sendEvent(world.change(key));
    await way.publisher.sendFrames(await way.event("a"));
    await controller.has("a");
    await way.publisher.close();
    const back = await world.again(way.publisher);
    await controller.isMended(1);
    for (const key of ["b", "c"]) await back.sendFrames(await way.event(key));
    await controller.has("c");
    await controller.isMended(1);
    await back.sendFrames(await way.event("d"));
    await controller.isMended(2);
    expect(controller.reasons).toEqual([["lost"], ["sequence"]]);
  });

  it("a topic that was unregistered for a while begins anew", async () => {
    const way = await lossyWay(NUMBERED);
    const controller = await world.controller(NUMBERED).start([way.publisher.address!], ["t"]);
    for (const key of ["a", "meanwhile", "b"]) await way.writer.sendEvent(world.change(key, "t"));
    await way.publisher.sendFrames(await way.event("a"));
    await controller.has("a");
    controller.subscriber.unregisterTopic("t");
    controller.subscriber.registerTopic("t");
    await controller.isMended(1);
    await way.publisher.sendFrames(await way.event("b"));
    await controller.has("b");
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["topic"]]);
  });
});
