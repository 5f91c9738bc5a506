import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MessageListener, RedisSubscriber } from "../../../src/redis-resp/index.ts";
import { RedisWorld } from "./fake-redis.ts";

const CHANNELS = ["a", "b", "c"] as const;
type Channel = (typeof CHANNELS)[number];

/** What the user wants of a channel, and what came of it. */
interface Wanted {
  readonly listener: MessageListener;
  /** The last number that was published before it was confirmed; null: it is not. */
  since: number | null;
  /** Published since then. */
  due: string[];
  /** These, behind what was still on its way, if the server had the channel already. */
  heard: string[];
  gaps: number;
}

type Act =
  | { do: "subscribe"; channel: Channel; abort: "never" | "at once" | "later" }
  | { do: "unsubscribe"; channel: Channel; listener: boolean }
  | { do: "publish"; channel: Channel }
  | { do: "allow" | "deny"; channel: Channel }
  | { do: "kill" | "stop" | "start" };

/** An act, where it is done (between turns, or inside whatever the subscriber calls next), and how long to wait then. */
interface Step {
  readonly act: Act;
  readonly inside: boolean;
  readonly wait: "not" | "a job" | "settled" | number;
}

const channel = fc.constantFrom(...CHANNELS);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("publish"), channel }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("subscribe"),
      channel,
      abort: fc.constantFrom("never", "never", "never", "at once", "later"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("unsubscribe"), channel, listener: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("kill") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("stop", "start") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("allow", "deny"), channel }) },
) as fc.Arbitrary<Act>;
const step: fc.Arbitrary<Step> = fc.record({
  act,
  inside: fc.boolean(),
  wait: fc.oneof(fc.constantFrom("not", "a job", "settled"), fc.nat(50)),
}) as fc.Arbitrary<Step>;

/** A user, a subscriber and a server; and what the user may expect. */
class Play {
  readonly world: RedisWorld;
  readonly subscriber: RedisSubscriber;
  readonly wanted = new Map<Channel, Wanted>();
  openCalls = 0;
  losses = 0;
  #published = 0;
  #isUp = true;
  /** To be done by the next listener that is called. */
  #inside: Act[] = [];

  constructor(knowsHello: boolean) {
    this.world = new RedisWorld(1);
    this.world.server.rules.knowsHello = knowsHello;
    this.subscriber = this.world.subscriber();
    const { events } = this.subscriber;
    events.on("gap", ({ channels }) => {
      for (const name of channels) {
        const wanted = this.wanted.get(String(name) as Channel);
        if (wanted === undefined) throw new Error(`a gap of ${name}, which nobody wants`);
        wanted.gaps += 1;
      }
      this.#actInside();
    });
    events.on("disconnect", () => {
      this.losses += 1;
      this.#actInside();
    });
    events.on("connect", () => this.#actInside());
    events.on("error", () => this.#actInside());
  }

  async run({ act, inside, wait }: Step): Promise<void> {
    if (inside) this.#inside.push(act);
    else this.#act(act);
    if (wait === "a job") await Promise.resolve();
    else if (wait === "settled") await this.world.settle();
    else if (wait !== "not") await this.world.advance(wait);
  }

  /** Everything is allowed, the server is up, and time passes. */
  async calm(): Promise<void> {
    this.#inside = [];
    this.world.server.rules.denied.clear();
    this.#act({ do: "start" });
    await this.world.advance(5000);
  }

  check(): void {
    expect(this.openCalls).toBe(0);
    const live = this.world.server.connections.filter((connection) => !connection.isOver);
    for (const name of CHANNELS) {
      const wanted = this.wanted.get(name);
      const state = this.subscriber.state(name);
      if (wanted === undefined) expect([name, state]).toEqual([name, null]);
      else this.#checkWanted(name, wanted, state);
      // What was refused is asked for again on the next connection only.
      if (state !== "failed") {
        expect([name, live.some((one) => one.has[""]?.has(name))]).toEqual([name, wanted !== undefined]);
      }
    }
    this.losses = 0;
  }

  #checkWanted(name: Channel, wanted: Wanted, state: string | null): void {
    expect(["confirmed", "failed"]).toContain(state);
    expect(new Set(wanted.heard).size).toBe(wanted.heard.length);
    if (wanted.gaps > 0) expect(this.losses).toBeGreaterThan(0);
    else if (state === "confirmed") {
      const later = wanted.heard.filter((payload) => Number(payload) > wanted.since!);
      expect([name, later]).toEqual([name, wanted.due]);
    }
    if (state === "confirmed") Object.assign(wanted, { due: [], heard: [], gaps: 0 });
  }

  #actInside(): void {
    const next = this.#inside.shift();
    if (next !== undefined) this.#act(next);
  }

