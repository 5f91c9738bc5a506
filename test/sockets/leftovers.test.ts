import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { memoryInUse } from "../support/memory.ts";
import {
  command,
  drain,
  eventsOf,
  greeting,
  message,
  type RawPeer,
  ready,
  trapRejections,
  typesOf,
  World,
} from "../support/sim-sockets.ts";
import { until } from "../support/wait.ts";

trapRejections();

const MIB = 2 ** 20;

/** What a peer sends in one connection before it goes: `count` things for the application to receive. */
function visit(peer: RawPeer, kind: Kind, count: number, name = "", size = 0): void {
  peer.greet({ pull: "PUSH", subscriber: "PUB", xpublisher: "SUB" }[kind]);
  const text = (i: number): string => `${name}${i}`.padEnd(size, ".");
  const things = Array.from({ length: count }, (_, i) =>
    kind === "xpublisher" ? command("SUBSCRIBE", text(i)) : message(text(i)),
  );
  peer.write(Buffer.concat(things));
  peer.stream.end();
}

type Kind = "pull" | "subscriber" | "xpublisher";

describe.each(["pull", "subscriber", "xpublisher"] as const)(
  "PP-4: what peers that are gone leave behind, %s",
  (kind) => {
    async function bound(options: object = {}) {
      const world = new World();
      const socket = world[kind](options);
      if ("confirmed" in socket) socket.subscribe("");
      const events = eventsOf(socket);
      await world.bind(socket);
      events.length = 0;
      return { world, socket, events };
    }

    it("a peer that connects, sends 1000 messages and leaves, 200 times: what is kept is bounded, and nothing is lost", async () => {
      const { world, socket } = await bound();
      const before = await memoryInUse();
      for (let round = 0; round < 200; round += 1) {
        const peer = await world.dialRaw("sim://a");
        visit(peer, kind, 1000, `${round}:`, 100);
        await world.settle();
      }
      const kept = socket.stats().received;
      expect(kept).toBe(1000);
      // Of the peers that are held up we have nothing but their connections; the simulated network has what they sent.
      const network = world.network.streams.reduce((sum, stream) => sum + stream.inFlight, 0);
      const most = before + network + 16 * MIB;
      expect(await memoryInUse(most - 1)).toBeLessThan(most);
      const texts = await drainSettled(world, socket);
      const wanted = texts.filter((text) => !text.startsWith("\0"));
      expect(wanted).toHaveLength(200_000);
      expect(new Set(wanted).size).toBe(200_000);
      expect(texts.length).toBe(kind === "xpublisher" ? 400_000 : 200_000);
      await world.settle();
      expect(world.left).toMatchObject({ streams: 0, timers: 0 });
    });

    it("small visits are taken in until there are as many messages as one peer may have waiting", async () => {
      const { world, socket, events } = await bound({ receiveHighWaterMark: 20 });
      for (let round = 0; round < 30; round += 1) {
        visit(await world.dialRaw("sim://a"), kind, 3, `${round}:`);
        await world.settle();
      }
      expect(socket.stats().received).toBe(21);
      expect(typesOf(events).filter((type) => type === "handshake")).toHaveLength(7);
      expect(typesOf(events).filter((type) => type === "accept")).toHaveLength(30);
      await world.run(socket.receive());
      expect(typesOf(events).filter((type) => type === "handshake")).toHaveLength(7);
      await world.run(socket.receive());
      await world.settle();
      expect(typesOf(events).filter((type) => type === "handshake")).toHaveLength(8);
    });

    it("receiveHighWaterMarkBytes counts as well, and a limit that is raised lets the next one in", async () => {
      const { world, socket, events } = await bound({ receiveHighWaterMarkBytes: 500 });
      for (let round = 0; round < 10; round += 1) {
        visit(await world.dialRaw("sim://a"), kind, 1, `${round}:`, 36);
        await world.settle();
      }
      const handshakes = (): number => typesOf(events).filter((type) => type === "handshake").length;
      expect(handshakes()).toBe(5);
      socket.receiveHighWaterMarkBytes = 600;
      await world.settle();
      expect(handshakes()).toBe(6);
      socket.receiveHighWaterMarkBytes = 0;
      await world.settle();
      expect(handshakes()).toBe(10);
    });

    it("who is held up: its handshake times out as any other, it makes room, or is closed with the socket", async () => {
      const { world, socket, events } = await bound({ receiveHighWaterMark: 10, maxPendingConnections: 2 });
      visit(await world.dialRaw("sim://a"), kind, 10);
      await world.settle();
      events.length = 0;
      const peers: RawPeer[] = [];
      for (let i = 0; i < 4; i += 1) {
        peers.push((await world.dialRaw("sim://a")).greet(kind === "pull" ? "PUSH" : "SUB"));
        await world.settle();
      }
      expect(peers.map(({ ends }) => ends.length)).toEqual([1, 1, 0, 0]);
      // One that breaks is forgotten at once.
      peers[2]?.stream.reset();
      await world.settle();
      await world.advance(31_000);
      expect(peers.map(({ ends }) => ends.length)).toEqual([1, 1, 1, 1]);
      expect(typesOf(events).filter((type) => type === "handshake:error:other")).toHaveLength(4);
      const last = await world.dialRaw("sim://a");
      await world.settle();
      void socket.close();
      await world.settle();
      expect(last.ends).toHaveLength(1);
      expect(world.left).toMatchObject({ streams: 0, timers: 0, holds: 0 });
    });

    it("property: connect, send, leave, receive at random: all of it comes, in order, and what waits is bounded", async () => {
      const HWM = 5;
      const LIVE = 3;
      const step = fc.oneof(
        fc.record({ type: fc.constant("connect" as const) }),
        fc.record({ type: fc.constant("visit" as const), count: fc.integer({ min: 1, max: 12 }) }),
        fc.record({
          type: fc.constant("send" as const),
          peer: fc.nat(LIVE - 1),
          count: fc.integer({ min: 1, max: 12 }),
        }),
        fc.record({ type: fc.constant("leave" as const), peer: fc.nat(LIVE - 1) }),
        fc.record({ type: fc.constant("receive" as const), count: fc.integer({ min: 1, max: 8 }) }),
        fc.record({ type: fc.constant("turns" as const), count: fc.integer({ min: 1, max: 8 }) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
          const { world, socket } = await bound({ receiveHighWaterMark: HWM });
          const live: { peer: RawPeer; name: number; sent: number }[] = [];
          const sent: number[] = [];
          const got = new Map<string, number>();
          let taken = 0;
          // Left with more sent than an inbox holds: held up, and so still connected for all that the socket can hear.
          let unheard = 0;
          const take = async (most: number): Promise<void> => {
            socket.receiveTimeout = 0;
            for (let i = 0; i < most; i += 1) {
              const parts = await socket.receive().catch(() => null);
              if (parts === null) break;
              taken += 1;
              const text = String(parts[0]);
              if (text.startsWith("\0")) continue;
              const [name, number] = text.replace("\x01", "").split(":") as [string, string];
              expect(Number(number)).toBe(got.get(name) ?? 0);
              got.set(name, Number(number) + 1);
            }
          };
          for (const one of steps) {
            if (one.type === "visit") {
              visit(await world.dialRaw("sim://a"), kind, one.count, `${sent.length}:`);
              sent.push(one.count);
            } else if (one.type === "connect" && live.length + unheard < LIVE) {
              const dialled = await world.dialRaw("sim://a");
              live.push({
                peer: dialled.greet(kind === "pull" ? "PUSH" : kind === "subscriber" ? "PUB" : "SUB"),
                name: sent.length,
                sent: 0,
              });
              sent.push(0);
            } else if (one.type === "send") {
              const from = live[one.peer];
              for (let i = 0; from !== undefined && i < one.count; i += 1) {
                const text = `${from.name}:${from.sent++}`;
                from.peer.write(kind === "xpublisher" ? command("SUBSCRIBE", text) : message(text));
                sent[from.name] = from.sent;
              }
            } else if (one.type === "leave") {
              const [gone] = live.splice(one.peer, 1);
              gone?.peer.stream.end();
              if (gone !== undefined && gone.sent > HWM) unheard += 1;
            } else if (one.type === "receive") {
              await take(one.count);
              await world.settle();
              if (socket.stats().queued === 0) unheard = 0;
            }
            if (one.type === "turns") await world.turns(one.count);
            if (one.type !== "turns") await world.settle();
            if (kind !== "xpublisher")
              expect(socket.stats().received - taken).toBeLessThanOrEqual((LIVE + 2) * HWM);
          }
          for (const { peer } of live) peer.stream.end();
          for (let before = -1; before !== taken; ) {
            before = taken;
            await take(10_000);
            await world.settle();
          }
          expect([...got].sort()).toEqual(
            sent
              .map((count, name): [string, number] => [String(name), count])
              .filter(([, count]) => count > 0)
              .sort(),
          );
          expect(world.left).toMatchObject({ streams: 0, timers: 0 });
        }),
        { numRuns: 60 },
      );
    });
  },
);

