import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { faults, StreamAccount, settle, total } from "../../examples/demo/accounting.ts";

function accountOf(received: readonly number[], synced = 0): StreamAccount {
  const account = new StreamAccount(0, "tenant-1");
  for (const n of received) account.receive(n);
  account.sync(synced);
  return account;
}

const settled = (received: readonly number[], sent: number, synced = 0) =>
  settle(accountOf(received, synced).state(), sent);

describe("The demo's account of a stream", () => {
  it("is even when all was received", () => {
    expect(settled([1, 2, 3], 3)).toEqual({ sent: 3, received: 3, covered: 0, uncovered: 0, duplicates: 0 });
  });

  it("counts what a sync has found in the store as covered, in the middle and at the end", () => {
    expect(settled([1, 4], 6, 6)).toEqual({ sent: 6, received: 2, covered: 4, uncovered: 0, duplicates: 0 });
  });

  it("counts what came into the store after the last sync's read as uncovered", () => {
    expect(settled([1, 6], 8, 3)).toEqual({ sent: 8, received: 2, covered: 2, uncovered: 4, duplicates: 0 });
  });

  it("counts all as uncovered when nothing was received", () => {
    expect(settled([], 2)).toEqual({ sent: 2, received: 0, covered: 0, uncovered: 2, duplicates: 0 });
  });

  it("knows duplicates from late comers", () => {
    expect(settled([1, 5, 3, 3, 5], 5)).toEqual({
      sent: 5,
      received: 3,
      covered: 0,
      uncovered: 2,
      duplicates: 2,
    });
    expect(accountOf([1, 5, 3]).state().gaps).toEqual([
      [2, 2],
      [4, 4],
    ]);
    expect(accountOf([1, 5, 3, 2, 4]).state().gaps).toEqual([]);
  });

  it("is not made worse by an earlier sync", () => {
    const account = accountOf([3], 2);
    account.sync(1);
    expect(settle(account.state(), 3)).toMatchObject({ covered: 2, uncovered: 0 });
  });

  it("agrees with sets of numbers, whatever comes in whatever order", () => {
    const events = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 });
    fc.assert(
      fc.property(events, fc.integer({ min: 0, max: 25 }), (received, synced) => {
        const sent = 20;
        const seen = new Set(received);
        const missing = Array.from({ length: sent }, (_, index) => index + 1).filter((n) => !seen.has(n));
        expect(settled(received, sent, synced)).toEqual({
          sent,
          received: seen.size,
          covered: missing.filter((n) => n <= synced).length,
          uncovered: missing.filter((n) => n > synced).length,
          duplicates: received.length - seen.size,
        });
      }),
    );
  });
});

describe("The demo's verdict", () => {
  const good = {
    ...total([settled([1, 4], 4, 4), settled([1], 1)]),
    ...{ controller: 2, topics: ["tenant-1"], refused: 0, syncs: 1, differences: 0 },
  };

  it("finds no fault in sums that add up, with one sync for one kill", () => {
    expect(good).toMatchObject({ sent: 5, received: 3, covered: 2, uncovered: 0 });
    expect(faults(good, 1)).toEqual([]);
  });

  it.each([
    [{ sent: 6, uncovered: 1 }, "1 events neither received nor covered by a sync"],
    [{ syncs: 2 }, "2 syncs for 1 kills"],
    [{ syncs: 0 }, "0 syncs for 1 kills"],
    [{ differences: 3 }, "its copy differs from the store in 3 rows"],
    [{ received: 4 }, "5 sent, but 4 + 2 + 0 accounted for"],
  ])("finds fault with %o", (change, fault) => {
    expect(faults({ ...good, ...change }, 1)).toEqual([`controller 2: ${fault}`]);
  });
});
