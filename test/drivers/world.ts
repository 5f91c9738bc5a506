import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect } from "vitest";
import { frames } from "../../src/drivers/event/codec.ts";
import {
  DbUpdate,
  type DriverEvents,
  type PublisherApi,
  type SubscriberApi,
  type TopicOptions,
  type ZmqOptions,
  ZmqPubSub,
  ZmqPubSubMultiproc,
} from "../../src/drivers/index.ts";
import type { ZmqPublisher } from "../../src/drivers/zmq/zmq-publisher.ts";
import { stablePort } from "../support/ports.ts";
import { sleep, until } from "../support/wait.ts";

/** Where the rows are: written before an event tells of them, read at every `sync`. */
export type Database = Map<string, string>;

/** Short enough for tests, long enough for a busy machine. */
export const QUICK: ZmqOptions = {
  wireForm: "map",
  syncMinInterval: 200,
  startTimeout: 10_000,
  reconnectInterval: 20,
  reconnectMaxInterval: 100,
};
/** ms in which a second `sync` would have come, were there to be one. */
export const QUIET = 700;

/** An event of a row, as it goes into the database and out to the controllers. */
export function rowEvent(key: string, value: string, topic = "D"): DbUpdate {
  return new DbUpdate({ table: "lport", key, action: "set", value, topic });
}

/** Somebody with a copy of the database, kept by events and mended at each `sync`. */
export class Controller {
  readonly subscriber: SubscriberApi;
  /** What it was called back with, in order: keys of events, and "sync". */
  readonly seen: string[] = [];
  readonly events: DriverEvents[keyof DriverEvents][] = [];
  readonly errors: unknown[] = [];
  copy: Map<string, string> = new Map();
  /** Called first in each callback, with the key or "sync". */
  before: (what: string) => unknown = () => undefined;
  readonly #database: Database;

  constructor(make: (onError: (error: unknown) => void) => SubscriberApi, database: Database) {
    this.#database = database;
    this.subscriber = make((error) => this.errors.push(error));
    for (const type of EVENT_TYPES) this.subscriber.events.on(type, (event) => this.events.push(event));
  }