describe("Over tcp", () => {
  it("who was held up is read when there is room, though long gone", async () => {
    const pull = new zmtp.Pull({ receiveHighWaterMark: 100 });
    let accepted = 0;
    pull.events.on("accept", () => {
      accepted += 1;
    });
    await pull.bind("tcp://127.0.0.1:*");
    const port = Number(pull.lastEndpoint?.split(":").at(-1));
    for (let visitor = 0; visitor < 10; visitor += 1) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {}).resume();
      await once(socket, "connect");
      const messages = Array.from({ length: 100 }, (_, i) => message(`${visitor}:${i}`));
      socket.end(Buffer.concat([greeting(), ready("PUSH"), ...messages]));
      await until("it is accepted", () => accepted === visitor + 1);
      if (visitor === 0)
        await until(
          "it is read, and gone",
          () => pull.stats().peers.length === 0 || pull.stats().received === 100,
        );
    }
    const got: string[] = [];
    while (got.length < 1000) for (const parts of await pull.receiveBatch()) got.push(String(parts[0]));
    for (let visitor = 0; visitor < 10; visitor += 1) {
      const own = got.filter((text) => text.startsWith(`${visitor}:`));
      expect(own).toEqual(Array.from({ length: 100 }, (_, i) => `${visitor}:${i}`));
    }
    await pull.close();
  });
});

interface Draining {
  receive(): Promise<Buffer[]>;
  receiveTimeout: number;
}

/** Everything that comes, with what comes once there is room. */
async function drainSettled(world: World, socket: Draining): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const some = await drain(socket);
    if (some.length === 0) return all;
    for (const text of some) all.push(text);
    await world.settle();
  }
}
