import { afterEach, describe, expect, it } from "vitest";
import * as zeromq from "zeromq";
import { ZmqPubSub, ZmqPubSubMultiproc } from "../../../src/drivers/index.ts";
import { bytes } from "../../interop/peers/bytes.ts";
import { useRawPeers } from "../../interop/peers/raw-peer.ts";
import { until } from "../../support/wait.ts";
import { ERAS, hexOf, samples, updateOf } from "../dragonflow-wire.ts";
import { useSocketPaths } from "../world.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.each(ERAS)("dragonflow.md 2 and 4: frames of %s over the wire", (era, wireForm) => {
  const raw = useRawPeers();
  const socketPath = useSocketPaths();

  it("our publisher's, as a libzmq SUB and a raw SUB receive them; the updates are not changed (defect 8)", async () => {
    const publisher = new ZmqPubSub({
      wireForm,
      publisherBindAddress: "127.0.0.1",
      publisherPort: 0,
    }).getPublisher();
    closing.push(() => publisher.close());
    await publisher.initialize();
    const libzmq = new zeromq.Subscriber();
    closing.push(() => libzmq.close());
    libzmq.subscribe();
    libzmq.connect(publisher.address!);
    const socket = await raw.connect(publisher.address!);
    await socket.shake("SUB");
    socket.command("SUBSCRIBE");
    // Sent until both hear it: a PUB does not tell that libzmq has subscribed.
    let ready = false;
    const first = libzmq.receive().then(() => {
      ready = true;
    });
    await until("both have subscribed", async () => {
      await publisher.sendFrames([Buffer.from("ready"), Buffer.alloc(0)]);
      return ready && socket.unread.length > 0;
    });
    await first;
    await publisher.sendFrames([Buffer.from("start"), Buffer.alloc(0)]);
    while ((await libzmq.receive())[0]!.toString() !== "start");
    while ((await socket.frame()).body.toString() !== "start");
    await socket.frame();

    for (const sample of samples) {
      const update = updateOf(sample);
      const before = JSON.stringify(update);
      await publisher.sendEvent(update, sample.event.send_topic);
      expect(JSON.stringify(update)).toBe(before);
      const { topic_hex: topic, data_hex: data } = sample[era].zmq;
      const message = await libzmq.receive();
      expect([sample.name, ...message.map((frame, i) => hexOf(frame, [topic, data][i]!))]).toEqual([
        sample.name,
        topic,
        data,
      ]);
      const frames = [await socket.frame(), await socket.frame()];
      expect(frames.map(({ flags }) => flags & 1)).toEqual([1, 0]);
      expect(frames.map(({ body }, i) => hexOf(body, [topic, data][i]!))).toEqual([topic, data]);
    }
  });

  it("our writer's, as a libzmq PULL receives them", async () => {
    const path = socketPath();
    const pull = new zeromq.Pull();
    closing.push(() => pull.close());
    await pull.bind(`ipc://${path}`);
    const writer = new ZmqPubSubMultiproc({ wireForm, publisherMultiprocSocket: path }).getPublisher();
    closing.push(() => writer.close());
    for (const sample of samples) await writer.sendEvent(updateOf(sample), sample.event.send_topic);
    for (const sample of samples) {
      const { topic_hex: topic, data_hex: data } = sample[era].zmq;
      const message = await pull.receive();
      expect(message.map((frame, i) => hexOf(frame, [topic, data][i]!))).toEqual([topic, data]);
    }
  });

  /** All samples that the fixture has in full, with the payload in Python 3's and in Python 2's order. */
  const messages = samples.flatMap((sample) => {
    const { topic_hex, data_hex, data_py2_order_hex } = sample[era].zmq;
    return [data_hex, data_py2_order_hex]
      .filter((data) => typeof data === "string")
      .map((data) => ({
        frames: [Buffer.from(topic_hex, "hex"), Buffer.from(data, "hex")],
        callback: sample[era].callback,
      }));
  });

  /** What the callback of the original is called with. */
  const calls = messages.map(({ callback: { table, key, action, value, topic } }) => [
    table,
    key,
    action,
    value,
    topic,
  ]);

  it("the fixture's, from a libzmq PUB to our subscriber", async () => {
    const libzmq = new zeromq.Publisher();
    closing.push(() => libzmq.close());
    await libzmq.bind("tcp://127.0.0.1:*");
    const subscriber = new ZmqPubSub({ startTimeout: 10_000 }).getSubscriber();
    closing.push(() => subscriber.close());
    const seen: unknown[][] = [];
    await subscriber.initialize((...call) => seen.push(call));
    subscriber.registerTopic("");
    subscriber.registerListenAddress(libzmq.lastEndpoint!);
    await subscriber.daemonize();
    for (const { frames } of messages) await libzmq.send(frames);
    // A `sync` that was published counts as the subscriber's own, and those in a row as one.
    const isSync = ([, , action]: readonly unknown[]): boolean => action === "sync";
    const events = calls.filter((call) => !isSync(call));
    await until("all have come", () => seen.filter((call) => !isSync(call)).length >= events.length);
    expect(seen.filter((call) => !isSync(call))).toEqual(events);
    await until("the sync", () => seen.some(isSync));
    expect(events.length).toBeGreaterThan(20);
  });

  it("the fixture's, from a libzmq PUSH to our service's ear, and forwarded as they came", async () => {
    const path = socketPath();
    const subscriber = new ZmqPubSubMultiproc({ publisherMultiprocSocket: path }).getSubscriber();
    closing.push(() => subscriber.close());
    const seen: unknown[][] = [];
    const forwarded: string[][] = [];
    await subscriber.initializeFrames((event, frames) => {
      seen.push([event?.table, event?.key, event?.action, event?.value, event?.topic]);
      expect(event?.form).toBe(wireForm);
      forwarded.push((frames ?? []).map((frame) => Buffer.from(frame).toString("hex")));
    });
    await subscriber.daemonize();
    const push = new zeromq.Push();
    closing.push(() => push.close());
    push.connect(`ipc://${path}`);
    for (const { frames } of messages) await push.send(frames);
    await until("all have come", () => seen.length >= messages.length);
    expect(seen).toEqual(calls);
    expect(forwarded).toEqual(messages.map(({ frames }) => frames.map((frame) => frame.toString("hex"))));
  });
});

