import { describe, expect, it } from "vitest";
import { Listening } from "../support/listening.ts";
import {
  command,
  drain,
  message,
  type RawPeer,
  ready,
  trapRejections,
  World,
  watch,
} from "../support/sim-sockets.ts";

trapRejections();

const topicsUpTo = (count: number): string[] => Array.from({ length: count }, (_, n) => `topic ${n}.`);

/** An XSUB that is about to tell 600 topics to a publisher that speaks bytes: some turns of the event loop. */
async function dialled() {
  const world = new World();
  const socket = world.xsubscriber();
  const topics = topicsUpTo(600);
  socket.subscribe(...topics);
  const peers = world.listenRaw("sim://a");
  socket.connect("sim://a");
  await world.settle();
  const peer = peers[0] as RawPeer;
  const listening = new Listening();
  const hear = (): void => listening.hear(peer.take());
  /** Until the first have been told. */
  const begin = async (): Promise<void> => {
    peer.greet("XPUB");
    while (peer.received.length < 64 + ready("XSUB").length + 500) await world.turns(1);
  };
  return { world, socket, topics, peer, listening, hear, begin };
}

/** An XSUB that has told an XPUB of the same process the first thousand of its topics. */
async function inProcess(count: number) {
  const world = new World();
  const publisher = world.xpublisher();
  const socket = world.xsubscriber();
  await world.bind(publisher, "inproc://a");
  socket.subscribe(...topicsUpTo(count));
  socket.connect("inproc://a");
  while (publisher.stats().queued < 1000) await world.turns(1);
  expect(publisher.stats().queued).toBe(1000);
  /** Whether it gets what begins with this topic. */
  const gets = async (topic: string): Promise<boolean> => {
    publisher.trySend(topic);
    await world.settle();
    return (await drain(socket)).includes(topic);
  };
  return { world, publisher, socket, gets };
}

describe("PS-8, PS-15: a topic that is subscribed to again and given up while a connection is told of all", () => {
  it("over a stream", async () => {
    const { world, socket, topics, listening, hear, begin } = await dialled();
    await begin();
    for (const part of ["\x01topic 599.", "\0topic 599.", "\0topic 599."]) socket.trySend(part);
    await world.settle();
    hear();
    expect([...listening.topics]).toEqual(topics.slice(0, -1));
  });

  it("in the process", async () => {
    const { world, socket, gets } = await inProcess(2000);
    for (const part of ["\x01topic 1999.", "\0topic 1999.", "\0topic 1999."]) socket.trySend(part);
    await world.settle();
    expect(await gets("topic 1999.")).toBe(false);
    expect(await gets("topic 1998.")).toBe(true);
  });

  it("one that has been told and is given up, and is wanted again behind another, in the process", async () => {
    const { world, socket, gets } = await inProcess(1000);
    const confirmed = watch(socket.confirmed());
    socket.unsubscribe("topic 0.");
    socket.subscribe("other", "topic 0.");
    await world.settle();
    expect(confirmed).toMatchObject({ state: "resolved", value: "answered" });
    expect(await gets("topic 0.")).toBe(true);
    expect(await gets("other")).toBe(true);
  });
});

describe("PS-15, B-20, RC-6: an XSUB's subscriptions come before its messages", () => {
  it("those that were queued before the connection, and those sent while it is told", async () => {
    const { world, socket, topics, peer, begin } = await dialled();
    socket.trySend("queued");
    await begin();
    socket.trySend("sent");
    await world.settle();
    const expected = topics.map((topic) => command("SUBSCRIBE", topic));
    expect(peer.take().subarray(64 + ready("XSUB").length)).toEqual(
      Buffer.concat([...expected, message("queued"), message("sent")]),
    );
    socket.trySend("later");
    await world.settle();
    expect(peer.take()).toEqual(message("later"));
  });

  it("those that waited because the publisher did not read", async () => {
    const { world, socket, peer, listening, hear } = await dialled();
    peer.greet("XPUB");
    await world.settle();
    const stream = world.lastDialled;
    stream.stall();
    for (let n = 0; n < 10_000; n += 1) socket.subscribe(`more ${n}`);
    await world.settle();
    hear();
    stream.unstall();
    while (peer.received.length < 70_000) await world.turns(1);
    socket.trySend("sent");
    await world.settle();
    const bytes = peer.take();
    expect(bytes.subarray(-message("sent").length)).toEqual(message("sent"));
    listening.hear(bytes.subarray(0, -message("sent").length));
    expect(listening.topics.size).toBe(10_600);
  });

  it("in the process", async () => {
    const { world, publisher, socket } = await inProcess(2500);
    socket.trySend("sent");
    await world.settle();
    expect(await drain(publisher)).toEqual([...topicsUpTo(2500).map((topic) => `\x01${topic}`), "sent"]);
  });
});

describe("PS-15: topics that are told again leave time for others", () => {
  it("a publisher that takes everything at once is told one long topic in a turn", async () => {
    const world = new World();
    world.network.capacity = Number.POSITIVE_INFINITY;
    const size = 2 ** 18;
    const socket = world.subscriber();
    for (const letter of "abcdefgh") socket.subscribe(letter.repeat(size));
    const peers = world.listenRaw("sim://a");
    socket.connect("sim://a");
    await world.settle();
    const peer = (peers[0] as RawPeer).greet("PUB");
    const lengths = [0];
    for (let turn = 0; turn < 60; turn += 1) {
      await world.turns(1);
      lengths.push(peer.received.length);
    }
    for (const [i, length] of lengths.slice(1).entries())
      expect(length - (lengths[i] as number)).toBeLessThan(1.1 * size);
    await world.settle();
    expect(peer.received.length).toBeGreaterThan(8 * size);
  });
});
