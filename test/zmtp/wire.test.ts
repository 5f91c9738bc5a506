import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConnectionOptions } from "../../src/zmtp/index.ts";
import {
  compatiblePair,
  incompatiblePair,
  message,
  properties,
  type SocketPair,
  topic,
  type Version,
  version,
} from "../generators/index.ts";
import { type Name, WireModel, type WireStep } from "../support/wire.ts";
import { deliveredBy, End, latin1 } from "../support/wire-end.ts";

const by = fc.constantFrom<Name>("a", "b");

/** What both ends do, and how the bytes between them go: nothing of it is a fault. */
const step: fc.Arbitrary<WireStep> = fc.oneof(
  fc.record({
    type: fc.constant("send" as const),
    by,
    parts: message({ maxParts: 4, isLarge: true }),
    isObject: fc.boolean(),
  }),
  fc.record({ type: fc.constant("subscribe" as const), by, topic: topic() }),
  fc.record({ type: fc.constant("cancel" as const), by, topic: topic() }),
  fc.record({
    type: fc.constant("ping" as const),
    by,
    context: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  }),
  fc.record({ type: fc.constant("flush" as const), by }),
  fc.record({ type: fc.constant("flush" as const), by }),
  fc.record({
    type: fc.constant("carry" as const),
    to: by,
    size: fc.oneof(fc.nat(80), fc.nat(5000), fc.constant(1e6)),
    isRead: fc.boolean(),
  }),
  fc.record({ type: fc.constant("pass" as const), ms: fc.nat(1000), isLate: fc.boolean() }),
  fc.record({ type: fc.constant("suspend" as const), by }),
  fc.record({ type: fc.constant("resume" as const), by }),
);
const fault: fc.Arbitrary<WireStep> = fc.oneof(
  fc.record({ type: fc.constant("close" as const), by }),
  fc.record({
    type: fc.constant("break" as const),
    keep: fc.oneof(fc.nat(120), fc.nat(5000)),
    isAligned: fc.boolean(),
  }),
  fc.record({ type: fc.constant("pass" as const), ms: fc.nat(20_000), isLate: fc.boolean() }),
);

type Options = Omit<ConnectionOptions, "now" | "socketType">;

/** Up to 60 steps of a second each end nothing here. */
const patient: fc.Arbitrary<Options> = options({
  handshakeInterval: fc.constantFrom(0, 70_000),
  heartbeatTimeout: fc.constantFrom(0, 70_000),
  heartbeatTimeToLive: fc.constantFrom(0, 70_000),
});
const impatient: fc.Arbitrary<Options> = options({
  handshakeInterval: fc.constantFrom(1, 500, 30_000),
  heartbeatTimeout: fc.constantFrom(-1, 0, 300),
  heartbeatTimeToLive: fc.constantFrom(0, 100, 2000),
});

function options(
  times: Record<"handshakeInterval" | "heartbeatTimeout" | "heartbeatTimeToLive", fc.Arbitrary<number>>,
) {
  return fc.record({
    ...times,
    heartbeatInterval: fc.constantFrom(0, 1, 400, 5000),
    heartbeatPeers: fc.constantFrom("all" as const, "able" as const),
    routingId: fc.uint8Array({ maxLength: 9 }),
    metadata: properties().map((all) =>
      Object.fromEntries(all.map(([name, value]) => [`X-${name.slice(0, 99)}`, value])),
    ),
  });
}

interface Setting {
  pair: SocketPair;
  /** Each announces a version of its own: 3.0 among them, to which subscriptions go as messages. */
  ends: [[Options, Version], [Options, Version]];
  /** The handshake is over before the first step. */
  isOpen: boolean;
}

function wire(pair: fc.Arbitrary<SocketPair>, each: fc.Arbitrary<Options>): fc.Arbitrary<Setting> {
  const end = fc.tuple(each, version());
  return fc.record({ pair, ends: fc.tuple(end, end), isOpen: fc.boolean() });
}

function model({ pair: [ours, theirs], ends: [[a, versionA], [b, versionB]], isOpen }: Setting): WireModel {
  const endA = new End({ ...a, socketType: ours }, versionA);
  const wired = new WireModel(endA, new End({ ...b, socketType: theirs }, versionB));
  return isOpen ? wired.settle() : wired;
}

