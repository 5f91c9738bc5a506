import type { Emitter } from "../../sockets/index.ts";
import type { UnpackedMessage } from "../event/codec.ts";
import type { DbUpdate, JsonValue } from "../event/db-update.ts";
import type { TopicMatch } from "../event/topics.ts";
import type { DriverEvents } from "./driver-events.ts";

/**
 * Called with every event, one at a time: a promise that it returns is awaited before the next. `action` "sync", with all else
 * null: something may have been missed, read the database again. An error, thrown or by rejection, costs nothing but a
 * `sync` later; one from a `sync` has it repeated.
 */
export type DbChangesCallback = (
  table: string | null,
  key: string | null,
  action: string,
  value: JsonValue,
  topic: string | null,
) => unknown;

/** The two frames of an event: topic and payload. */
export type EventFrames = readonly [topic: Uint8Array, payload: Uint8Array];

/** Called with every event and the frames it came in; `null` in place of a `sync`. */
export type FramesCallback = (event: UnpackedMessage | null, frames: EventFrames | null) => unknown;

/** A driver: one way for events to get from publishers to subscribers. Making one opens nothing. */
export interface PubSubApi {
  getPublisher(): PublisherApi;
  getSubscriber(): SubscriberApi;
}

/** Counts since the object was made. */
export interface PublisherStats {
  /** Events handed over for sending. */
  sent: number;
  /** Events that were refused, timed out, or did not fit a subscriber's queue. */
  dropped: number;
  /** Events that wait to be sent. */
  queued: number;
}

export interface PublisherApi {
  readonly events: Emitter<DriverEvents>;
  /** Optional. Events go through a server: when we are gone, those who follow the database do not notice. */
  readonly isBrokered?: boolean;
  /** Opens what is needed. Rejects with the system's error, e.g. EADDRINUSE. Again: no effect. */
  initialize(): Promise<void>;
  /**
   * Publishes one event, which is not changed. Resolves when it was taken for sending.
   * @param topic in place of the event's own.
   * @throws {ZmqError} by rejection: EAGAIN when it could not be sent in time, EBADF after `close`; as {@link frames}.
   */
  sendEvent(update: DbUpdate, topic?: string | null): Promise<void>;
  /**
   * Publishes an event in the frames in which it was received, or packed. The frames are not to be changed afterwards.
   * @throws {ZmqError} by rejection, as `sendEvent`. {@link TypeError} likewise when it is not two frames of bytes.
   */
  sendFrames(frames: EventFrames): Promise<void>;
  /**
   * Optional. As `sendFrames`, if that would resolve at once; false: nothing was taken, `sendFrames` waits or rejects. Never
   * throws, whatever the argument. Without it, whoever forwards events awaits `sendFrames` for each.
   */
  trySendFrames?(frames: EventFrames): boolean;
  /** Final: sends what is queued, as long as `linger` allows. */
  close(): Promise<void>;
  stats(): PublisherStats;
}

/** Counts since the object was made. */
export interface SubscriberStats {
  /** Events for which the callback was called. */
  delivered: number;
  /** Messages that matched no registered topic exactly. */
  filtered: number;
  /** Messages that were no events. */
  undecodable: number;
  /** Calls of the callback that failed. */
  failed: number;
  /** Syncs that were called because something may have been missed. */
  syncs: number;
  /** Syncs that were called only because `syncPeriod` had passed. */
  periodicSyncs: number;
  /** Messages received that wait for their turn. */
  queued: number;
}

export interface TopicOptions {
  /** false: the caller awaits `settled()` and then reads the database. Default true: a `sync` when the topic is in force. */
  sync?: boolean;
  /** Default "exact". */
  match?: TopicMatch;
}

export interface SubscriberApi {
  readonly events: Emitter<DriverEvents>;
  initialize(callback: DbChangesCallback): Promise<void>;
  /** As `initialize`, for a forwarder. */
  initializeFrames(callback: FramesCallback): Promise<void>;
  /** @returns true if new. @throws {ZmqError} at once for what is no address of this driver. */
  registerListenAddress(uri: string): boolean;
  /** @returns false if unknown. */
  unregisterListenAddress(uri: string): boolean;
  /** @returns true if new. */
  registerTopic(topic: string, options?: TopicOptions): boolean;
  /** @returns false if unknown. */
  unregisterTopic(topic: string): boolean;
  /**
   * Starts receiving, and keeps the process alive until `close`. Resolves when all topics are in force at all addresses, or after
   * `startTimeout`. Again: no effect.
   *
   * @throws {ZmqError} at once: EFSM before `initialize`, EBADF after `close`.
   */
  daemonize(): Promise<void>;
  readonly isDaemonize: boolean;
  /** Resolves when all topics are in force at all addresses; rejects with EBADF on `close`. */
  settled(): Promise<void>;
  /** Final: no callback is called any more, once it has resolved. */
  close(): Promise<void>;
  stats(): SubscriberStats;
}
