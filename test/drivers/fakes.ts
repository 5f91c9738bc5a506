import type {
  DbChangesCallback,
  EventFrames,
  FramesCallback,
  PublisherApi,
  PublisherStats,
  SubscriberApi,
  SubscriberStats,
} from "../../src/drivers/driver/api.ts";
import type { DriverEvents } from "../../src/drivers/driver/driver-events.ts";
import { frames, type UnpackedMessage, unpackMessage, type WireForm } from "../../src/drivers/event/codec.ts";
import { DbUpdate, type DbUpdateOptions } from "../../src/drivers/event/db-update.ts";
import { MemoryStore, type Store } from "../../src/drivers/store/store.ts";
import { nodeEnvironment } from "../../src/runtime/node.ts";
import { Emitter } from "../../src/sockets/index.ts";

/** A publisher that keeps what it is given. */
export class FakePublisher implements PublisherApi {
  readonly events: Emitter<DriverEvents> = new Emitter(nodeEnvironment());
  readonly frames: EventFrames[] = [];
  /** What was done to it, in order. */
  readonly calls: string[] = [];
  /** Throws in place of sending. */
  refuse: (event: UnpackedMessage) => void = () => {};
  bindError: Error | null = null;
  isBrokered = false;

  /** The events in the frames. */
  get published(): UnpackedMessage[] {
    return this.frames.map(([, payload]) => unpackMessage(payload));
  }

  async initialize(): Promise<void> {
    this.calls.push("initialize");
    if (this.bindError !== null) throw this.bindError;
  }

  async sendEvent(update: DbUpdate, topic?: string | null): Promise<void> {
    await this.sendFrames(frames(update, topic));
  }

  async sendFrames(event: EventFrames): Promise<void> {
    this.refuse(unpackMessage(event[1]));
    this.frames.push(event);
  }

  async close(): Promise<void> {
    this.calls.push("close");
  }

  stats(): PublisherStats {
    return { sent: this.frames.length, dropped: 0, queued: 0 };
  }
}

/** A subscriber whose events come from the test. */
export class FakeSubscriber implements SubscriberApi {
  readonly events: Emitter<DriverEvents> = new Emitter(nodeEnvironment());
  readonly addresses: Set<string> = new Set();
  readonly topics: Set<string> = new Set();
  /** What was done to it, in order. */
  readonly calls: string[] = [];
  isDaemonize = false;
  bindError: Error | null = null;
  /** Throws for addresses that are none. */
  check: (uri: string) => void = () => {};
  queued = 0;
  #delivered = 0;
  #callback: FramesCallback = () => undefined;

  async initialize(callback: DbChangesCallback): Promise<void> {
    await this.initializeFrames((event) =>
      event === null
        ? callback(null, null, "sync", null, null)
        : callback(event.table, event.key, event.action, event.value, event.topic),
    );
  }

  async initializeFrames(callback: FramesCallback): Promise<void> {
    this.calls.push("initialize");
    this.#callback = callback;
  }

  registerListenAddress(uri: string): boolean {
    this.check(uri);
    this.calls.push(`+${uri}`);
    const isNew = !this.addresses.has(uri);
    this.addresses.add(uri);
    return isNew;
  }

  unregisterListenAddress(uri: string): boolean {
    this.calls.push(`-${uri}`);
    return this.addresses.delete(uri);
  }

  registerTopic(topic: string): boolean {
    const isNew = !this.topics.has(topic);
    this.topics.add(topic);
    return isNew;
  }

  unregisterTopic(topic: string): boolean {
    return this.topics.delete(topic);
  }

  async daemonize(): Promise<void> {
    this.calls.push("daemonize");
    if (this.bindError !== null) throw this.bindError;
    this.isDaemonize = true;
  }

  async settled(): Promise<void> {}

  async close(): Promise<void> {
    this.calls.push("close");
    this.isDaemonize = false;
  }

  stats(): SubscriberStats {
    const counts = { filtered: 0, undecodable: 0, failed: 0, syncs: 0, periodicSyncs: 0 };
    return { ...counts, delivered: this.#delivered, queued: this.queued };
  }

  /** An event comes in. */
  async receive(update: DbUpdateOptions, form: WireForm = "map"): Promise<EventFrames> {
    const received = frames(new DbUpdate(update), null, form);
    await this.receiveFrames(received);
    return received;
  }

  async receiveFrames(received: EventFrames): Promise<void> {
    await this.#callback(unpackMessage(received[1]), received);
    this.#delivered += 1;
  }

  /** Something was lost on the way. */
  async sync(): Promise<void> {
    await this.#callback(null, null);
  }
}

/** A store that can be told to fail, or not to answer. */
export class FaultyStore implements Store {
  readonly rows: MemoryStore = new MemoryStore();
  /** The calls, in order: method and key. */
  readonly calls: string[] = [];
  mode: "good" | "fails" | "throws" | "hangs" = "good";

  getKey(table: string, key: string): Promise<string> {
    return this.#call(`getKey ${key}`, () => this.rows.getKey(table, key));
  }

  setKey(table: string, key: string, value: string): Promise<void> {
    return this.#call(`setKey ${key}`, () => this.rows.setKey(table, key, value));
  }

  createKey(table: string, key: string, value: string): Promise<void> {
    return this.#call(`createKey ${key}`, () => this.rows.createKey(table, key, value));
  }

  deleteKey(table: string, key: string): Promise<void> {
    return this.#call(`deleteKey ${key}`, () => this.rows.deleteKey(table, key));
  }

  getAllKeys(table: string): Promise<string[]> {
    return this.#call("getAllKeys", () => this.rows.getAllKeys(table));
  }

  #call<T>(name: string, call: () => Promise<T>): Promise<T> {
    this.calls.push(name);
    if (this.mode === "throws") throw new Error("the database is down");
    if (this.mode === "fails") return Promise.reject(new Error("the database is down"));
    return this.mode === "hangs" ? new Promise(() => {}) : call();
  }
}
