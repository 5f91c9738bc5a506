import { type Emitter, type Environment, type Message, Pace, type Timer } from "../../sockets/index.ts";
import { DecodeError } from "../errors.ts";
import { asBuffer } from "../event/bytes.ts";
import { isAnnouncement, type UnpackedMessage, unpackMessage } from "../event/codec.ts";
import { SEND_ALL_TOPIC } from "../event/db-update.ts";
import { SequenceTracker } from "../sync/sequence-tracker.ts";
import { Progress } from "../sync/source-progress.ts";
import type { DueSync, GapReason, SyncReason, SyncSchedule } from "../sync/sync.ts";
import type { DbChangesCallback, FramesCallback, SubscriberStats } from "./api.ts";
import type { DriverEvents } from "./driver-events.ts";
import type { OnError } from "./reporter.ts";
import { Waiting } from "./waiting.ts";

/** Where messages come from, in order. */
export interface Source {
  readonly address: string;
  /** Messages that have come in so far, the ones not handed over yet included. */
  received(): number;
}

export interface EventStreamSetup {
  readonly environment: Environment;
  readonly events: Emitter<DriverEvents>;
  readonly onError: OnError;
  readonly schedule: SyncSchedule;
  /** Whether a message with this topic frame is wanted. */
  readonly wants: (topic: Uint8Array) => boolean;
  /** Look for events that are missing, where publishers number them. */
  readonly sequenceNumbers: boolean;
}

const SEND_ALL = SEND_ALL_TOPIC.charCodeAt(0);
/** ms: as long as a timer can be. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A sync on its way to its place: behind all messages that each source had received when it became due. */
interface PlacedSync {
  readonly due: DueSync;
  readonly behind: Map<Source, number>;
}

/**
 * What a subscriber's callback sees: events of all sources, one at a time, and a `sync` in its place among them whenever the
 * schedule says so. A message that is no event, or a callback that fails, costs a `sync` and nothing else.
 */
export class EventStream {
  readonly schedule: SyncSchedule;
  readonly #setup: EventStreamSetup;
  readonly #progress = new Map<Source, Progress>();
  readonly #pace: Pace;
  readonly #waiting: Waiting;
  readonly #sequences: SequenceTracker | null;
  readonly #counts = { delivered: 0, filtered: 0, undecodable: 0, failed: 0, syncs: 0, periodicSyncs: 0 };
  #callback: FramesCallback | null = null;
  /** A `sync` that comes as an event: taken for a gap of ours, or handed on like any other. */
  #syncEvents: "own" | "forward" = "own";
  #turn: Promise<void> = Promise.resolve();
  #placed: PlacedSync | null = null;
  #timer: Timer | null = null;
  /** Whose message the callback has at the moment. */
  #handing: Source | null = null;
  /** Lets the process end. */
  #release: (() => void) | null = null;
  #closed = false;

  constructor(setup: EventStreamSetup) {
    this.#setup = setup;
    this.schedule = setup.schedule;
    this.#waiting = new Waiting(setup.environment);
    this.#sequences = setup.sequenceNumbers ? new SequenceTracker() : null;
    // Nobody knows how long a callback takes.
    this.#pace = new Pace(setup.environment, 1);
  }

  get now(): number {
    return this.#setup.environment.now();
  }

  get isListenedTo(): boolean {
    return this.#callback !== null;
  }

  /** For who follows the database. @throws {TypeError} when it is no function. */
  listen(callback: DbChangesCallback): void {
    assertCallback(callback);
    this.#syncEvents = "own";
    this.#callback = (event) =>
      event === null
        ? callback(null, null, "sync", null, null)
        : callback(event.table, event.key, event.action, event.value, event.topic);
  }

  /** For a forwarder. @throws {TypeError} when it is no function. */
  listenToFrames(callback: FramesCallback): void {
    assertCallback(callback);
    this.#syncEvents = "forward";
    this.#callback = callback;
  }

  addSource(source: Source): void {
    this.#progress.set(source, new Progress());
  }

