import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChannelKind, KINDS } from "../../../src/redis-resp/pubsub/channel.ts";
import type { MessageListener } from "../../../src/redis-resp/pubsub/subscription.ts";
import { Subscriptions } from "../../../src/redis-resp/pubsub/subscriptions.ts";
import { ModelServer } from "./model-server.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"];

type Step =
  | { do: "subscribe"; kind: ChannelKind; names: string[]; listener: number }
  | { do: "unsubscribe"; kind: ChannelKind; names: string[] | null; listener: number | null }
  | { do: "abort"; call: number }
  | { do: "deny" | "allow" | "publish"; name: string }
  | { do: "expel"; kind: ChannelKind; name: string }
  | { do: "connect" | "disconnect" | "flush" | "serve" | "hear" };

const kind = fc.constantFrom(...KINDS);
const name = fc.constantFrom(...NAMES);
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 4 });
const listener = fc.nat(2);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("subscribe" as const), kind, names, listener }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("unsubscribe" as const),
      kind,
      names: fc.option(names, { freq: 4 }),
      listener: fc.option(listener, { freq: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("abort" as const), call: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("deny" as const, "allow" as const), name }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("publish" as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("expel" as const), kind, name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("connect" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("disconnect" as const) }) },
  {
    weight: 30,
    arbitrary: fc.record({ do: fc.constantFrom("flush", "serve", "hear", "hear") }) as fc.Arbitrary<Step>,
  },
);

interface Watched {
  kind: ChannelKind;
  names: string[];
  listener: number;
  outcome: "pending" | "resolved" | "refused" | "aborted" | "closed";
  readonly confirmed: Set<string>;
  readonly call: ReturnType<Subscriptions["subscribe"]>;
}

/** The subscriptions, a server, and what a user knows of both. */
class World {
  readonly listeners: MessageListener[] = [0, 1, 2].map(() => () => {});
  readonly failed: string[] = [];
  readonly subscriptions = new Subscriptions({
    onRefused: ({ kind, key }) => this.failed.push(`${kind} ${key}`),
    onMoved: () => {},
  });
  readonly server = new ModelServer(this.subscriptions);
  readonly calls: Watched[] = [];
  /** What `unsubscribe` left to wait for. */
  unsubscribing = 0;
  /** Messages that were published while the subscription stood and that have not come. */
  readonly due = new Map<string, Set<number>>();
  #published = 0;

  run(step: Step): void {
    this.#do(step);
    this.#lookAtAll();
  }

