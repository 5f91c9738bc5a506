import { describe, expect, it } from "vitest";
import type { Environment } from "../../src/sockets/context/environment.ts";
import { Pace } from "../../src/sockets/patterns/pace.ts";

/** A pace by a clock that stands still unless it is told otherwise. */
function paced(): { pace: Pace; clock: { now: number }; isDueWithin(calls: number): boolean } {
  const clock = { now: 0 };
  const environment = { now: () => clock.now, nextTurn: (callback: () => void) => callback() };
  const pace = new Pace(environment as unknown as Environment);
  // The first look at the clock begins the run.
  for (let i = 0; i < 128; i += 1) pace.isDue();
  return {
    pace,
    clock,
    isDueWithin(calls) {
      for (let i = 0; i < calls; i += 1) if (pace.isDue()) return true;
      return false;
    },
  };
}

describe("Calls that complete at once", () => {
  it("leave the event loop a turn every 2 ms, at a multiple of 128 calls", async () => {
    const { pace, clock, isDueWithin } = paced();
    clock.now = 1.9;
    expect(isDueWithin(128)).toBe(false);
    clock.now = 2;
    expect(isDueWithin(127)).toBe(false);
    expect(isDueWithin(1)).toBe(true);
    await pace.turn();
    expect(isDueWithin(1000)).toBe(false);
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