  #act(act: Act): void {
    const { server } = this.world;
    switch (act.do) {
      case "subscribe":
        this.#subscribe(act.channel, act.abort);
        break;
      case "unsubscribe":
        this.#unsubscribe(act.channel, act.listener);
        break;
      case "publish":
        this.#publish(act.channel);
        break;
      case "kill":
        server.killAll();
        break;
      case "stop":
        this.#isUp = false;
        this.world.stopServer();
        break;
      case "start":
        if (!this.#isUp) this.world.startServer();
        this.#isUp = true;
        break;
      case "allow":
        server.rules.denied.delete(act.channel);
        break;
      case "deny":
        if (!this.wanted.has(act.channel)) server.rules.denied.add(act.channel);
        break;
    }
  }

  #subscribe(name: Channel, abort: "never" | "at once" | "later"): void {
    if (this.wanted.has(name)) return;
    const wanted: Wanted = {
      listener: (payload) => {
        wanted.heard.push(String(payload));
        this.#actInside();
      },
      since: null,
      due: [],
      heard: [],
      gaps: 0,
    };
    this.wanted.set(name, wanted);
    this.openCalls += 1;
    const stop = new AbortController();
    const ended = (isConfirmed: boolean): void => {
      this.openCalls -= 1;
      if (isConfirmed) wanted.since = this.#published;
      else if (this.wanted.get(name) === wanted) this.wanted.delete(name);
    };
    this.subscriber.subscribe(name, wanted.listener, { signal: stop.signal }).then(
      () => ended(true),
      () => ended(false),
    );
    if (abort === "at once") stop.abort();
    else if (abort === "later") this.world.network.later(() => stop.abort());
  }

  #unsubscribe(name: Channel, byListener: boolean): void {
    const wanted = this.wanted.get(name);
    if (wanted === undefined) return;
    this.wanted.delete(name);
    this.openCalls += 1;
    this.subscriber.unsubscribe(name, byListener ? wanted.listener : undefined).then(() => {
      this.openCalls -= 1;
    });
  }

  #publish(name: Channel): void {
    this.#published += 1;
    const payload = String(this.#published);
    const wanted = this.wanted.get(name);
    if (wanted !== undefined && wanted.since !== null) wanted.due.push(payload);
    this.world.server.publish(name, payload);
  }
}

describe("N-26: RedisSubscriber, whatever is done and whatever happens to the server", () => {
  it("each message comes or is covered by a gap, each call settles, and nothing is left behind", async () => {
    const scene = fc.array(step, { maxLength: 60, size: "max" });
    await fc.assert(
      fc.asyncProperty(
        fc.array(scene, { maxLength: 3, size: "max" }),
        fc.boolean(),
        async (scenes, knowsHello) => {
          const play = new Play(knowsHello);
          for (const steps of scenes) {
            for (const one of steps) await play.run(one);
            await play.calm();
            play.check();
          }
          await play.subscriber.close();
          await play.world.settle();
          expect(play.world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
        },
      ),
      { numRuns: 200 },
    );
  }, 60_000);
});