/** Nothing that came out changed afterwards, and nothing came out that was not put in, in its order. */
function checkReceived(from: End, to: End): void {
  const given = from.given.flat();
  expect(to.seen).toEqual(given.slice(0, to.seen.length));
  for (const [view, then] of to.views) expect(latin1(view)).toBe(then);
  // Of the heartbeat there are PONGs with an empty context.
  const pongs = to.pongs.filter((context) => context !== "");
  expect(pongs).toEqual(to.pings.slice(0, pongs.length));
}

/** What each learned of the other in the handshake. */
function checkPeer(from: End, to: End): void {
  const { peer } = to;
  expect(peer?.socketType).toBe(from.options.socketType);
  expect(peer?.version).toEqual(from.announced);
  const sendsIdentity = /^(REQ|DEALER|ROUTER)$/.test(from.options.socketType);
  expect(peer?.routingId).toEqual(sendsIdentity ? from.options.routingId : new Uint8Array(0));
  for (const [name, value] of peer?.properties ?? []) {
    if (name.startsWith("X-")) expect(value).toEqual(from.options.metadata?.[name]);
  }
}

describe("NU-4, NU-6, FR-5, FR-11, SU-4: two connections over a wire that cuts and delays", () => {
  it("the handshake completes, and everything arrives once, whole and in order", () => {
    fc.assert(
      fc.property(
        wire(compatiblePair(), patient),
        fc.array(step, { maxLength: 60, size: "max" }),
        (setting, steps) => {
          const { a, b } = model(setting).run(steps).settle().ends;
          for (const [from, to] of [
            [a, b],
            [b, a],
          ] as const) {
            expect([to.error, to.connection.stage]).toEqual([null, "traffic"]);
            checkReceived(from, to);
            checkPeer(from, to);
            expect(to.seen).toHaveLength(from.given.flat().length);
            expect(to.pongs.filter((context) => context !== "")).toEqual(to.pings);
            expect(to.connection.outputLength).toBe(0);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("a wire that breaks at any byte, ends that close, and deadlines that are missed: what had arrived whole is delivered, and nothing else", () => {
    const steps = fc.array(fc.oneof({ weight: 12, arbitrary: step }, { weight: 1, arbitrary: fault }), {
      maxLength: 60,
      size: "max",
    });
    fc.assert(
      fc.property(wire(compatiblePair(), impatient), steps, (setting, steps) => {
        const { a, b } = model(setting).run(steps).settle().ends;
        expect(a.isOver).toBe(b.isOver);
        for (const [from, to] of [
          [a, b],
          [b, a],
        ] as const) {
          checkReceived(from, to);
          if (to.error !== null) {
            expect(["ERR_ZMTP_HANDSHAKE_TIMEOUT", "ERR_ZMTP_HEARTBEAT_TIMEOUT"]).toContain(to.error);
          } else if (!to.isClosed) {
            const { whole, isCut } = deliveredBy(from);
            expect(to.seen).toEqual(from.given.slice(0, whole).flat());
            if (to.isOver)
              expect(to.endedWith).toBe(
                isCut && from.arrived.length > 0 && isPastGreeting(from) ? "ERR_ZMTP_TRUNCATED" : null,
              );
            else expect(whole).toBe(from.given.length);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("types that may not talk end in the typed error, on both sides, with nothing delivered", () => {
    fc.assert(
      fc.property(wire(incompatiblePair(), patient), fc.array(step, { maxLength: 25 }), (setting, steps) => {
        const { a, b } = model(setting).run(steps).settle().ends;
        for (const end of [a, b]) {
          expect([end.error, end.connection.stage]).toEqual(["ERR_ZMTP_SOCKET_TYPE", "closed"]);
          expect([end.seen, end.pongs, end.peer]).toEqual([[], [], null]);
          expect(end.connection.output()).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  });
});

function isPastGreeting(from: End): boolean {
  return from.arrived.reduce((sum, { length }) => sum + length, 0) > 64;
}
