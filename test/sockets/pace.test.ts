import { describe, expect, it } from "vitest";
import type { Environment } from "../../src/runtime/environment.ts";
import { Pace } from "../../src/runtime/pace.ts";

/** A pace by a clock that stands still, and an event loop that has no turn, unless they are told otherwise. */
function paced() {
  const clock = { now: 0 };
  const waiting: (() => void)[] = [];
  const environment = { now: () => clock.now, nextTurn: (callback: () => void) => waiting.push(callback) };
  const pace = new Pace(environment as unknown as Environment);
  // The first look at the clock begins the run.
  for (let i = 0; i < 128; i += 1) pace.isDue();
  return {
    pace,
    clock,
    /** How many wait for the next turn of the event loop. */
    get waiting(): number {
      return waiting.length;
    },
    nextTurn(): void {
      for (const callback of waiting.splice(0)) callback();
    },
    isDueWithin(calls: number): boolean {
      for (let i = 0; i < calls; i += 1) if (pace.isDue()) return true;
      return false;
    },
  };
}

describe("Calls that complete at once", () => {
  it("leave the event loop a turn every 2 ms, at a multiple of 128 calls", async () => {
    const { pace, clock, isDueWithin, nextTurn } = paced();
    clock.now = 1.9;
    expect(isDueWithin(128)).toBe(false);
    clock.now = 2;
    expect(isDueWithin(127)).toBe(false);
    expect(isDueWithin(1)).toBe(true);
    const turn = pace.turn();
    nextTurn();
    await turn;
    expect(isDueWithin(1000)).toBe(false);
  });

  it("are done at once, each with the same promise, but for the one that is due: that waits for the turn", async () => {
    const loop = paced();
    const { pace, clock, nextTurn } = loop;
    const done = pace.done();
    for (let i = 1; i < 128; i += 1) expect(pace.done()).toBe(done);
    clock.now = 2;
    for (let i = 1; i < 128; i += 1) expect(pace.done()).toBe(done);
    expect(loop.waiting).toBe(0);
    let isOver = false;
    const turn = pace.done().then(() => {
      isOver = true;
    });
    expect(loop.waiting).toBe(1);
    await done;
    expect(isOver).toBe(false);
    nextTurn();
    await turn;
    expect(pace.done()).toBe(done);
  });

  it("count those messages too that went by calls that cannot wait", () => {
    const { pace, clock, isDueWithin } = paced();
    clock.now = 2;
    pace.count(127);
    expect(isDueWithin(1)).toBe(true);
  });

  it("do not count the time for which the caller has waited, but what he has run before and after", () => {
    const { pace, clock, isDueWithin } = paced();
    clock.now = 1;
    pace.rest();
    clock.now = 50;
    pace.wake();
    clock.now = 50.9;
    expect(isDueWithin(128)).toBe(false);
    clock.now = 51;
    expect(isDueWithin(128)).toBe(true);
  });

  it("count what was run between all the waits of a turn, and begin anew with the next", async () => {
    const { pace, clock, isDueWithin, nextTurn } = paced();
    for (const at of [10, 20, 30]) {
      clock.now += 0.6;
      pace.rest();
      clock.now = at;
      pace.wake();
    }
    clock.now += 0.1;
    expect(isDueWithin(128)).toBe(false);
    clock.now += 0.2;
    expect(isDueWithin(128)).toBe(true);
    const turn = pace.turn();
    nextTurn();
    await turn;
    clock.now += 1.5;
    expect(isDueWithin(128)).toBe(false);
    clock.now += 0.6;
    expect(isDueWithin(128)).toBe(true);
  });

  it("waits that overlap, and wakings of a caller who does not wait, change nothing", () => {
    const { pace, clock, isDueWithin } = paced();
    pace.rest();
    pace.rest();
    clock.now = 10;
    pace.wake();
    clock.now = 11;
    pace.wake();
    clock.now = 12;
    expect(isDueWithin(128)).toBe(true);
  });
});