  /** What of it was not handed over yet never will be: a gap. */
  removeSource(source: Source): void {
    const progress = this.#progress.get(source);
    if (progress === undefined || this.#closed) return;
    this.#progress.delete(source);
    progress.remove();
    const handed = progress.delivered + (this.#handing === source ? 1 : 0);
    if (source.received() > handed) this.gap("dropped", source.address);
    else this.update();
  }

  /**
   * Starts the schedule; resolves when everything is in force, or startTimeout is over. Keeps the process alive until `close`.
   *
   * @param closed what to reject with when the stream is closed.
   */
  daemonize(closed: Error): Promise<void> {
    this.#release ??= this.#setup.environment.hold();
    this.schedule.daemonized(this.now);
    this.update();
    return this.#waiting.until(() => this.schedule.started, closed);
  }

  /**
   * Hands messages over, in their turn. Resolves when the callback has seen them all.
   *
   * @param messages null: one that has come, and is for nobody.
   */
  deliver(source: Source, messages: readonly (Message | null)[]): Promise<void> {
    this.#turn = this.#turn.then(() => this.#deliver(source, messages));
    return this.#turn;
  }

  /** Something was missed, though no connection was lost. */
  gap(reason: GapReason, address: string): void {
    this.schedule.gap(reason, this.now);
    this.#setup.events.emit({ type: "gap", reason, address });
    this.update();
  }

  /** The connection to this address ended. */
  lost(address: string): void {
    this.broken(address);
    const isGap = this.schedule.lost(address, this.now);
    if (isGap) this.#setup.events.emit({ type: "gap", reason: "lost", address });
    this.update();
  }

  /** What comes from this address from now on need not follow what has come in so far: numbers that jump there tell nothing. */
  broken(address: string): void {
    if (this.#sequences === null) return;
    for (const [source, progress] of this.#progress)
      if (source.address === address) progress.broken(source.received());
  }

  /** Topics were unregistered: what they miss from now on is no gap. */
  topicsRemoved(): void {
    this.#sequences?.retain((name) => {
      const topic = Buffer.from(name, "latin1");
      return isForAll(topic) || this.#setup.wants(topic);
    });
  }

  /** To be called after the schedule was told anything. */
  update(): void {
    if (this.#closed) return;
    const due = this.schedule.due(this.now);
    if (due !== null) {
      const sources = [...this.#progress.keys()];
      this.#placed = { due, behind: new Map(sources.map((source) => [source, source.received()])) };
    }
    this.#waiting.check();
    this.#callPlacedSync();
    this.#timer?.cancel();
    const wait = this.schedule.wakeAt - this.now;
    this.#timer =
      wait === Number.POSITIVE_INFINITY
        ? null
        : this.#setup.environment.setTimer(Math.min(LONGEST_TIMER, Math.max(1, Math.ceil(wait))), () =>
            this.update(),
          );
  }

  /**
   * @param closed what to reject with when the stream is closed.
   * @param also what has to be true besides; asked at each `update`.
   */
  settled(closed: Error, also: () => boolean = () => true): Promise<void> {
    return this.#waiting.until(() => this.schedule.settled && also(), closed);
  }

  stats(): SubscriberStats {
    let queued = 0;
    for (const [source, { delivered }] of this.#progress) queued += source.received() - delivered;
    return { ...this.#counts, queued };
  }

  /** No callback is called from here on; one that is running is not waited for. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#release?.();
    this.#waiting.close();
  }

  async #deliver(source: Source, messages: readonly (Message | null)[]): Promise<void> {
    const progress = this.#progress.get(source);
    if (progress === undefined) return;
    for (const message of messages) {
      if (this.#pace.isDue()) await this.#pace.turn();
      if (this.#closed || progress.isRemoved) return;
      const event = message === null ? null : this.#decode(source, progress, message);
      if (event !== null) {
        this.#handing = source;
        try {
          const result = this.#callback?.(event, message as [Buffer, Buffer]);
          // Awaited only where there is something to wait for: this is the path of every event.
          if (isPromise(result)) await result;
          this.#counts.delivered += 1;
        } catch (error) {
          this.#callbackFailed(error);
          this.gap("callback", source.address);
        }
        this.#handing = null;
      }
      if (progress.isRemoved) return;
      progress.delivered += 1;
      if (this.#placed !== null) this.#callPlacedSync();
    }
    this.#pace.rest();
  }

  /** The event in a message; null when it is none, or not wanted, or a `sync` that counts as our own. */
  #decode(source: Source, progress: Progress, message: Message): UnpackedMessage | null {
    const [topic, payload] = message as [Buffer, Buffer];
    const isWanted = this.#setup.wants(topic);
    if (!isWanted && !isForAll(topic)) {
      this.#counts.filtered += 1;
      return null;
    }
    try {
      if (message.length !== 2)
        throw new DecodeError(`an event has two frames, not ${message.length}`, topic);
      const event = unpackMessage(payload);
      if (event.sequence !== undefined && this.#syncEvents === "own") {
        this.#follow(source, progress, topic, event);
        if (isAnnouncement(event)) return null;
      }
      const isSync = event.action === "sync";
      if (isWanted && (!isSync || this.#syncEvents === "forward")) return event;
      if (isSync) this.gap("dropped", source.address);
      else this.#counts.filtered += 1;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#counts.undecodable += 1;
      this.#setup.onError(error);
      this.#setup.events.emit({ type: "decodeError", error });
      // Its number is not known, and this gap covers it.
      this.#sequences?.forget(asBuffer(topic).toString("latin1"));
      this.gap("decode", source.address);
    }
    return null;
  }

  /** Looks whether anything is missing before an event. A forwarder does not: those who get its events do. */
  #follow(source: Source, progress: Progress, topic: Buffer, event: UnpackedMessage): void {
    if (this.#sequences === null) return;
    const name = topic.toString("latin1");
    const missing = this.#sequences.heard(name, event.sequence!, isAnnouncement(event), progress.line);
    if (missing > 0) this.gap("sequence", source.address);
  }

  #callPlacedSync(): void {
    if (this.#placed === null) return;
    for (const [source, received] of this.#placed.behind) {
      const progress = this.#progress.get(source);
      if (progress !== undefined && progress.delivered < received) return;
    }
    const { due } = this.#placed;
    this.#placed = null;
    this.#turn = this.#turn.then(() => this.#sync(due));
  }

  async #sync({ reasons, periodic }: DueSync): Promise<void> {
    if (this.#closed) return;
    this.schedule.syncCalled(this.now);
    try {
      await this.#callback?.(null, null);
      this.schedule.syncDone(this.now);
      this.#counts[periodic ? "periodicSyncs" : "syncs"] += 1;
      this.#setup.events.emit({ type: "sync", reasons: reasons as readonly SyncReason[], periodic });
    } catch (error) {
      this.#callbackFailed(error);
      this.schedule.syncFailed(this.now);
    }
    this.update();
  }

  #callbackFailed(error: unknown): void {
    this.#counts.failed += 1;
    this.#setup.onError(error);
    this.#setup.events.emit({ type: "callbackError", error });
  }
}

/** Whether this is the topic of what concerns everybody, registered or not: a `sync` from a publisher. */
function isForAll(topic: Uint8Array): boolean {
  return topic.length === 1 && topic[0] === SEND_ALL;
}

function assertCallback(callback: unknown): void {
  if (typeof callback !== "function") throw new TypeError("Callback must be a function");
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
