import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SyncSchedule } from "../../../src/drivers/sync/sync.ts";

/*
 * The contract again, as a record of publishers and events instead of states: every publisher sends all the time, so every
 * moment at which one of them is not in force is a loss, which a sync must cover that comes after it.
 */
const NAMES = ["a", "b", "c"] as const;
const [START, MIN_INTERVAL, GRACE] = [1000, 1000, 30_000];

type Step =
  | { do: "add" | "remove" | "inForce" | "lose"; name: string }
  | { do: "topic"; sync: boolean }
  | { do: "gap" | "daemonize" | "call" | "finish" }
  | { do: "fail" }
  | { do: "pass"; ms: number };

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("add", "remove", "inForce", "inForce", "lose"),
      name,
    }) as fc.Arbitrary<Step>,
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("topic" as const), sync: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("gap" as const, "call" as const, "finish" as const, "daemonize" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.oneof(fc.constantFrom(0, 1, 999, 1000, 1001, 29_999, 30_000), fc.nat(40_000)),
    }),
  },
);

class Model {
  now = 0;
  readonly schedule: SyncSchedule = new SyncSchedule({ random: () => 0 });
  readonly addresses = new Map<
    string,
    { up: boolean; stale: boolean; since: number; patience: number; missed: boolean }
  >();
  daemonized = false;
  startedAt: number | null = null;
  daemonizedAt = Infinity;
  /** When something was last missed that no sync has covered yet, or that is still being missed. */
  uncovered = false;
  lastSync = -Infinity;
  called = 0;
  running = false;
  /** The sync that runs has begun to read: what is missed from now on needs another. */
  reading = false;
  /** A loss that is over or given up: a sync has a reason. */
  reason = false;

  run(step: Step): void {
    const { schedule, now } = this;
    const address = "name" in step ? this.addresses.get(step.name) : undefined;
    switch (step.do) {
      case "add":
        schedule.addressAdded(step.name, now);
        if (!address) {
          const patience = this.started ? START : 0;
          this.addresses.set(step.name, {
            up: false,
            stale: false,
            since: now,
            patience,
            missed: this.started,
          });
        }
        break;
      case "remove":
        schedule.addressRemoved(step.name, now);
        if (address?.missed) this.missed();
        this.addresses.delete(step.name);
        break;
      case "inForce":
        schedule.inForce(step.name, now);
        if (!address) break;
        if (address.missed) this.missed();
        Object.assign(address, { up: true, stale: false, missed: false });
        break;
      case "lose":
        schedule.lost(step.name, now);
        if (address?.up)
          Object.assign(address, { up: false, since: now, patience: GRACE, missed: this.started });
        break;
      case "topic":
        schedule.topicAdded(now, { sync: step.sync });
        for (const one of this.addresses.values()) {
          if (one.up && !one.stale) Object.assign(one, { since: now, patience: GRACE });
          one.stale = true;
          if (this.started && step.sync) one.missed = true;
        }
        break;
      case "gap":
        schedule.gap("decode", now);
        if (this.daemonized && (!this.running || this.reading)) this.missed();
        break;
      case "call":
        schedule.syncCalled(now);
        if (!this.running) break;
        this.reading = true;
        this.lastSync = now;
        break;
      case "daemonize":
        schedule.daemonized(now);
        if (!this.daemonized) this.daemonizedAt = now;
        this.daemonized = true;
        break;
      case "finish":
        schedule.syncDone(now);
        this.running = false;
        break;
      case "fail":
        schedule.syncFailed(now);
        if (this.running) this.missed();
        this.running = false;
        break;
      case "pass":
        this.pass(step.ms);
    }
    this.look();
  }

  get started(): boolean {
    return this.startedAt !== null;
  }

  missed(): void {
    this.reason = true;
    this.uncovered = true;
  }

  isInForce(one: { up: boolean; stale: boolean }): boolean {
    return one.up && !one.stale;
  }

  pass(ms: number): void {
    const end = this.now + ms;
    while (this.schedule.wakeAt <= end) {
      expect(this.schedule.wakeAt).toBeGreaterThanOrEqual(this.now);
      this.now = this.schedule.wakeAt;
      const before = [this.schedule.wakeAt, this.called, this.started];
      this.look();
      if (this.schedule.wakeAt === before[0] && this.called === before[1] && this.started === before[2])
        break;
    }
    this.now = end;
    this.look();
  }

  look(): void {
    const all = [...this.addresses.values()];
    if (this.daemonized && !this.started) {
      if (all.every((one) => this.isInForce(one)) || this.now >= this.daemonizedAt + START) {
        this.startedAt = this.now;
        for (const one of all) {
          one.missed = !this.isInForce(one);
          one.patience = 0;
        }
      }
    }
    // A publisher that is lost for longer than lossGrace: what it sent until now is to be covered.
    for (const one of all) {
      if (!one.up && one.missed && one.patience === GRACE && this.now >= one.since + GRACE) {
        one.patience = 0;
        this.missed();
      }
    }
    const sync = this.schedule.due(this.now);
    expect(this.schedule.started).toBe(this.started);
    expect(this.schedule.settled).toBe(all.every((one) => this.isInForce(one)));
    if (sync === null) return;
    this.called += 1;
    expect(this.started).toBe(true);
    expect(this.running).toBe(false);
    expect(this.reason).toBe(true);
    expect(this.now - this.lastSync).toBeGreaterThanOrEqual(MIN_INTERVAL);
    for (const one of all) expect(this.isInForce(one) || this.now >= one.since + one.patience).toBe(true);
    this.running = true;
    this.reading = false;
    this.reason = false;
    this.uncovered = false;
    this.lastSync = this.now;
  }

  /** Everything comes into force, and time passes. */
  comeToRest(): void {
    this.run({ do: "finish" });
    this.run({ do: "daemonize" });
    for (const name of this.addresses.keys()) this.run({ do: "inForce", name });
    for (let i = 0; i < 3; i++) {
      this.run({ do: "pass", ms: 61_000 });
      this.run({ do: "finish" });
    }
  }
}

describe("N-29, DESIGN 7, the contract of sync, against a model", () => {
  it("no sync without a possible loss, none while somebody is waited for, one per interval, and every loss is covered", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new Model();
        for (const step of steps) model.run(step);
        model.comeToRest();
        expect(model.uncovered).toBe(false);
        const { called } = model;
        model.run({ do: "pass", ms: 10_000_000 });
        expect(model.called).toBe(called);
        expect(model.schedule.wakeAt).toBe(Infinity);
      }),
      { numRuns: 3000 },
    );
  });

  it("the steps reach syncs at all", () => {
    let called = 0;
    for (const steps of fc.sample(fc.array(step, { minLength: 30, maxLength: 60 }), {
      numRuns: 50,
      seed: 1,
    })) {
      const model = new Model();
      for (const step of steps) model.run(step);
      model.comeToRest();
      called += model.called;
    }
    expect(called).toBeGreaterThan(50);
  });
});
