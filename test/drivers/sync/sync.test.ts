import { describe, expect, it } from "vitest";
import { type SyncOptions, SyncSchedule } from "../../../src/drivers/sync/sync.ts";

/** A driver with a clock of its own, which takes and finishes each sync as it comes due. */
class Driver {
  now = 1000;
  readonly schedule: SyncSchedule;
  /** When and why `sync` was called. */
  readonly syncs: [at: number, ...reasons: string[]][] = [];
  /** What the next callbacks do. */
  fail = false;

  constructor(options: SyncOptions = {}) {
    this.schedule = new SyncSchedule({ random: () => 0, ...options });
  }

  /** Lets time pass as a timer at wakeAt does. */
  pass(ms: number): this {
    const end = this.now + ms;
    this.#take();
    for (let wakeAt = this.schedule.wakeAt; wakeAt <= end; wakeAt = this.schedule.wakeAt) {
      expect(wakeAt).toBeGreaterThanOrEqual(this.now);
      const before = [wakeAt, this.schedule.started, this.syncs.length];
      this.now = wakeAt;
      this.#take();
      // A wake-up that changes nothing would come again at once.
      expect([this.schedule.wakeAt, this.schedule.started, this.syncs.length]).not.toEqual(before);
    }
    this.now = end;
    this.#take();
    return this;
  }

  #take(): void {
    const sync = this.schedule.due(this.now);
    if (sync === null) return;
    this.syncs.push([this.now, ...sync.reasons]);
    this.schedule.syncCalled(this.now);
    if (this.fail) this.schedule.syncFailed(this.now);
    else this.schedule.syncDone(this.now);
  }

  add(...names: string[]): this {
    for (const name of names) this.schedule.addressAdded(name, this.now);
    return this.pass(0);
  }
  remove(name: string): this {
    this.schedule.addressRemoved(name, this.now);
    return this.pass(0);
  }
  inForce(...names: string[]): this {
    for (const name of names) this.schedule.inForce(name, this.now);
    return this.pass(0);
  }
  lose(...names: string[]): this {
    for (const name of names) this.schedule.lost(name, this.now);
    return this.pass(0);
  }
  gap(reason: "decode" | "callback" | "dropped" = "decode"): this {
    this.schedule.gap(reason, this.now);
    return this.pass(0);
  }
  topic(options?: { sync: boolean }): this {
    this.schedule.topicAdded(this.now, options);
    return this.pass(0);
  }
  daemonize(): this {
    this.schedule.daemonized(this.now);
    return this.pass(0);
  }
}

/** Addresses a and b in force, daemonize() resolved, at 1000. */
const running = (options?: SyncOptions) => new Driver(options).add("a", "b").daemonize().inForce("a", "b");

