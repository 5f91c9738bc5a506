import { type DueSync, type GapReason, type SyncOptions, type SyncReason, time } from "./sync-options.ts";

export type { DueSync, GapReason, SyncOptions, SyncReason } from "./sync-options.ts";

/*
 * When a re-sync is due: whatever is published after daemonize() has resolved is either delivered or covered by a later
 * sync, and there is no sync without a possible loss.
 *
 * An address is in one of these states. *In force* means: for all topics registered so far. *Holds* means: a sync waits for
 * it, because what that publisher sends would be missed by a copy made now.
 *
 * | state    | what it is                                      | holds            | then                                     |
 * | -------- | ----------------------------------------------- | ---------------- | ---------------------------------------- |
 * | idle     | registered, daemonize() not yet resolved        | daemonize()      | in force, or at startTimeout: absent     |
 * | new      | registered while running, not yet in force      | for startTimeout | in force: sync; at startTimeout: absent  |
 * | in force |                                                 | -                | lost; topicAdded: updating               |
 * | updating | in force for all but the latest topics          | for lossGrace    | in force: sync, unless { sync: false }   |
 * | lost     | was in force or updating, its connection ended  | for lossGrace    | in force: sync; at lossGrace: sync, then absent |
 * | absent   | not in force for so long that none waits for it | -                | in force: sync                           |
 *
 * Whoever *owes* a sync (new, lost, absent, updating with sync) and is unregistered gives it at once, since nothing more is
 * to be waited for. Gaps without a loss of connection are given at once as well.
 *
 * A sync that was given becomes due when no address holds it: at once, but not within syncMinInterval of the last one, and
 * after a random part of syncSpread. What is given until then is answered by the same sync.
 */

interface Address {
  /** The topics for which it is in force, as a generation; -1: no connection in force. */
  generation: number;
  /** Until when a sync waits for it. */
  holdUntil: number;
  /** What its coming into force is to be answered with. */
  owes: SyncReason | null;
  /** Its connection ended and is not back, and lossGrace is not over. */
  lost: boolean;
}

/** Back-off of a sync whose callback fails: from here, doubling. ms */
const RETRY_MIN = 1000;
const RETRY_MAX = 30_000;

/**
 * Decides when one subscriber is to be called back with `sync`. Owns no timer, reads no clock, calls nobody: time is an
 * argument, `now` in ms on a clock that never goes back, the same for all methods.
 *
 * A driver tells what happens, and after each telling, and at `wakeAt`, asks {@link due}:
 *
 * 1. `addressAdded`, `topicAdded` as they are registered, before or after {@link daemonized}, which comes once.
 * 2. When a connection is up: send all subscriptions and a PING, remember `generation`. When the PING is answered and
 *    settleTime has passed: `inForce(address, now, generation)` with what was remembered. The same after each `topicAdded` on
 *    every connection that is up, with its SUBSCRIBE and a new PING. Deleting a topic needs no telling.
 * 3. When the connection ends, in force or not: `lost`, and no `inForce` of that connection any more (cancel its settleTime).
 * 4. `due` gives a sync: put it behind the events received so far. When its turn comes: `syncCalled`, call back, then
 *    `syncDone` or `syncFailed`. Until then `due` gives no other.
 * 5. daemonize() resolves when `started` is true.
 *
 * Telling of an address that is not registered is ignored. A subscriber that has no addresses (PULL, which binds) has gaps only.
 */
export class SyncSchedule {
  readonly #startTimeout: number;
  readonly #minInterval: number;
  readonly #spread: number;
  readonly #lossGrace: number;
  /** ms; Infinity: none. */
  readonly #period: number;
  readonly #random: () => number;

