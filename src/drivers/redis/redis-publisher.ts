import { ZmqError } from "../../errors.ts";
import { type RedisClient, ReplyError } from "../../redis-resp/index.ts";
import { type Context, Emitter, type Environment } from "../../sockets/index.ts";
import type { EventFrames, PublisherApi, PublisherStats } from "../driver/api.ts";
import type { DriverEvents } from "../driver/driver-events.ts";
import { checkFrames, fits } from "../driver/driver-options.ts";
import { EventPacker } from "../driver/event-packer.ts";
import { type OnError, reporter } from "../driver/reporter.ts";
import { SyncAnnouncer } from "../driver/sync-announcer.ts";
import { Waiting } from "../driver/waiting.ts";
import type { DbUpdate } from "../event/db-update.ts";
import { MasterConnection } from "./master-connection.ts";
import { Outbox, Outgoing } from "./outbox.ts";
import type { ResolvedRedisOptions } from "./redis-options.ts";

/** Error replies of a server that cannot work now, where another may. */
const PASSING = new Set(["LOADING", "MASTERDOWN", "BUSY", "TRYAGAIN", "CLUSTERDOWN"]);

/**
 * Publishes to a Redis server: to any master of a cluster, which passes it on to all. It connects at the first event, or by
 * `initialize`. Events keep their order, also when they are sent again: see {@link Outbox}.
 */
export class RedisPublisher implements PublisherApi {
  readonly events: Emitter<DriverEvents>;
  readonly isBrokered = true;
  readonly #options: ResolvedRedisOptions;
  readonly #environment: Environment;
  readonly #onError: OnError;
  readonly #connection: MasterConnection;
  readonly #packer: EventPacker;
  readonly #announcer: SyncAnnouncer;
  readonly #outbox = new Outbox();
  /** Who wait for room in it. */
  readonly #room: Waiting;
  #waiting = 0;
  /** Those that wait for the outbox to be empty. */
  readonly #drained: Waiting;
  /** A `sync` of ours is in the outbox. */
  #isSyncing = false;
  #sent = 0;
  #dropped = 0;
  #isClosing = false;
  #closed: Promise<void> | null = null;