describe("DESIGN 7, the contract of sync: daemonize()", () => {
  it("resolves when all addresses are in force, without a sync", () => {
    const driver = new Driver().add("a", "b").topic().daemonize();
    expect(driver.schedule.started).toBe(false);
    driver.inForce("a").pass(500);
    expect(driver.schedule.started).toBe(false);
    driver.inForce("b");
    expect(driver.schedule.started).toBe(true);
    expect(driver.schedule.settled).toBe(true);
    expect(driver.pass(3_600_000).syncs).toEqual([]);
    expect(driver.schedule.wakeAt).toBe(Infinity);
  });

  it("resolves at once with no address, or with all in force already", () => {
    expect(new Driver().daemonize().schedule.started).toBe(true);
    expect(new Driver().add("a").inForce("a").daemonize().schedule.started).toBe(true);
  });

  it("resolves after startTimeout without the missing; each of them gives one sync when it comes", () => {
    const driver = new Driver().add("a", "b").daemonize().inForce("a").pass(999);
    expect(driver.schedule.started).toBe(false);
    driver.pass(1);
    expect(driver.schedule.started).toBe(true);
    expect(driver.syncs).toEqual([]);
    driver.pass(60_000).inForce("b").pass(60_000);
    expect(driver.syncs).toEqual([[62_000, "address"]]);
  });

  it("resolves when the address that was missing is unregistered", () => {
    const driver = new Driver().add("a", "b").daemonize().inForce("a").remove("b");
    expect(driver.schedule.started).toBe(true);
    expect(driver.pass(5000).syncs).toEqual([]);
  });

  it("before it, nothing is a gap", () => {
    const driver = new Driver()
      .add("a")
      .inForce("a")
      .gap()
      .lose("a")
      .topic()
      .pass(5000)
      .remove("a")
      .daemonize();
    expect(driver.pass(60_000).syncs).toEqual([]);
  });

  it("a connection lost and back before it resolves is no gap; lost and not back is an address that is missing", () => {
    const driver = new Driver()
      .add("a", "b")
      .daemonize()
      .inForce("a")
      .lose("a")
      .inForce("a")
      .pass(10)
      .inForce("b");
    expect(driver.pass(60_000).syncs).toEqual([]);
    const other = new Driver().add("a", "b").daemonize().inForce("a").lose("a").pass(2000).inForce("a");
    expect(other.syncs).toEqual([[3000, "address"]]);
  });

  it("a failed event while it runs is answered when it has resolved", () => {
    const driver = new Driver().add("a").daemonize().gap("callback").pass(300);
    expect(driver.syncs).toEqual([]);
    expect(driver.inForce("a").syncs).toEqual([[1300, "callback"]]);
  });

  it("an address that was missing holds up nobody", () => {
    const driver = new Driver().add("a", "b").daemonize().inForce("a").pass(1000).gap();
    expect(driver.syncs).toEqual([[2000, "decode"]]);
  });
});

describe("DESIGN 7, the contract of sync: a connection is lost", () => {
  it("one sync, when it is in force again and not before", () => {
    const driver = running().pass(10_000).lose("a").pass(20_000);
    expect(driver.syncs).toEqual([]);
    expect(driver.schedule.settled).toBe(false);
    expect(driver.inForce("a").pass(100_000).syncs).toEqual([[31_000, "lost"]]);
  });

  it("several addresses lost and back are one sync, when all are in force", () => {
    const driver = running().lose("a").lose("b").pass(100).inForce("a").pass(100);
    expect(driver.syncs).toEqual([]);
    expect(driver.inForce("b").pass(100_000).syncs).toEqual([[1200, "lost"]]);
  });

  it("attempts that fail before they are in force change nothing", () => {
    const driver = running().lose("a").pass(100).lose("a").lose("a").pass(100).inForce("a");
    expect(driver.pass(100_000).syncs).toEqual([[1200, "lost"]]);
  });

  it("not back within lossGrace: a sync then, nobody is held up any longer, and another sync on its return", () => {
    const driver = running().lose("a").pass(29_999);
    expect(driver.syncs).toEqual([]);
    driver.pass(1);
    expect(driver.syncs).toEqual([[31_000, "lost"]]);
    driver.pass(10_000).gap();
    expect(driver.syncs).toEqual([
      [31_000, "lost"],
      [41_000, "decode"],
    ]);
    driver.pass(100_000).inForce("a").pass(100_000);
    expect(driver.syncs).toEqual([
      [31_000, "lost"],
      [41_000, "decode"],
      [141_000, "lost"],
    ]);
  });

  it("unregistering an address with a gap outstanding gives the sync at once", () => {
    const driver = running().lose("a").pass(500).remove("a");
    expect(driver.pass(100_000).syncs).toEqual([[1500, "unregistered"]]);
    const late = running().add("c").pass(500).remove("c");
    expect(late.pass(100_000).syncs).toEqual([[1500, "unregistered"]]);
  });

  it("unregistering one with a gap does not call a sync while another is lost", () => {
    const driver = running().lose("a", "b").remove("a").pass(500);
    expect(driver.syncs).toEqual([]);
    expect(driver.inForce("b").syncs).toEqual([[1500, "unregistered", "lost"]]);
  });

  it("unregistering an address in force, and telling of unknown ones, gives none", () => {
    const driver = running().remove("a").remove("a").lose("a").inForce("a").lose("nobody");
    expect(driver.pass(100_000).syncs).toEqual([]);
  });
});

