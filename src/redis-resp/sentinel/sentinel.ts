import { ZmqError } from "../../errors.ts";
import { Emitter } from "../../runtime/emitter.ts";
import type { Environment } from "../../runtime/environment.ts";
import { nodeEnvironment } from "../../runtime/node.ts";
import { closedError } from "../client/call.ts";
import { RedisClient } from "../client/client.ts";
import { type NodeAddress, nameOf } from "../cluster/topology.ts";
import { checkNames } from "../connection/options.ts";
import type { InboxOptions } from "../pubsub/inbox.ts";
import { INBOX_OPTIONS } from "../pubsub/inbox-options.ts";
import { RedisSubscriber } from "../pubsub/subscriber.ts";
import { MasterFinder } from "./master-finder.ts";
import { resolveSentinelOptions, type SentinelOptions, type SentinelSettings } from "./options.ts";
import { readSwitch } from "./sentinel-replies.ts";

export interface SentinelEvents {
  /** Another server is the master now. */
  master: { type: "master"; address: string };
}

/** A client or subscriber that is to be where the master is. */
interface Follower {
  readonly closed: boolean;
  relocate(cause: ZmqError): void;
  close(): Promise<void>;
}

/**
 * Clients and subscribers of a master that sentinels watch over. They find it, and go to the next one as soon as a sentinel tells of it
 * (`+switch-master`), even if the old one still answers them.
 *
 *     const sentinel = new RedisSentinel({ sentinels: [{ host: "10.0.0.1" }, { host: "10.0.0.2" }], name: "mymaster" });
 *     const client = sentinel.client();
 *     const subscriber = sentinel.subscriber();
 */
export class RedisSentinel {
  readonly events: Emitter<SentinelEvents>;
  readonly #environment: Environment;
  readonly #settings: SentinelSettings;
  readonly #finder: MasterFinder;
  readonly #followers = new Set<Follower>();
  #watch: RedisSubscriber | null = null;
  #watched = 0;
  /** Where the master was last found or said to be. */
  #master: NodeAddress | null = null;
  #isClosed = false;

  /** @throws {ZmqError} EINVAL for an unknown option or one out of range; {TypeError} for one of the wrong kind. */
  constructor(options: SentinelOptions, environment: Environment = nodeEnvironment()) {
    this.#environment = environment;
    this.#settings = resolveSentinelOptions(options);
    this.events = new Emitter(environment);
    this.#finder = new MasterFinder(environment, this.#settings);
  }

  /** The sentinels that are known by now. */
  get sentinels(): readonly NodeAddress[] {
    return this.#finder.sentinels;
  }

  /** A client of the master, wherever it is. It ends with the sentinel, if not before. @throws {ZmqError} EBADF when closed. */
  client(): RedisClient {
    const options = { ...this.#settings.master, locate: () => this.#locate() };
    return this.#follow(new RedisClient(options, this.#environment));
  }

  /** A subscriber to the same. @throws {ZmqError} EBADF when closed; EINVAL. @throws {TypeError} */
  subscriber(inbox: InboxOptions = {}): RedisSubscriber {
    checkNames(inbox, INBOX_OPTIONS);
    const options = { ...this.#settings.master, ...inbox, locate: () => this.#locate() };
    const subscriber = new RedisSubscriber(options, this.#environment);
    this.#follow({
      get closed() {
        return subscriber.closed;
      },
      relocate: (cause) => subscriber.relocate(cause, "failover"),
      close: () => subscriber.close(),
    });
    return subscriber;
  }

  /** Asks the sentinels. Rejects with what the last one to fail said, and with EBADF after `close`. */
  async master(): Promise<NodeAddress> {
    if (this.#isClosed) throw closedError();
    return this.#finder.find();
  }

  /** Closes all clients and subscribers made here, as they close. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watch?.close();
    await Promise.all([...this.#followers].map((follower) => follower.close()));
    this.#followers.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #follow<T extends Follower>(follower: T): T {
    if (this.#isClosed) throw closedError();
    for (const one of [...this.#followers]) if (one.closed) this.#followers.delete(one);
    this.#followers.add(follower);
    this.#watch ??= this.#startWatch();
    return follower;
  }

  async #locate(): Promise<NodeAddress> {
    const master = await this.#finder.find();
    this.#moved(master);
    return master;
  }

  /** A subscription at one sentinel after the other. It does not keep the process alive. */
  #startWatch(): RedisSubscriber {
    const environment = { ...this.#environment, hold: () => () => {} };
    const watch = new RedisSubscriber(
      { ...this.#settings.watcher, locate: () => this.#nextSentinel() },
      environment,
    );
    // All that is published after this is heard; what came before may have been missed.
    watch.events.on("gap", () => this.#look());
    watch.events.on("error", () => {});
    watch
      .subscribe("+switch-master", (payload) => this.#onSwitch(payload.toString()))
      .then(
        () => this.#look(),
        () => {},
      );
    return watch;
  }

  #nextSentinel(): NodeAddress {
    const { sentinels } = this.#finder;
    return sentinels[this.#watched++ % sentinels.length] as NodeAddress;
  }

  #onSwitch(text: string): void {
    const switched = readSwitch(text);
    if (switched?.name !== this.#settings.name) return;
    this.#finder.announce(switched.address);
    this.#moved(switched.address);
  }

  #look(): void {
    this.#finder.find().then(
      (master) => this.#moved(master),
      () => {}, // Who needs it asks for himself.
    );
  }

  #moved(master: NodeAddress): void {
    const previous = this.#master;
    if (this.#isClosed || (previous !== null && nameOf(previous) === nameOf(master))) return;
    this.#master = master;
    this.events.emit({ type: "master", address: nameOf(master) });
    if (previous === null) return;
    const cause = new ZmqError("EHOSTDOWN", `the master is ${nameOf(master)} now`);
    for (const follower of this.#followers) follower.relocate(cause);
  }
}
