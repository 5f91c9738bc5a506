import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ZmqError } from "../../../src/errors.ts";
import { Feed } from "../../../src/redis-resp/pubsub/feed.ts";
import { JointCall } from "../../../src/redis-resp/pubsub/joint-call.ts";
import type { MessageListener } from "../../../src/redis-resp/pubsub/subscription.ts";
import { memoryInUse } from "../../support/memory.ts";
import { Simulation } from "../../support/simulation.ts";
import { until } from "../../support/wait.ts";
import { ModelServer } from "./model-server.ts";

const NAMES = ["a", "b", "c", "d"];

/** Two servers, `a` and `b` at the first, `c` and `d` at the other, and calls over both. */
class World {
  readonly listeners: readonly MessageListener[] = [() => {}, () => {}];
  readonly feeds: readonly Feed[];
  readonly servers: readonly ModelServer[];
  readonly outcomes: string[] = [];

  constructor(denied: readonly string[]) {
    const { environment } = new Simulation();
    const handler = { onRefused() {}, onGap() {}, onUse() {} };
    this.feeds = [new Feed(environment, handler), new Feed(environment, handler)];
    this.servers = this.feeds.map(({ subscriptions }) => new ModelServer(subscriptions, new Set(denied)));
    for (const server of this.servers) server.connect();
  }

  /** Its outcome is told under its number. */
  subscribe(names: readonly string[], listener = 0): JointCall {
    const number = this.outcomes.push("pending") - 1;
    const joint = new JointCall({
      resolve: () => {
        this.outcomes[number] = "resolved";
      },
      reject: (error) => {
        this.outcomes[number] = (error as ZmqError).code ?? String(error);
      },
    });
    for (const [i, feed] of this.feeds.entries()) {
      const keys = new Set(names.filter((name) => NAMES.indexOf(name) >> 1 === i));
      if (keys.size > 0) joint.subscribe(feed, "channel", keys, this.listeners[listener]!);
    }
    joint.resolve();
    return joint;
  }

  unsubscribe(names: readonly string[], listener: number): void {
    const ignored = { resolve() {}, reject() {} };
    for (const { subscriptions } of this.feeds) {
      subscriptions.unsubscribe("channel", new Set(names), this.listeners[listener]!, ignored);
    }
  }

  settle(): void {
    // Twice: what the one refuses is taken back from the other.
    for (const server of [...this.servers, ...this.servers]) server.settle();
  }

  /** Who listens to a channel, by number. */
  listening(name: string): number[] {
    const { subscriptions } = this.feeds[NAMES.indexOf(name) >> 1]!;
    const listeners = [subscriptions.find("channel", name)?.listeners ?? []].flat();
    return listeners.map((listener) => this.listeners.indexOf(listener)).sort();
  }
}

describe("two calls with the same channel and the same listener, of which one is refused", () => {
  it.each([
    ["the later one, and the other waits no longer", [["a"], ["a", "d"]]],
    ["the earlier one, and the other had nothing to wait for", [["a", "d"], ["a"]]],
  ])("%s: the listener stays", (_, [first, second]) => {
    const world = new World(["d"]);
    world.subscribe(first!);
    world.servers[0]!.settle();
    world.subscribe(second!);
    world.settle();
    expect(world.outcomes.sort()).toEqual(["NOPERM", "resolved"]);
    expect(world.listening("a")).toEqual([0]);
    expect([...world.servers[0]!.has.channel]).toEqual(["a"]);
  });

  it("the later one, before either is answered: the listener stays", () => {
    const world = new World(["d"]);
    world.subscribe(["a"]);
    world.subscribe(["a", "d"]);
    world.settle();
    expect(world.outcomes).toEqual(["resolved", "NOPERM"]);
    expect(world.listening("a")).toEqual([0]);
  });

  it("the other is refused too, for a channel of its own: it is taken back", () => {
    const world = new World(["b", "d"]);
    world.subscribe(["a", "d"]);
    world.subscribe(["a", "b"]);
    world.settle();
    expect(world.outcomes).toEqual(["NOPERM", "NOPERM"]);
    expect([...world.servers[0]!.has.channel]).toEqual([]);
  });

  it("unsubscribed from in between, and added by a third call: that one has it", () => {
    const world = new World(["d"]);
    const first = world.subscribe(["a", "c"]);
    world.servers[0]!.settle();
    world.unsubscribe(["a"], 0);
    world.subscribe(["a"]);
    first.reject("aborted");
    world.settle();
    expect(world.outcomes).toEqual(["aborted", "resolved"]);
    expect(world.listening("a")).toEqual([0]);
  });

  it("a call that has succeeded is not kept", async () => {
    const world = new World([]);
    const call = new WeakRef(world.subscribe(["a", "d"]));
    world.settle();
    expect(world.outcomes).toEqual(["resolved"]);
    await until("it is gone", async () => {
      await memoryInUse(); // collects
      return call.deref() === undefined;
    });
    expect(world.listening("a")).toEqual([0]);
  });
});

describe("any calls", () => {
  type Step =
    | { do: "subscribe" | "unsubscribe"; names: string[]; listener: number }
    | { do: "abort"; call: number }
    | { do: "flush" | "serve" | "hear"; server: number };

  const names = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 });
  const add = fc.record({ do: fc.constant("subscribe"), names, listener: fc.nat(1) });
  const remove = fc.record({ do: fc.constant("unsubscribe"), names, listener: fc.nat(1) });
  const progress = fc.record({ do: fc.constantFrom("flush", "serve", "hear", "hear"), server: fc.nat(1) });
  const step = fc.oneof(
    { weight: 3, arbitrary: add },
    { weight: 1, arbitrary: remove },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("abort"), call: fc.nat(8) }) },
    { weight: 12, arbitrary: progress },
  ) as fc.Arbitrary<Step>;

  it("in the end a listener is where a call that succeeded wants it, and nowhere else", () => {
    fc.assert(
      fc.property(fc.subarray(NAMES), fc.array(step, { maxLength: 60, size: "max" }), (denied, steps) => {
        const world = new World(denied);
        const calls: { joint: JointCall; names: string[]; listener: number }[] = [];
        for (const one of steps) {
          if ("server" in one) world.servers[one.server]![one.do]();
          else if (one.do === "abort") calls[one.call]?.joint.reject("aborted");
          else if (one.do === "subscribe") {
            calls.push({ ...one, joint: world.subscribe(one.names, one.listener) });
          } else {
            world.unsubscribe(one.names, one.listener);
            for (const call of calls) {
              if (call.listener === one.listener)
                call.names = call.names.filter((name) => !one.names.includes(name));
            }
          }
        }
        world.settle();
        expect(world.outcomes).not.toContain("pending");
        for (const name of NAMES) {
          const wanted = calls
            .filter(({ names }, number) => world.outcomes[number] === "resolved" && names.includes(name))
            .map(({ listener }) => listener);
          expect(world.listening(name)).toEqual([...new Set(wanted)].sort());
          expect(world.servers[NAMES.indexOf(name) >> 1]!.has.channel.has(name)).toBe(wanted.length > 0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