  readonly #addresses = new Map<string, Address>();
  #generation = 0;
  /** When daemonize() resolves at the latest. -Infinity: it has resolved; Infinity: it was not called. */
  #startAt = Infinity;
  /** What is to be answered by the next sync. */
  readonly #given = new Set<SyncReason>();
  /** The end of the random delay; drawn when the sync could be called for the first time. */
  #spreadUntil: number | null = null;
  /** What the sync that is being called answers. */
  #running: readonly SyncReason[] | null = null;
  /** Its turn has come: it may have begun to read the database. */
  #isCalled = false;
  #lastSync = -Infinity;
  #retryAt = -Infinity;
  #failures = 0;
  #periodAt = Infinity;

  /** @throws {ZmqError} EINVAL for an option that is no time. */
  constructor(options: SyncOptions = {}) {
    this.#startTimeout = time("startTimeout", options.startTimeout ?? 1000);
    this.#minInterval = time("syncMinInterval", options.syncMinInterval ?? 1000);
    this.#spread = time("syncSpread", options.syncSpread ?? 0);
    this.#lossGrace = time("lossGrace", options.lossGrace ?? 30_000);
    this.#period = time("syncPeriod", options.syncPeriod ?? 0) * 1000 || Infinity;
    this.#random = options.random ?? Math.random;
  }

  /** Changes with every topic that is added: names the set of topics that a PING confirms. */
  get generation(): number {
    return this.#generation;
  }

  /** daemonize() has resolved. */
  get started(): boolean {
    return this.#startAt === -Infinity;
  }