  async start(addresses: readonly string[] = [], topics: readonly string[] = ["D"]): Promise<this> {
    await this.subscriber.initialize((_table, key, action, value) => this.#callback(key, action, value));
    for (const topic of topics) this.subscriber.registerTopic(topic);
    for (const address of addresses) this.subscriber.registerListenAddress(address);
    await this.subscriber.daemonize();
    return this;
  }

  get syncs(): number {
    return this.seen.filter((what) => what === "sync").length;
  }

  /** The reasons of each sync so far. */
  get reasons(): string[][] {
    return this.events.flatMap((event) => (event.type === "sync" ? [[...event.reasons]] : []));
  }

  of<Type extends keyof DriverEvents>(type: Type): DriverEvents[Type][] {
    return this.events.filter((event) => event.type === type) as DriverEvents[Type][];
  }

  /** Resolves when so many events of a type have come. */
  heard(type: keyof DriverEvents, count = 1, milliseconds = 15_000): Promise<void> {
    return until(`${count} ${type}`, () => this.of(type).length >= count, milliseconds);
  }

  has(...keys: string[]): Promise<void> {
    return until(`${keys} have come`, () => keys.every((key) => this.seen.includes(key)), 15_000);
  }

  /** Nothing was lost for good, and there have been so many syncs: also after a time in which another would have come. */
  async isMended(syncs: number, quiet: number = QUIET): Promise<void> {
    await until(`sync ${syncs}`, () => this.syncs >= syncs, 20_000);
    await until("the copy equals the database", () => equal(this.copy, this.#database), 15_000);
    await sleep(quiet);
    expect(this.syncs, `syncs, because of ${JSON.stringify(this.reasons)}`).toBe(syncs);
    expect(this.copy).toEqual(this.#database);
  }

  async #callback(key: string | null, action: string, value: unknown): Promise<void> {
    const what = action === "sync" ? "sync" : key!;
    const result = this.before(what);
    if (result instanceof Promise) await result;
    this.seen.push(what);
    if (what === "sync") this.copy = new Map(this.#database);
    else this.copy.set(what, value as string);
  }
}

const EVENT_TYPES = [
  "connected",
  "lost",
  "inForce",
  "gap",
  "sync",
  "decodeError",
  "callbackError",
  "dropped",
] as const;

function equal(a: Database, b: Database): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

/** A publisher of this process and the database it tells of. */
export class World {
  readonly database: Database = new Map();
  /** Makes every value longer. */
  padding = "";
  readonly #closing: (() => unknown)[] = [];
  #written = 0;

  /** @param port 0: one that stays free for {@link again}. */
  async publisher(port = 0, options: ZmqOptions = {}): Promise<ZmqPublisher> {
    const publisherPort = port || (await stablePort());
    const given = { ...QUICK, publisherBindAddress: "127.0.0.1", publisherPort, linger: 0 };
    const publisher = new ZmqPubSub({ ...given, onError: () => {}, ...options }).getPublisher();
    this.onEnd(() => publisher.close());
    await until(`port ${publisherPort} is free`, () =>
      publisher.initialize().then(
        () => true,
        (error) => {
          if (error.code !== "EADDRINUSE") throw error;
          return false;
        },
      ),
    );
    return publisher;
  }

  /** A new one in the place of one that was closed. */
  again(publisher: ZmqPublisher): Promise<ZmqPublisher> {
    return this.publisher(Number(publisher.address!.split(":").at(-1)));
  }

  controller(options: ZmqOptions = {}): Controller {
    return this.controllerOf((onError) => new ZmqPubSub({ ...QUICK, onError, ...options }).getSubscriber());
  }

  /** One that binds an ipc socket and hears the writers of this host. */
  service(publisherMultiprocSocket: string, options: ZmqOptions = {}): Controller {
    return this.controllerOf((onError) =>
      new ZmqPubSubMultiproc({ ...QUICK, publisherMultiprocSocket, onError, ...options }).getSubscriber(),
    );
  }

  /** Writes a row and gives the frames that tell of it. */
  row(key: string, topic?: string): [topic: Buffer, payload: Buffer] {
    return frames(this.change(key, topic), undefined, "map");
  }

  /** Writes a row and gives the event that tells of it. */
  change(key: string, topic?: string): DbUpdate {
    this.#written += 1;
    const value = `${this.#written}${this.padding}`;
    this.database.set(key, value);
    return rowEvent(key, value, topic);
  }

  /** Writes a row, then publishes it. */
  async write(publisher: Pick<PublisherApi, "sendEvent">, key: string, topic?: string): Promise<void> {
    await publisher.sendEvent(this.change(key, topic));
  }

  onEnd(action: () => unknown): void {
    this.#closing.unshift(action);
  }

  async end(): Promise<void> {
    for (const action of this.#closing.splice(0)) await action();
    this.database.clear();
    this.padding = "";
  }

  /** @param make a subscriber of any driver. */
  controllerOf(make: (onError: (error: unknown) => void) => SubscriberApi): Controller {
    const controller = new Controller(make, this.database);
    this.onEnd(() => controller.subscriber.close());
    return controller;
  }
}

/** A world whose drivers are closed after each test. */
export function useWorld(): World {
  const world = new World();
  afterEach(() => world.end());
  return world;
}

/** For tests that run at the same time: worlds of their own, closed after the last test of the file. */
export function useWorlds(): () => World {
  const worlds: World[] = [];
  afterAll(async () => {
    for (const world of worlds) await world.end();
  });
  return () => {
    const world = new World();
    worlds.push(world);
    return world;
  };
}

/** Paths for ipc sockets, in a folder that goes after each test. */
export function useSocketPaths(): () => string {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "zmtp-"));
    folders.push(folder);
    return join(folder, "socket");
  };
}

/** For `registerTopic` when the caller reads the database itself. */
export const NO_SYNC: TopicOptions = { sync: false };
