import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { delay, handshakeDelay } from "../../src/transports/backoff.ts";

const ALMOST_ONE = 1 - 2 ** -53;

describe("RC-2, delay before the next attempt", () => {
  it.each([
    // interval, maxInterval, retries: with random 0, 0.5 and almost 1
    [100, 0, 0, 100, 150, 199],
    [100, 0, 9, 100, 150, 199],
    [1, 0, 0, 1, 1, 1],
    [100, 5000, 0, 0, 50, 99],
    [100, 5000, 1, 0, 100, 199],
    [100, 5000, 5, 0, 1600, 3199],
    [100, 5000, 6, 0, 2500, 4999],
    [100, 5000, 1e9, 0, 2500, 4999],
    [200, 40, 0, 0, 20, 39],
    [2147483647, 0, 0, 2147483647, 2147483647, 2147483647],
    [2147483647, 2147483647, 3, 0, 1073741823, 2147483646],
  ])("interval %d, at most %d, after %d retries", (interval, maxInterval, retries, least, middle, most) => {
    const options = { interval, maxInterval };
    expect(delay(options, retries, 0)).toBe(least);
    expect(delay(options, retries, 0.5)).toBe(middle);
    expect(delay(options, retries, ALMOST_ONE)).toBe(most);
  });

  it("after failed handshakes doubles from the interval up to 30 s", () => {
    const least = [0, 1, 2, 6, 7, 8, 100, 1e9].map((failures) => handshakeDelay(100, failures, 0));
    expect(least).toEqual([100, 200, 400, 6400, 12800, 15000, 15000, 15000]);
    expect(handshakeDelay(100, 0, ALMOST_ONE)).toBe(199);
    expect(handshakeDelay(100, 1, ALMOST_ONE)).toBe(399);
    expect(handshakeDelay(100, 100, ALMOST_ONE)).toBe(29999);
    expect(handshakeDelay(60_000, 0, 0)).toBe(60_000);
    expect(handshakeDelay(2147483647, 5, ALMOST_ONE)).toBe(2147483647);
  });

  it("is always a whole number that a timer takes, and never above its maximum", () => {
    const ms = fc.integer({ min: 1, max: 2 ** 31 - 1 });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        ms,
        fc.oneof(fc.constant(0), ms),
        fc.nat(),
        random,
        (interval, maxInterval, retries, at) => {
          const values = [
            delay({ interval, maxInterval }, retries, at),
            handshakeDelay(interval, retries, at),
          ];
          for (const value of values) {
            expect(Number.isInteger(value)).toBe(true);
            expect(value).toBeGreaterThanOrEqual(0);
            expect(value).toBeLessThanOrEqual(2 ** 31 - 1);
          }
          if (maxInterval > 0) expect(values[0]).toBeLessThanOrEqual(maxInterval);
          else expect(values[0]).toBeGreaterThanOrEqual(interval);
          expect(values[1]).toBeGreaterThanOrEqual(Math.min(interval, 2 ** 31 - 1));
        },
      ),
    );
  });
});