  /** Every registered topic is in force at every registered address. */
  get settled(): boolean {
    for (const address of this.#addresses.values()) if (!this.#isInForce(address)) return false;
    return true;
  }

  /** An address was registered. */
  addressAdded(name: string, now: number): void {
    this.#advance(now);
    if (this.#addresses.has(name)) return;
    const address: Address = { generation: -1, holdUntil: -Infinity, owes: null, lost: false };
    if (this.started) {
      address.owes = "address";
      address.holdUntil = now + this.#startTimeout;
    }
    this.#addresses.set(name, address);
  }

  /** An address was unregistered: nothing of it is waited for, and what it owes is given. */
  addressRemoved(name: string, now: number): void {
    this.#advance(now);
    const address = this.#addresses.get(name);
    if (address === undefined) return;
    this.#addresses.delete(name);
    if (address.owes !== null) this.#given.add("unregistered");
    this.#advance(now);
  }

  /**
   * A topic was registered: the addresses are no longer in force, until they say so with the new `generation`.
   *
   * @param options `sync: false`: the caller awaits `settled` and then reads the database; default true.
   */
  topicAdded(now: number, options: { sync?: boolean } = {}): void {
    this.#advance(now);
    this.#generation += 1;
    if (!this.started) return;
    for (const address of this.#addresses.values()) {
      if (options.sync !== false) address.owes ??= "topic";
      // One that is already waited for is not waited for longer: else topics in a row would put a sync off for ever.
      if (address.generation === this.#generation - 1) address.holdUntil = now + this.#lossGrace;
    }
  }

  /** What was subscribed at this address when `generation` was read is in force. */
  inForce(name: string, now: number, generation: number = this.#generation): void {
    this.#advance(now);
    const address = this.#addresses.get(name);
    if (address === undefined) return;
    address.generation = Math.max(address.generation, generation);
    address.lost = false;
    if (!this.#isInForce(address)) return;
    address.holdUntil = -Infinity;
    if (address.owes !== null) this.#given.add(address.owes);
    address.owes = null;
    this.#advance(now);
  }

  /** The connection of this address ended. @returns true when that is a gap: it was in force, and daemonize() has resolved. */
  lost(name: string, now: number): boolean {
    this.#advance(now);
    const address = this.#addresses.get(name);
    if (address === undefined || address.generation === -1) return false;
    address.generation = -1;
    if (!this.started) return false;
    address.owes = "lost";
    address.lost = true;
    address.holdUntil = now + this.#lossGrace;
    return true;
  }

  /** Something was missed without a loss of connection. Before {@link daemonized}, nothing can be. */
  gap(reason: GapReason, now: number): void {
    this.#advance(now);
    if (this.#startAt === Infinity) return;
    // What was missed is in the database by now, and a sync that is still on its way will read it.
    if (this.#running !== null && !this.#isCalled) return;
    this.#given.add(reason);
    this.#advance(now);
  }

  /** daemonize() was called. Again: no effect. */
  daemonized(now: number): void {
    if (this.#startAt !== Infinity) return;
    this.#startAt = now + this.#startTimeout;
    this.#advance(now);
  }

  /** When to ask {@link due} if nothing happens before; Infinity: not at all. Asking early is harmless. */
  get wakeAt(): number {
    if (!this.started) return this.#startAt;
    let wakeAt = this.#periodAt;
    for (const address of this.#addresses.values()) {
      if (this.#holds(address)) wakeAt = Math.min(wakeAt, address.holdUntil);
    }
    return this.#isReady() && this.#running === null ? Math.min(wakeAt, this.#dueAt()) : wakeAt;
  }

  /** A sync that is to be called now, or null. What is given out here is not given out again. */
  due(now: number): DueSync | null {
    this.#advance(now);
    if (!this.started || this.#running !== null || !this.#isReady() || now < this.#dueAt()) return null;
    const reasons = [...this.#given];
    this.#given.clear();
    this.#spreadUntil = null;
    this.#running = reasons;
    this.#isCalled = false;
    this.#countFrom(now);
    return { reasons, periodic: reasons.every((reason) => reason === "period") };
  }

  /** The sync reached its place in the stream and is called now: syncMinInterval counts from here. */
  syncCalled(now: number): void {
    this.#advance(now);
    if (this.#running === null) return;
    this.#isCalled = true;
    this.#countFrom(now);
  }

  /** The callback took the sync. */
  syncDone(now: number): void {
    this.#advance(now);
    this.#running = null;
    this.#failures = 0;
  }

  /** The callback failed on the sync: it is due again after 1 s, 2 s, 4 s... at most 30 s. */
  syncFailed(now: number): void {
    this.#advance(now);
    for (const reason of this.#running ?? []) this.#given.add(reason);
    this.#running = null;
    this.#retryAt = now + Math.min(RETRY_MAX, RETRY_MIN * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#advance(now);
  }

  /** What time alone brings about. Called at the start of everything, so that the order of tellings is the order of events. */
  #advance(now: number): void {
    if (this.#startAt !== Infinity && !this.started && (this.settled || now >= this.#startAt))
      this.#start(now);
    for (const address of this.#addresses.values()) {
      if (now < address.holdUntil) continue;
      address.holdUntil = -Infinity;
      if (address.lost) this.#given.add("lost");
      address.lost = false;
    }
    if (now >= this.#periodAt) {
      this.#periodAt = Infinity;
      this.#given.add("period");
    }
    if (this.#spreadUntil === null && this.#isReady())
      this.#spreadUntil = now + this.#random() * this.#spread;
  }

  #start(now: number): void {
    this.#startAt = -Infinity;
    this.#periodAt = now + this.#period;
    for (const address of this.#addresses.values()) if (!this.#isInForce(address)) address.owes = "address";
  }

  /** A sync was given, and no address holds it. */
  #isReady(): boolean {
    if (!this.started || this.#given.size === 0) return false;
    for (const address of this.#addresses.values()) if (this.#holds(address)) return false;
    return true;
  }

  #dueAt(): number {
    return Math.max(this.#spreadUntil ?? -Infinity, this.#lastSync + this.#minInterval, this.#retryAt);
  }

  #countFrom(now: number): void {
    this.#lastSync = now;
    this.#periodAt = now + this.#period;
  }

  #isInForce(address: Address): boolean {
    return address.generation === this.#generation;
  }

  /** Whether a sync waits for it. Its time is over when `advance` has said so. */
  #holds(address: Address): boolean {
    return address.holdUntil !== -Infinity;
  }
}