describe("DESIGN 7, the contract of sync: late addresses and topics", () => {
  it("an address registered while running gives one sync when in force", () => {
    const driver = running().add("c").pass(400).inForce("c").pass(10_000);
    expect(driver.syncs).toEqual([[1400, "address"]]);
  });

  it("registered again while registered: nothing", () => {
    expect(running().add("a", "b").pass(10_000).syncs).toEqual([]);
  });

  it("a new address is waited for startTimeout long, so that one sync covers it and a gap before", () => {
    expect(running().add("c").gap().pass(400).inForce("c").pass(60_000).syncs).toEqual([
      [1400, "decode", "address"],
    ]);
    expect(running().add("c").gap().pass(60_000).syncs).toEqual([[2000, "decode"]]);
  });

  it("a topic gives one sync once it is in force everywhere", () => {
    const driver = running().topic().pass(50).inForce("a").pass(50);
    expect(driver.syncs).toEqual([]);
    expect(driver.schedule.settled).toBe(false);
    expect(driver.inForce("b").pass(60_000).syncs).toEqual([[1100, "topic"]]);
  });

  it("a topic with { sync: false } gives none", () => {
    const driver = running().topic({ sync: false });
    expect(driver.schedule.settled).toBe(false);
    driver.pass(50).inForce("a", "b");
    expect(driver.schedule.settled).toBe(true);
    expect(driver.pass(60_000).syncs).toEqual([]);
  });

  it("a PING confirms the topics that were registered when it was sent", () => {
    const driver = running().topic();
    const first = driver.schedule.generation;
    driver.topic().pass(50);
    for (const name of ["a", "b"]) driver.schedule.inForce(name, driver.now, first);
    expect(driver.pass(100).syncs).toEqual([]);
    expect(driver.inForce("a", "b").syncs).toEqual([[1150, "topic"]]);
  });

  it("a gap while a topic is not in force waits for it", () => {
    const driver = running().topic({ sync: false }).gap().pass(100);
    expect(driver.syncs).toEqual([]);
    expect(driver.inForce("a", "b").syncs).toEqual([[1100, "decode"]]);
  });

  it("topics registered without end do not put a sync off for ever", () => {
    const driver = running().gap().pass(2000).lose("a").inForce("a");
    const before = driver.syncs.length;
    driver.topic({ sync: false }).gap();
    for (let i = 0; i < 4000; i++) driver.pass(10).topic({ sync: false });
    expect(driver.syncs.length).toBe(before + 1);
    expect(driver.syncs.at(-1)).toEqual([33_000, "decode"]);
  });

  it("a topic with no address to miss it at gives none", () => {
    expect(new Driver().daemonize().topic().pass(60_000).syncs).toEqual([]);
  });

  it("a topic registered while an address is lost does not hide why", () => {
    expect(running().lose("a").topic().inForce("a", "b").pass(60_000).syncs).toEqual([
      [1000, "lost", "topic"],
    ]);
  });

  it("a connection lost while a topic was coming into force gives one sync", () => {
    const driver = running().topic().lose("a").inForce("b").pass(200).inForce("a");
    expect(driver.pass(60_000).syncs).toEqual([[1200, "topic", "lost"]]);
  });
});