describe("dragonflow.md 4: what the wire shows of a subscriber", () => {
  const raw = useRawPeers();

  it("topics as UTF-8 prefixes, SUBSCRIBE and CANCEL once each; no PING before it is due (defect 6, 7)", async () => {
    const listener = await raw.listen();
    const subscriber = new ZmqPubSub({ startTimeout: 10, heartbeatInterval: 0 }).getSubscriber();
    closing.push(() => subscriber.close());
    await subscriber.initialize(() => {});
    expect(["é!x", "é!x", "D", ""].map((topic) => subscriber.registerTopic(topic))).toEqual([
      true,
      false,
      true,
      true,
    ]);
    subscriber.registerListenAddress(listener.address);
    const daemonized = subscriber.daemonize();
    const publisher = await listener.accept();
    await publisher.shake("PUB");
    const next = async (): Promise<string> => (await publisher.frame()).body.toString("latin1");
    expect([await next(), await next(), await next()]).toEqual([
      "\x09SUBSCRIBE\xc3\xa9!x",
      "\x09SUBSCRIBED",
      "\x09SUBSCRIBE",
    ]);
    expect((await next()).slice(0, 5)).toBe("\x04PING");
    await daemonized;
    expect(subscriber.unregisterTopic("é!x")).toBe(true);
    expect(subscriber.unregisterTopic("é!x")).toBe(false);
    expect(await next()).toBe("\x06CANCEL\xc3\xa9!x");
    publisher.message("x", bytes("C1"));
    await until("it was read", () => subscriber.stats().undecodable === 1);
    expect(publisher.unread).toHaveLength(0);
  });

  it("a topic with a lone surrogate is refused (defect 6)", async () => {
    const subscriber = new ZmqPubSub().getSubscriber();
    closing.push(() => subscriber.close());
    expect(() => subscriber.registerTopic("\ud800")).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => subscriber.registerTopic(7 as never)).toThrow(TypeError);
  });
});
