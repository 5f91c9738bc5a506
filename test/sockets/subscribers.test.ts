import { describe, expect, it, vi } from "vitest";
import { FanOut } from "../../src/sockets/patterns/fan-out.ts";
import { PrefixTrie } from "../../src/sockets/patterns/prefix-trie.ts";
import { type Subscriber, Subscribers } from "../../src/sockets/patterns/subscribers.ts";
import type { Pipe } from "../../src/sockets/pipes/pipe.ts";
import { encodeCommand, OutgoingMessage } from "../../src/zmtp/index.ts";
import { drain, trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

const topicOf = (n: number, size = 8): Uint8Array => Buffer.alloc(size, `${n}.`.padStart(8));

/** So many peers with so many topics each, all different. */
function held(peers: number, topics: number, size?: number) {
  const world = new World();
  const subscribers = new Subscribers(world.environment);
  const pipes = Array.from({ length: peers }, () => ({}) as Pipe);
  for (const [i, pipe] of pipes.entries())
    for (let n = 0; n < topics; n += 1) subscribers.subscribe(pipe, topicOf(i * topics + n, size));
  const told: Uint8Array[] = [];
  const leave = (): void => {
    for (const pipe of pipes) subscribers.remove(pipe, (topic) => told.push(topic));
  };
  return { world, subscribers, told, leave };
}

describe("PS-9: the topics of peers that have gone are forgotten little by little", () => {
  it("a thousand in a turn, of however many peers that go in it", async () => {
    const { world, told, leave } = held(500, 5);
    leave();
    const counts = [told.length];
    for (let turn = 0; turn < 3; turn += 1) {
      await world.turns(1);
      counts.push(told.length);
    }
    expect(counts).toEqual([1000, 2000, 2500, 2500]);
  });

  it("which match nobody at once, forgotten or not", () => {
    const { subscribers, told, leave } = held(1, 2000);
    expect(subscribers.count(topicOf(1999))).toBe(1);
    leave();
    expect(told).toHaveLength(1000);
    expect(subscribers.count(topicOf(1999))).toBe(0);
    subscribers.subscribe({} as Pipe, topicOf(1999));
    expect(subscribers.count(topicOf(1999))).toBe(1);
  });

  it("the next turn has its own thousand", async () => {
    const { world, subscribers, told, leave } = held(1, 600);
    leave();
    await world.settle();
    const pipe = {} as Pipe;
    for (let n = 0; n < 600; n += 1) subscribers.subscribe(pipe, topicOf(n));
    subscribers.remove(pipe, (topic) => told.push(topic));
    expect(told).toHaveLength(1200);
  });

  it("fewer when they are long: a mebibyte in a turn", async () => {
    const { world, told, leave } = held(4, 2, 2 ** 19);
    leave();
    expect(told).toHaveLength(2);
    await world.turns(1);
    expect(told).toHaveLength(4);
    await world.settle();
    expect(told).toHaveLength(8);
  });

  it("a topic that is subscribed to or cancelled is looked up as often as ever, however many have gone", async () => {
    const { world, subscribers, told, leave } = held(300, 10);
    leave();
    const find = vi.spyOn(PrefixTrie.prototype, "find");
    const [pipe, before] = [{} as Pipe, told.length];
    expect(subscribers.subscribe(pipe, topicOf(2999))).toBe("first");
    expect(subscribers.cancel(pipe, topicOf(2999))).toBe("last");
    const lookups = find.mock.calls.length;
    vi.restoreAllMocks();
    expect(lookups).toBeLessThan(10);
    expect(told).toHaveLength(before + 1);
    await world.settle();
    expect(told).toHaveLength(3000);
  });
});

describe("PS-1: subscriptions are taken in little by little", () => {
  /** How many an XPUB takes in, in each turn in which it takes in any. */
  async function taken(...lots: Uint8Array[][]): Promise<number[]> {
    const world = new World();
    world.network.capacity = Number.POSITIVE_INFINITY;
    const publisher = world.xpublisher();
    await world.bind(publisher);
    const peer = (await world.dialRaw("sim://a")).greet("SUB");
    await world.settle();
    const counts = [0];
    for (const lot of lots) {
      await world.settle();
      peer.write(Buffer.concat(lot.map((topic) => encodeCommand("SUBSCRIBE", topic))));
      for (let turn = 0; turn < 30; turn += 1) {
        await world.turns(1);
        const { received } = publisher.stats();
        if (received > (counts.at(-1) as number)) counts.push(received);
      }
      await drain(publisher);
    }
    return counts.slice(1).map((count, i) => count - (counts[i] as number));
  }
  const topics = (from: number, count: number, size?: number): Uint8Array[] =>
    Array.from({ length: count }, (_, n) => topicOf(from + n, size));

  it("a thousand in a turn, whatever came in others", async () => {
    expect(await taken(topics(0, 600), topics(600, 600))).toEqual([600, 600]);
    expect((await taken(topics(0, 1200)))[0]).toBe(1000);
  });

  it("fewer when they are long: a mebibyte in a turn", async () => {
    expect(await taken(topics(0, 8, 2 ** 18))).toEqual([4, 4]);
  });
});

describe("FanOut: a peer that goes while a message is offered", () => {
  it("is kept in no list", () => {
    const last: Subscriber[][] = [];
    class Watched extends FanOut {
      protected override match(topic: Uint8Array, found: Subscriber[]): number {
        last.push([...found]);
        return super.match(topic, found);
      }
    }
    const fanOut = new Watched(new World().environment, () => {});
    const leaving = { offer: () => true } as unknown as Pipe;
    const staying = {
      offer: () => {
        fanOut.remove(leaving);
        return true;
      },
    } as unknown as Pipe;
    for (const pipe of [leaving, staying]) fanOut.subscribe(pipe, Uint8Array.of(1));
    for (let n = 0; n < 3; n += 1) fanOut.send(new OutgoingMessage([Uint8Array.of(1)]));
    for (const list of last) expect(list.map(({ pipe }) => pipe)).not.toContain(leaving);
  });
});
