import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Redial, type RedialOptions } from "../../src/transports/redial.ts";
import type { Dial, Stream } from "../../src/transports/transport.ts";

/** Redial knows nothing of a stream but that it is there. */
const stream = {} as Stream;
const refused = new Error("refused");

/** A clock that the test moves, and a dial that the test answers. */
class World {
  time = 1000;
  randomValue = 0.5;
  timers: { at: number; callback: () => void }[] = [];
  mostTimers = 0;
  pending: ((error: Error | null, stream: Stream | null) => void) | null = null;
  dials = 0;
  cancelled = 0;
  streams = 0;
  readonly failed: (number | null)[] = [];
  readonly redial: Redial;

  constructor(options: RedialOptions) {
    const clock = {
      now: () => this.time,
      random: () => this.randomValue,
      setTimer: (ms: number, callback: () => void) => this.#setTimer(ms, callback),
    };
    this.redial = new Redial((done) => this.#dial(done), clock, options, {
      onStream: () => {
        this.streams++;
      },
      onFailed: (_error, retryIn) => this.failed.push(retryIn),
    });
  }

  answer(error: Error | null): void {
    const done = this.pending;
    this.pending = null;
    done?.(error, error === null ? stream : null);
  }

  /** Lets time pass, and what is due happen. */
  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.time = next.at;
      this.timers.splice(this.timers.indexOf(next), 1);
      next.callback();
    }
    this.time = end;
  }

  /** Waits for the next attempt and says how long that took. */
  untilDialled(): number {
    const since = this.time;
    const due = this.timers[0]?.at ?? Number.NaN;
    this.pass(due - since);
    return this.time - since;
  }

  #dial(done: (error: Error | null, stream: Stream | null) => void): Dial {
    expect(this.pending).toBeNull();
    this.dials++;
    this.pending = done;
    return {
      cancel: () => {
        this.cancelled++;
        this.pending = null;
      },
    };
  }

  #setTimer(ms: number, callback: () => void): { cancel(): void } {
    const timer = { at: this.time + ms, callback };
    this.timers.push(timer);
    this.mostTimers = Math.max(this.mostTimers, this.timers.length);
    return {
      cancel: () => {
        this.timers = this.timers.filter((other) => other !== timer);
      },
    };
  }
}

function started(options: Partial<RedialOptions> = {}): World {
  const world = new World({ interval: 100, maxInterval: 0, ...options });
  world.redial.start();
  return world;
}

/** The answer to each of several dials in a row, and the delay that followed. */
function delaysOf(world: World, round: (world: World) => number | null | undefined, rounds: number) {
  return Array.from({ length: rounds }, () => {
    const told = round(world);
    expect(world.untilDialled()).toBe(told);
    return told;
  });
}

const refuse = (world: World): number | null | undefined => {
  world.answer(refused);
  return world.failed.at(-1);
};
const failHandshake = (world: World): number | null => {
  world.answer(null);
  return world.redial.lost();
};
const loseAfter = (ms: number) => (world: World) => {
  world.answer(null);
  world.redial.succeeded();
  world.pass(ms);
  return world.redial.lost();
};

describe("RC-2, reconnect", () => {
  it("makes the first attempt at once, and one only", () => {
    const world = new World({ interval: 100, maxInterval: 0 });
    expect(world.dials).toBe(0);
    world.redial.start();
    world.redial.start();
    expect(world.dials).toBe(1);
    world.answer(null);
    world.redial.start();
    expect([world.dials, world.streams]).toEqual([1, 1]);
  });

  it("without a maximum neither refused dials nor short connections make the delay grow", () => {
    expect(delaysOf(started(), refuse, 4)).toEqual([150, 150, 150, 150]);
    expect(delaysOf(started(), loseAfter(10), 4)).toEqual([150, 150, 150, 150]);
  });

  it("with a maximum both do, with full jitter", () => {
    const grown = [50, 100, 200, 200, 200];
    expect(delaysOf(started({ maxInterval: 400 }), refuse, 5)).toEqual(grown);
    expect(delaysOf(started({ maxInterval: 400 }), loseAfter(4999), 5)).toEqual(grown);
  });

  it("a stream that ended before the handshake always makes it grow, up to 30 s", () => {
    const grown = [150, 300, 600, 1200, 2400, 4800, 9600, 19200, 22500, 22500];
    expect(delaysOf(started(), failHandshake, 10)).toEqual(grown);
    expect(delaysOf(started({ maxInterval: 400 }), failHandshake, 10)).toEqual(grown);
  });

  it("refused dials leave the growth of failed handshakes alone", () => {
    const world = started();
    expect(delaysOf(world, refuse, 5)).toEqual([150, 150, 150, 150, 150]);
    expect(delaysOf(world, failHandshake, 2)).toEqual([150, 300]);
    expect(delaysOf(world, refuse, 1)).toEqual([150]);
    expect(delaysOf(world, failHandshake, 1)).toEqual([600]);
  });

  it("neither a TCP connect nor a short connection resets the growth, 5 s up do", () => {
    const world = started({ maxInterval: 1000 });
    expect(delaysOf(world, failHandshake, 3)).toEqual([150, 300, 600]);
    expect(delaysOf(world, loseAfter(4999), 1)).toEqual([400]);
    expect(delaysOf(world, failHandshake, 1)).toEqual([1200]);
    expect(delaysOf(world, loseAfter(5000), 1)).toEqual([50]);
    expect(delaysOf(world, failHandshake, 1)).toEqual([150]);
  });

  it("counts the 5 s from the handshake, not from the connect", () => {
    const world = started({ maxInterval: 1000 });
    delaysOf(world, refuse, 3);
    world.answer(null);
    world.pass(4000);
    world.redial.succeeded();
    world.pass(4000);
    world.redial.succeeded();
    expect(world.redial.lost()).toBe(400);
    world.untilDialled();
    world.answer(null);
    world.redial.succeeded();
    world.pass(5000);
    world.redial.succeeded();
    expect(world.redial.lost()).toBe(50);
  });
});