  #do(step: Step): void {
    switch (step.do) {
      case "subscribe":
        this.#subscribe(step.kind, step.names, step.listener);
        break;
      case "unsubscribe":
        this.#unsubscribe(step.kind, step.names, step.listener);
        break;
      case "abort": {
        const watched = this.calls[step.call];
        if (watched?.outcome !== "pending") return;
        this.subscriptions.fail(watched.call, "aborted");
        this.#forgetUnwanted();
        break;
      }
      case "deny":
        this.server.denied.add(step.name);
        return;
      case "allow":
        this.server.denied.delete(step.name);
        return;
      case "publish":
        this.#publish(step.name);
        break;
      case "expel":
        this.server.expel(step.kind, step.name);
        break;
      default:
        this.server[step.do]();
        this.#takeGaps();
    }
  }

  settle(): void {
    this.server.settle(() => this.#lookAtAll());
    this.#takeGaps();
  }

  #subscribe(kind: ChannelKind, names: string[], number: number): void {
    const settle = {
      resolve: () => this.#settled(watched, "resolved"),
      reject: (error: unknown) => {
        const code = (error as { code?: string }).code;
        this.#settled(watched, error === "aborted" ? "aborted" : code === "NOPERM" ? "refused" : "closed");
      },
    };
    const watched = {
      kind,
      names,
      listener: number,
      outcome: "pending",
      confirmed: new Set(),
    } as unknown as Watched;
    const call = this.subscriptions.subscribe(
      kind,
      new Set(names),
      this.listeners[number] as MessageListener,
      settle,
    );
    this.calls.push(Object.assign(watched, { call }));
  }

  #settled(watched: Watched, outcome: Watched["outcome"]): void {
    expect(watched.outcome).toBe("pending");
    watched.outcome = outcome;
    if (outcome !== "resolved") return;
    this.#look(watched);
    for (const name of watched.names)
      if (this.#listens(watched.kind, name, watched.listener)) expect(watched.confirmed).toContain(name);
  }

  #lookAtAll(): void {
    for (const watched of this.calls) if (watched.outcome === "pending") this.#look(watched);
  }

  /** Which of its channels have been confirmed, if only for a time, since the call. */
  #look(watched: Watched): void {
    for (const name of watched.names)
      if (this.subscriptions.state(watched.kind, name) === "confirmed") watched.confirmed.add(name);
  }

  #listens(kind: ChannelKind, name: string, number: number): boolean {
    const listeners = this.subscriptions.find(kind, name)?.listeners;
    return [listeners ?? []].flat().includes(this.listeners[number] as MessageListener);
  }

  #unsubscribe(kind: ChannelKind, names: string[] | null, number: number | null): void {
    this.unsubscribing += 1;
    let settled = false;
    const resolve = (): void => {
      expect(settled).toBe(false);
      settled = true;
      this.unsubscribing -= 1;
    };
    const reject = (): never => {
      throw new Error("an unsubscribe was rejected");
    };
    const listener = number === null ? null : (this.listeners[number] as MessageListener);
    this.subscriptions.unsubscribe(kind, names === null ? null : new Set(names), listener, {
      resolve,
      reject,
    });
    for (const name of names ?? NAMES) {
      if (number === null) expect(this.subscriptions.state(kind, name)).toBeNull();
      else expect(this.#listens(kind, name, number)).toBe(false);
    }
    this.#forgetUnwanted();
  }

  /** A message to a name: by each kind on its own, as if each were a message of its own. */
  #publish(name: string): void {
    this.#published += 1;
    const number = this.#published;
    for (const kind of KINDS) {
      const id = `${kind} ${name}`;
      if (this.subscriptions.state(kind, name) === "confirmed") {
        if (!this.due.has(id)) this.due.set(id, new Set());
        this.due.get(id)?.add(number);
      }
      if (this.server.has[kind].has(name)) this.server.publish(() => this.due.get(id)?.delete(number));
    }
  }

  #takeGaps(): void {
    for (const gap of this.subscriptions.takeGaps()) {
      expect(gap.subscriptions.length).toBeGreaterThan(0);
      for (const { kind, key } of gap.subscriptions) {
        expect(this.subscriptions.state(kind, key)).not.toBeNull();
        // What was published before the subscription stood again is covered; what comes now is on its way.
        if (this.subscriptions.state(kind, key) === "confirmed") this.due.delete(`${kind} ${key}`);
      }
    }
    this.#forgetUnwanted();
  }

  /** What is not wanted any more is neither due nor waited for. */
  #forgetUnwanted(): void {
    for (const watched of this.calls)
      watched.names = watched.names.filter((name) => this.subscriptions.state(watched.kind, name) !== null);
    for (const id of this.due.keys()) {
      const [kind, name] = id.split(" ") as [ChannelKind, string];
      if (this.subscriptions.state(kind, name) === null) this.due.delete(id);
    }
  }
}

function namesIn(world: World, kind: ChannelKind, state: string): string[] {
  return NAMES.filter((name) => world.subscriptions.state(kind, name) === state);
}

describe("Subscriptions, against a model of a server", () => {
  it("in the end the server has what is wanted and allowed, each call is settled, each loss is covered by a gap", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: "max" }), fc.boolean(), (steps, allowAll) => {
        const world = new World();
        for (const step of steps) world.run(step);
        if (allowAll) {
          // What was refused is asked again on the next connection only.
          world.server.denied.clear();
          world.server.disconnect();
        }
        world.server.connect();
        world.settle();
        for (const kind of KINDS) {
          expect(namesIn(world, kind, "pending")).toEqual([]);
          expect([...world.server.has[kind]].sort()).toEqual(namesIn(world, kind, "confirmed"));
          if (allowAll) expect(namesIn(world, kind, "failed")).toEqual([]);
        }
        expect(world.unsubscribing).toBe(0);
        expect(world.calls.filter(({ outcome }) => outcome === "pending")).toEqual([]);
        for (const [id, numbers] of world.due) {
          const [kind, name] = id.split(" ") as [ChannelKind, string];
          if (world.subscriptions.state(kind, name) === "confirmed")
            expect([id, [...numbers]]).toEqual([id, []]);
        }
      }),
      { numRuns: 500 },
    );
  });
});
