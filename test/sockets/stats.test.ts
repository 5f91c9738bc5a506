import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { message, trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

/** Peers of one socket that come, go, stall and are cut, while it sends. */
const step = fc.record({
  what: fc.constantFrom(
    "send",
    "send",
    "send",
    "send",
    "settle",
    "stall",
    "go",
    "reset",
    "connect",
    "disconnect",
    "wait",
  ),
  peer: fc.nat(2),
  count: fc.integer({ min: 1, max: 30 }),
});

describe("N-7: stats", () => {
  it.each(["push", "publisher"] as const)(
    "%s: what it took is sent, dropped or queued, always",
    async (kind) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer(), async (steps, seed) => {
          const world = new World(seed);
          world.network.capacity = 200;
          const overflow = seed % 2 === 0 ? "drop" : "disconnect";
          const socket =
            kind === "push"
              ? world.push({ sendHighWaterMark: 7 })
              : world.publisher({ sendHighWaterMark: 7, overflow });
          const far = await Promise.all(
            [0, 1, 2].map(async (i) => {
              const peer = kind === "push" ? world.pull() : world.subscriber();
              if ("subscribe" in peer) peer.subscribe("");
              const bound = peer.bind(`sim://p${i}`);
              await world.settle();
              await bound;
              return peer;
            }),
          );
          let taken = 0;
          const dialled = new Set<number>();
          for (const { what, peer, count } of steps) {
            const streams = world.network.streams.filter((_, i) => i % 2 === 0);
            const stream = streams[streams.length - 1 - peer];
            if (what === "send") {
              for (let i = 0; i < count; i += 1) if (socket.trySend("x".repeat(count))) taken += 1;
              // Only the PUB knows how many copies that was.
              if (kind === "publisher") taken = total(socket.stats());
            } else if (what === "settle") await world.settle();
            else if (what === "wait") await world.advance(150);
            else if (what === "stall") stream?.stall();
            else if (what === "go") stream?.unstall();
            else if (what === "reset") stream?.reset();
            else if (what === "connect" && !dialled.has(peer)) {
              socket.connect(`sim://p${peer}`);
              dialled.add(peer);
            } else if (what === "disconnect" && dialled.delete(peer)) socket.disconnect(`sim://p${peer}`);
            const stats = socket.stats();
            expect(total(stats)).toBe(taken);
            expect(stats.received).toBe(0);
          }
          for (const stream of world.network.streams) stream.unstall();
          socket.linger = 100;
          const closed = socket.close();
          await world.advance(200);
          await closed;
          expect(socket.stats()).toMatchObject({ queued: 0, peers: [] });
          expect(total(socket.stats())).toBe(taken);
          await world.run(Promise.all(far.map((peer) => peer.close())));
          expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
        }),
        { numRuns: 60 },
      );
    },
  );

  it("what a PULL took in is taken by the application or queued, whoever has gone", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World();
        const pull = world.pull({ receiveHighWaterMark: 10, receiveTimeout: 0 });
        await world.bind(pull);
        const raws: Awaited<ReturnType<typeof world.dialRaw>>[] = [];
        let delivered = 0;
        for (const { what, peer, count } of steps) {
          const raw = raws[raws.length - 1 - peer];
          if (what === "connect") raws.push((await world.dialRaw("sim://a")).greet("PUSH"));
          else if (what === "reset") raw?.stream.reset();
          else if (what === "disconnect") raw?.stream.end();
          else if (what === "send") for (let i = 0; i < count; i += 1) raw?.write(message("x"));
          else if (what === "settle") await world.settle();
          else if (what === "go") {
            for (let i = 0; i < count; i += 1) {
              if (await pull.receive().catch(() => null)) delivered += 1;
            }
          }
          const { received, queued } = pull.stats();
          expect(received).toBe(delivered + queued);
        }
        await world.run(pull.close());
      }),
      { numRuns: 60 },
    );
  });

  it("peers: who, of what type, and how much; the sums include those that are gone", async () => {
    const world = new World();
    const push = world.push();
    const pull = world.pull();
    await world.bind(pull);
    push.connect("sim://a");
    push.connect("sim://later");
    expect(push.stats().peers).toEqual([
      { address: "sim://a", socketType: null, sent: 0, received: 0, dropped: 0, queued: 0 },
      { address: "sim://later", socketType: null, sent: 0, received: 0, dropped: 0, queued: 0 },
    ]);
    await world.settle();
    for (let i = 0; i < 4; i += 1) push.trySend("x");
    await world.settle();
    expect(push.stats()).toEqual({
      sent: 2,
      received: 0,
      dropped: 0,
      queued: 2,
      peers: [
        { address: "sim://listener-1", socketType: "PULL", sent: 2, received: 0, dropped: 0, queued: 0 },
        { address: "sim://later", socketType: null, sent: 0, received: 0, dropped: 0, queued: 2 },
      ],
    });
    expect(pull.stats().peers).toEqual([
      { address: "sim://dialler-1", socketType: "PUSH", sent: 0, received: 2, dropped: 0, queued: 2 },
    ]);
    push.linger = 0;
    push.disconnect("sim://a");
    push.disconnect("sim://later");
    await world.settle();
    expect(push.stats()).toEqual({ sent: 2, received: 0, dropped: 2, queued: 0, peers: [] });
    expect(pull.stats()).toEqual({ sent: 0, received: 2, dropped: 0, queued: 2, peers: [] });
  });
});

function total({ sent, dropped, queued }: { sent: number; dropped: number; queued: number }): number {
  return sent + dropped + queued;
}