  constructor(options: ResolvedRedisOptions, context: Context) {
    const { environment } = context;
    this.#options = options;
    this.#environment = environment;
    this.#onError = reporter(environment, "dragonflow writer", options.onError);
    this.events = new Emitter(environment);
    this.#connection = new MasterConnection(options, environment, this.events, {
      onReady: (client) => this.#ready(client),
      onLost: (error) => this.#lost(error),
      onDoubt: () => this.#oweSync(),
      isWanted: () => this.#outbox.length > 0,
    });
    this.#room = new Waiting(environment);
    this.#drained = new Waiting(environment);
    this.#packer = new EventPacker({
      options,
      transport: "redis",
      environment,
      announce: (event) => this.#announce(event),
    });
    this.#announcer = new SyncAnnouncer({
      environment,
      send: (update) => this.#sendSync(update),
      onError: (error) => {
        if (!this.#isClosing) this.#onError(error);
      },
      onSync: () => {},
    });
  }

  /** The server that we publish to, e.g. `redis://127.0.0.1:6379`; null while not connected. */
  get address(): string | null {
    return this.#connection.address;
  }

  /** Connects; rejects with what the last of `publishRetryTimes` attempts failed with. */
  async initialize(): Promise<void> {
    this.#assertOpen();
    if (this.#connection.client === null) await this.#enqueue(null, this.#options.publishRetryTimes, false);
  }

  /** Resolves when a server has taken it. Rejects after `publishRetryTimes` attempts, or at once when the server refuses it. */
  sendEvent(update: DbUpdate, topic?: string | null): Promise<void> {
    let event: EventFrames;
    try {
      this.#assertOpen();
      event = this.#packer.pack(update, topic);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#send(event, true);
  }

  sendFrames(event: EventFrames): Promise<void> {
    return this.#closed === null ? this.#send(event, false) : Promise.reject(new ZmqError("EBADF"));
  }

  /** What was taken is told as `dropped` when it cannot be sent after all. */
  trySendFrames(event: EventFrames): boolean {
    const { maxMessageSize } = this.#options;
    if (this.#connection.client === null || this.#isClosing || this.#isFull() || !fits(event, maxMessageSize))
      return false;
    this.#take(
      new Outgoing(event, this.#options.publishRetryTimes, (error) => {
        if (error !== null && !this.#isClosing) this.#drop(1);
      }),
    );
    return true;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  stats(): PublisherStats {
    return { sent: this.#sent, dropped: this.#dropped, queued: this.#outbox.length + this.#waiting };
  }

  /** @param isOurs whoever else sends it tells of its loss himself. */
  #send(event: EventFrames, isOurs: boolean): Promise<void> {
    const { maxMessageSize, publishRetryTimes } = this.#options;
    if (this.#isFull() || !fits(event, maxMessageSize)) return this.#sendLater(event, isOurs);
    return this.#enqueue(event, publishRetryTimes, isOurs);
  }

  /** There is no room, or never will be for this one. */
  async #sendLater(event: EventFrames, isOurs: boolean): Promise<void> {
    const { maxMessageSize, publishRetryTimes, sendHighWaterMark } = this.#options;
    this.#waiting += 1;
    try {
      checkFrames(event, maxMessageSize);
      if (this.#waiting > sendHighWaterMark) throw new ZmqError("ENOBUFS", "too many events wait to be sent");
      await this.#room.until(() => !this.#isOver(), new ZmqError("EBADF"));
    } catch (error) {
      if (isOurs && !this.#isClosing) this.#refused();
      throw error;
    } finally {
      this.#waiting -= 1;
    }
    // In the moment in which it ceases to wait: nobody overtakes it.
    await this.#enqueue(event, publishRetryTimes, isOurs);
  }

  #enqueue(event: EventFrames | null, tries: number, isOurs: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error: ZmqError | null): void => {
        if (error === null) {
          resolve();
          return;
        }
        if (isOurs && !this.#isClosing) this.#refused();
        reject(error);
      };
      this.#take(new Outgoing(event, tries, done));
    });
  }

  #take(outgoing: Outgoing): void {
    this.#outbox.push(outgoing);
    const { client } = this.#connection;
    if (client === null) this.#connection.connect();
    else this.#publish(client, outgoing);
  }

  #publish(client: RedisClient, outgoing: Outgoing): void {
    if (outgoing.event === null) {
      this.#settle(outgoing, null);
      return;
    }
    client.publish(outgoing.event[0], outgoing.event[1]).then(
      () => {
        if (client === this.#connection.client) this.#taken(outgoing);
      },
      (error) => {
        if (client === this.#connection.client) this.#failed(client, outgoing, error);
      },
    );
  }

  #taken(outgoing: Outgoing): void {
    this.#sent += 1;
    this.#connection.worked();
    this.#settle(outgoing, null);
  }

  /** The server has answered with an error, or not in time. The end of the connection has been told otherwise. */
  #failed(client: RedisClient, outgoing: Outgoing, error: ZmqError): void {
    if (error instanceof ReplyError && !PASSING.has(error.code)) this.#settle(outgoing, error);
    else this.#connection.failed(client, error);
  }

  #settle(outgoing: Outgoing, error: ZmqError | null): void {
    this.#outbox.settle(outgoing, error);
    this.#shrunk();
  }

  #shrunk(): void {
    if (this.#waiting > 0 && !this.#isOver()) this.#room.check();
    if (this.#outbox.length > 0) return;
    this.#drained.check();
    this.#connection.idle();
  }

  #ready(client: RedisClient): void {
    for (const outgoing of [...this.#outbox]) this.#publish(client, outgoing);
  }

  /** What is not answered for goes to another server, or to the same one later. */
  #lost(error: ZmqError): void {
    this.#outbox.failed(error);
    this.#shrunk();
  }

  #isOver(): boolean {
    const { sendHighWaterMark, sendHighWaterMarkBytes } = this.#options;
    return this.#outbox.length >= sendHighWaterMark || this.#outbox.bytes >= sendHighWaterMarkBytes;
  }

  #isFull(): boolean {
    return this.#waiting > 0 || this.#isOver();
  }

  /** An event of ours was lost: those who follow the database are to be told so. */
  #refused(): void {
    this.#drop(1);
    this.#oweSync();
  }

  /** One that is sent when we are connected again covers all that is lost until then. */
  #oweSync(): void {
    if (!this.#isSyncing || this.#connection.client !== null) this.#announcer.owe();
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.events.emit({ type: "dropped", count });
  }

  /** Waits for as long as it takes. */
  #sendSync(update: DbUpdate): Promise<void> {
    if (this.#isClosing) return Promise.reject(new ZmqError("EBADF"));
    this.#isSyncing = true;
    return new Promise((resolve, reject) => {
      const done = (error: ZmqError | null): void => {
        this.#isSyncing = false;
        if (error === null) resolve();
        else reject(error);
      };
      this.#take(new Outgoing(this.#packer.pack(update, null), Number.POSITIVE_INFINITY, done));
    });
  }

  /** Not while events that have their numbers already wait for room. */
  #announce(event: EventFrames): boolean {
    if (this.#waiting > 0) return false;
    const { client } = this.#connection;
    if (client === null) this.#connection.connect();
    else client.publish(event[0], event[1]).catch(() => {}); // the next one tells the same
    return client !== null;
  }

  /** Everything is sent, the `sync` that is owed too, or `linger` is over. */
  async #close(): Promise<void> {
    const { linger } = this.#options;
    this.#packer.close();
    if (linger === 0) this.#giveUp();
    const timer = linger > 0 ? this.#environment.setTimer(linger, () => this.#giveUp()) : null;
    await this.#drained.until(
      () => this.#isClosing || this.#outbox.length + this.#waiting === 0,
      new ZmqError("EBADF"),
    );
    await this.#announcer.close();
    timer?.cancel();
    this.#giveUp();
    this.#connection.close();
  }

  /** Nothing more is sent. */
  #giveUp(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const count = this.#outbox.length + this.#waiting;
    this.#outbox.rejectAll(new ZmqError("EBADF"));
    this.#room.close();
    this.#drained.check();
    if (count === 0) return;
    this.#drop(count);
    this.#onError(new ZmqError("EAGAIN", `closed with ${count} event(s) that no server took`));
  }

  #assertOpen(): void {
    if (this.#closed !== null) throw new ZmqError("EBADF");
  }
}