describe("DESIGN 7, the contract of sync: one per gap, coalesced, limited", () => {
  it("the first is immediate; gaps within syncMinInterval get one more at its end", () => {
    const driver = running()
      .gap("decode")
      .pass(100)
      .gap("callback")
      .pass(100)
      .gap("decode")
      .gap("dropped")
      .pass(10_000);
    expect(driver.syncs).toEqual([
      [1000, "decode"],
      [2000, "callback", "decode", "dropped"],
    ]);
  });

  it("a gap after syncMinInterval is immediate again", () => {
    expect(running().gap().pass(1000).gap().syncs).toEqual([
      [1000, "decode"],
      [2000, "decode"],
    ]);
  });

  it("a gap while an address is lost waits, and is covered by the sync on its return", () => {
    expect(running().lose("a").gap().pass(3000).inForce("a").pass(60_000).syncs).toEqual([
      [4000, "decode", "lost"],
    ]);
  });

  it("a loss at the end of the interval is waited for as well", () => {
    const driver = running().gap().pass(10).gap().pass(10).lose("a").pass(5000);
    expect(driver.syncs).toEqual([[1000, "decode"]]);
    expect(driver.inForce("a").syncs.slice(1)).toEqual([[6020, "decode", "lost"]]);
  });

  it("syncSpread delays by a random part of it, once per sync", () => {
    const driver = running({ syncSpread: 4000, random: () => 0.5 })
      .gap()
      .pass(1999);
    expect(driver.syncs).toEqual([]);
    driver.pass(1);
    expect(driver.syncs).toEqual([[3000, "decode"]]);
    // The delay is not drawn anew by an address that comes and goes.
    driver.gap();
    for (let i = 0; i < 5; i++) driver.pass(400).lose("a").pass(100).inForce("a");
    expect(driver.syncs[1]).toEqual([5000, "decode", "lost"]);
  });

  it("no other sync is given out while one is being called, and the interval counts from its call", () => {
    const { schedule } = running();
    schedule.gap("decode", 2000);
    expect(schedule.due(2000)?.reasons).toEqual(["decode"]);
    schedule.gap("decode", 5000); // on its way still: it will read what was missed just now
    expect(schedule.due(9000)).toBe(null);
    expect(schedule.wakeAt).toBe(Infinity);
    schedule.syncCalled(9500);
    schedule.gap("callback", 9550);
    schedule.syncDone(9600);
    expect(schedule.due(9600)).toBe(null);
    expect(schedule.wakeAt).toBe(10_500);
    expect(schedule.due(10_500)?.reasons).toEqual(["callback"]);
  });
});

describe("DESIGN 7, the contract of sync: failures and the period", () => {
  it("a failed sync is repeated after 1 s, 2 s, 4 s... at most 30 s, with its reasons", () => {
    const driver = running();
    driver.fail = true;
    driver.gap("dropped").pass(100_000);
    expect(driver.syncs.map(([at]) => (at as number) - 1000)).toEqual([
      0, 1000, 3000, 7000, 15_000, 31_000, 61_000, 91_000,
    ]);
    driver.fail = false;
    driver.pass(30_000);
    expect(driver.syncs.at(-1)).toEqual([122_000, "dropped"]);
    const calls = driver.syncs.length;
    driver.pass(1_000_000);
    expect(driver.syncs.length).toBe(calls);
    driver.fail = true;
    driver.gap().pass(1000);
    expect(driver.syncs.slice(calls).map(([at]) => at)).toEqual([driver.now - 1000, driver.now]);
  });

  it("a repeated sync, too, waits for what is lost", () => {
    const driver = running();
    driver.fail = true;
    driver.gap().lose("a");
    driver.fail = false;
    driver.pass(20_000);
    expect(driver.syncs).toHaveLength(1);
    expect(driver.inForce("a").syncs[1]).toEqual([21_000, "decode", "lost"]);
  });

  it("syncPeriod, in seconds, calls one that long after the last, counted apart", () => {
    const driver = running({ syncPeriod: 120 }).pass(100_000).gap().pass(119_999);
    expect(driver.syncs).toEqual([[101_000, "decode"]]);
    expect(driver.schedule.due(driver.now + 1)).toEqual({ reasons: ["period"], periodic: true });
    const mixed = running({ syncPeriod: 1 }).lose("a").pass(5000);
    mixed.schedule.inForce("a", mixed.now);
    expect(mixed.schedule.due(mixed.now)).toEqual({ reasons: ["period", "lost"], periodic: false });
  });

  it("without syncPeriod, years of silence give none", () => {
    expect(running().pass(1e11).syncs).toEqual([]);
  });

  it("refuses options that are no times", () => {
    for (const option of ["startTimeout", "syncMinInterval", "syncSpread", "lossGrace", "syncPeriod"]) {
      for (const value of [-1, NaN, Infinity, "5"]) {
        const make = () => new SyncSchedule({ [option]: value });
        expect(make).toThrow(expect.objectContaining({ code: "EINVAL" }));
      }
    }
  });
});