describe("a stream that ends before it succeeded, for no reason of the peer's", () => {
  it("counts as a dial that found nobody", () => {
    const failed = (world: World): number | null => {
      world.answer(null);
      return world.redial.failed();
    };
    const expected = delaysOf(started({ maxInterval: 400 }), refuse, 5);
    expect(delaysOf(started({ maxInterval: 400 }), failed, 5)).toEqual(expected);
  });

  it("is nothing when there was no stream", () => {
    const world = started({ maxInterval: 400 });
    expect(world.redial.failed()).toBeNull();
  });
});

describe("firstRetry", () => {
  const options = { maxInterval: 5000, firstRetry: 50 };

  it("replaces the first delay after a loss, once", () => {
    const world = started(options);
    expect(delaysOf(world, loseAfter(10), 1)).toEqual([25]);
    expect(delaysOf(world, refuse, 3)).toEqual([50, 100, 200]);
    expect(delaysOf(world, loseAfter(5000), 1)).toEqual([25]);
    expect(delaysOf(world, loseAfter(10), 2)).toEqual([50, 100]);
  });

  it("is not for a loss with a failure before it", () => {
    const world = started(options);
    expect(delaysOf(world, refuse, 1)).toEqual([50]);
    expect(delaysOf(world, loseAfter(10), 1)).toEqual([100]);
    expect(delaysOf(world, failHandshake, 1)).toEqual([150]);
    expect(delaysOf(world, loseAfter(10), 1)).toEqual([400]);
    const other = started(options);
    expect(delaysOf(other, failHandshake, 1)).toEqual([150]);
    expect(delaysOf(other, loseAfter(10), 1)).toEqual([100]);
  });

  it("is for connections that were up: not for refused dials and failed handshakes", () => {
    expect(delaysOf(started(options), refuse, 1)).toEqual([50]);
    expect(delaysOf(started(options), failHandshake, 1)).toEqual([150]);
  });

  it("of 0 is at once", () => {
    expect(delaysOf(started({ ...options, firstRetry: 0 }), loseAfter(10), 1)).toEqual([0]);
  });
});

describe("RC-3, an interval of -1 or 0", () => {
  it.each([-1, 0])("%d: no second attempt", (interval) => {
    const refusedWorld = started({ interval });
    expect(refuse(refusedWorld)).toBeNull();
    expect(refusedWorld.timers).toEqual([]);
    const lostWorld = started({ interval, firstRetry: 50 });
    expect(loseAfter(10)(lostWorld)).toBeNull();
    expect(lostWorld.timers).toEqual([]);
  });
});

describe("stop", () => {
  it("while dialling cancels the dial", () => {
    const world = started();
    world.redial.stop();
    expect(world.cancelled).toBe(1);
    expect(world.failed).toEqual([]);
  });

  it("while waiting cancels the timer", () => {
    const world = started();
    refuse(world);
    world.redial.stop();
    expect(world.timers).toEqual([]);
    world.pass(1000);
    expect(world.dials).toBe(1);
  });

  it("while connected means that a loss is not followed by anything", () => {
    const world = started();
    world.answer(null);
    world.redial.stop();
    expect(world.redial.lost()).toBeNull();
    expect(world.timers).toEqual([]);
    world.redial.start();
    expect(world.dials).toBe(1);
  });
});

describe("properties", () => {
  it("whatever happens in whatever order: one timer at most, one dial at most, nothing after stop", () => {
    const step = fc.oneof(
      fc.constantFrom("refuse", "connect", "succeeded", "lost", "start"),
      fc.integer({ min: 0, max: 40_000 }),
      fc.constant("stop"),
    );
    const options = fc.record({
      interval: fc.integer({ min: -1, max: 1000 }),
      maxInterval: fc.constantFrom(0, 50, 5000),
    });
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 60 }), (chosen, steps) => {
        const world = new World(chosen);
        for (const name of steps) {
          if (typeof name === "number") world.pass(name);
          else if (name === "refuse") world.answer(refused);
          else if (name === "connect") world.answer(null);
          else world.redial[name as "succeeded" | "lost" | "start" | "stop"]();
          // At any moment there is at most one of: a dial, a timer.
          expect(world.timers.length + (world.pending === null ? 0 : 1)).toBeLessThanOrEqual(1);
        }
        world.redial.stop();
        const before = [world.dials, world.streams, world.failed.length];
        world.pass(100_000);
        world.redial.lost();
        expect([world.dials, world.streams, world.failed.length]).toEqual(before);
        expect(world.mostTimers).toBeLessThanOrEqual(1);
        expect([world.timers.length, world.pending]).toEqual([0, null]);
      }),
    );
  });
});
