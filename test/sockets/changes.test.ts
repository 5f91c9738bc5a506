import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Listening } from "../support/listening.ts";
import { memoryInUse } from "../support/memory.ts";
import { type RawPeer, trapRejections, World, watch } from "../support/sim-sockets.ts";

trapRejections();

const MIB = 2 ** 20;

async function dialled(kind: "subscriber" | "xsubscriber", options: object = {}) {
  const world = new World();
  const socket = world[kind](options);
  const peers = world.listenRaw("sim://a");
  socket.connect("sim://a");
  await world.settle();
  const peer = (peers[0] as RawPeer).greet("XPUB");
  await world.settle();
  const listening = new Listening();
  const hear = (): void => listening.hear(peer.take());
  return { world, socket, peer, listening, hear };
}

describe("Subscriptions for a publisher that does not read", () => {
  it("200 000 different topics subscribed to and given up again: nothing piles up", async () => {
    const { world, socket, peer, listening, hear } = await dialled("subscriber");
    const stream = world.lastDialled;
    stream.stall();
    socket.subscribe("always");
    const before = await memoryInUse();
    for (let i = 0; i < 200_000; i += 1) {
      socket.subscribe(`topic ${i}`);
      socket.unsubscribe(`topic ${i}`);
      if (i % 20_000 === 0) await world.settle();
    }
    socket.subscribe("at last");
    expect(stream.inFlight).toBeLessThan(MIB);
    expect((await memoryInUse(before + 2 * MIB)) - before).toBeLessThan(8 * MIB);
    stream.unstall();
    await world.settle();
    hear();
    expect([...listening.topics]).toEqual(["always", "at last"]);
    expect(listening.told).toBeLessThan(20_000);
    expect(peer.ends).toEqual([]);
  });

  it("confirmed() waits until the publisher has been told, and its PING comes behind", async () => {
    const { world, socket, peer, listening, hear } = await dialled("subscriber");
    const stream = world.lastDialled;
    stream.stall();
    for (let i = 0; i < 10_000; i += 1) socket.subscribe(`topic ${i}`);
    await world.settle();
    const confirmed = watch(socket.confirmed());
    socket.unsubscribe("topic 9999");
    await world.advance(10_000);
    expect(confirmed.state).toBe("pending");
    stream.unstall();
    await world.settle();
    const received = peer.received;
    hear();
    expect(listening.topics.size).toBe(9999);
    const ping = received.lastIndexOf("\x04PING");
    expect(ping).toBeGreaterThan(received.lastIndexOf("topic 9998"));
    peer.write(Buffer.from("\x04\x09\x04PONG\0\0\0\x01", "latin1"));
    await world.settle();
    expect(confirmed).toMatchObject({ state: "resolved", value: "answered" });
  });

  it("it is told nothing twice when the connection comes back", async () => {
    const { world, socket } = await dialled("subscriber");
    world.lastDialled.stall();
    for (let i = 0; i < 10_000; i += 1) socket.subscribe(`topic ${i}`);
    const peers = world.listenRaw("sim://a");
    world.lastDialled.reset();
    await world.advance(1000);
    const back = peers[0] as RawPeer;
    back.greet("XPUB");
    await world.settle();
    const listening = new Listening();
    listening.hear(back.take());
    expect(listening).toMatchObject({ told: 10_000 });
    expect(listening.topics.size).toBe(10_000);
  });

  it("XSUB: ends of what was never subscribed to are left out, whatever verboseUnsubscribe says", async () => {
    const { world, socket, listening, hear } = await dialled("xsubscriber", { verboseUnsubscribe: true });
    const stream = world.lastDialled;
    stream.stall();
    const before = await memoryInUse();
    for (let i = 0; i < 300_000; i += 1) (socket as ReturnType<World["xsubscriber"]>).trySend(`\0topic ${i}`);
    expect((await memoryInUse(before + 2 * MIB)) - before).toBeLessThan(4 * MIB);
    stream.unstall();
    await world.settle();
    hear();
    expect(listening.told).toBeGreaterThan(0);
    expect(listening.told).toBeLessThan(20_000);
  });

  it.each(["subscriber", "xsubscriber"] as const)(
    "property: whatever is subscribed to while it reads or not, it has in the end: %s",
    async (kind) => {
      const topic = fc.constantFrom("", "a", "ab", "abc", "b");
      const step = fc.oneof(
        { weight: 5, arbitrary: fc.record({ type: fc.constantFrom("+" as const, "-" as const), topic }) },
        {
          weight: 2,
          arbitrary: fc.record({ type: fc.constantFrom("stall" as const, "unstall" as const), topic }),
        },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
          const { world, socket, listening, hear } = await dialled(kind);
          world.network.capacity = 20;
          const stream = world.lastDialled;
          const counts = new Map<string, number>();
          for (const { type, topic } of steps) {
            const count = counts.get(topic) ?? 0;
            if (type === "stall") stream.stall();
            else if (type === "unstall") stream.unstall();
            else {
              counts.set(topic, Math.max(0, count + (type === "+" ? 1 : -1)));
              if ("trySend" in socket) socket.trySend(`${type === "+" ? "\x01" : "\0"}${topic}`);
              else if (type === "+") socket.subscribe(topic);
              else socket.unsubscribe(topic);
            }
            await world.settle();
          }
          stream.unstall();
          await world.settle();
          hear();
          const wanted = [...counts].filter(([, count]) => count > 0).map(([name]) => name);
          expect([...listening.topics].sort()).toEqual(wanted.sort());
        }),
        { numRuns: 200 },
      );
    },
  );
});
