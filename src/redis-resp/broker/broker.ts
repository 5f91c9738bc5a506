import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { nodeEnvironment } from "../../runtime/node.ts";
import type { Listener, Transport, TransportOptions } from "../../transports/transport.ts";
import { Core } from "./core.ts";
import { BrokerFaults } from "./faults.ts";
import { type BrokerOptions, resolveBrokerOptions } from "./options.ts";

export interface BrokerStats {
  /** Clients that are connected. */
  clients: number;
  /** Clients that were ever taken in. */
  connections: number;
  /** Of these, those that were one too many. */
  refused: number;
  /** Requests, unknown ones included. */
  commands: number;
  /** PUBLISH and SPUBLISH. */
  published: number;
  /** Messages handed to subscribers. */
  delivered: number;
  /** Subscribers closed because too much was waiting for them. */
  closedForOutput: number;
  /** Different channels, patterns and sharded channels that anyone is subscribed to. */
  channels: number;
  patterns: number;
  shardChannels: number;
  /** Keys in all databases, and the bytes that they count for. */
  keys: number;
  memory: number;
}

/**
 * A small Redis server inside the process, for demos and tests: publish and subscribe in all three kinds, strings and hashes in
 * memory, RESP2 and RESP3. It speaks as redis-server 7.0 does, errors included, to any client.
 *
 *     await using broker = new RedisBroker();
 *     await broker.listen();
 *     const client = new RedisClient(broker.address);
 *
 * Nothing is kept on disk. Like any server it keeps the process alive from `listen()` to `close()`. What goes wrong with real
 * servers, it does when it is told to: see {@link BrokerFaults}.
 */
export class RedisBroker {
  readonly faults: BrokerFaults;
  readonly #core: Core;
  readonly #environment: Environment;
  #phase: "new" | "binding" | "listening" | "closed" = "new";
  #listener: Listener | null = null;
  #release: (() => void) | null = null;

  /**
   * @throws {ZmqError} EINVAL for an unknown option or one out of range, and for a host beyond loopback without password;
   *   {TypeError} for one of the wrong kind.
   */
  constructor(options: BrokerOptions = {}, environment: Environment = nodeEnvironment()) {
    this.#core = new Core(environment, resolveBrokerOptions(options));
    this.#environment = environment;
    this.faults = new BrokerFaults(this.#core);
  }

  /**
   * Begins to take in clients.
   * @throws {ZmqError} by rejection: EADDRINUSE, EADDRNOTAVAIL, EACCES...; EBUSY when it listens already, EBADF when it is closed.
   */
  async listen(): Promise<void> {
    if (this.#phase === "closed") throw new ZmqError("EBADF", "Broker is closed");
    if (this.#phase !== "new") throw new ZmqError("EBUSY", "Broker listens already");
    this.#phase = "binding";
    const release = this.#environment.hold();
    try {
      await this.#bind();
    } catch (error) {
      release();
      if (this.#phase === "binding") this.#phase = "new";
      throw error;
    }
    this.#release = release;
    this.#phase = "listening";
  }

  /** Where clients reach it. @throws {ZmqError} EBADF while it does not listen. */
  get address(): { host: string; port: number } {
    if (this.#phase !== "listening") throw new ZmqError("EBADF", "Broker does not listen");
    return { ...this.#core.address };
  }

  stats(): BrokerStats {
    const { counters, sessions, channels, patterns, shardChannels, store } = this.#core;
    return {
      ...counters,
      clients: sessions.size,
      channels: channels.size,
      patterns: patterns.size,
      shardChannels: shardChannels.size,
      keys: store.databases.reduce((sum, database) => sum + database.size, 0),
      memory: store.bytes,
    };
  }

  /** Closes all connections and frees the port; keys are gone. Resolves when nothing is left open. Never rejects. */
  async close(): Promise<void> {
    this.#phase = "closed";
    const listening = this.#listener?.close();
    this.#listener = null;
    await Promise.all([listening, this.#core.end()]);
    this.#core.store.clear();
    this.#release?.();
    this.#release = null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #bind(): Promise<void> {
    const { host, port } = this.#core.options;
    const isBareIpv6 = host.includes(":") && !host.startsWith("[");
    const listener = await (this.#environment.transports.tcp as Transport).listen(
      `tcp://${isBareIpv6 ? `[${host}]` : host}:${port}`,
      { ...TRANSPORT, ipv6: host.includes(":") },
      (stream) => this.#core.accept(stream),
      () => {
        this.#core.counters.refused += 1;
      },
    );
    if (this.#phase === "closed") {
      await listener.close();
      throw new ZmqError("EBADF", "Broker was closed");
    }
    this.#listener = listener;
    this.#core.address = addressOf(listener.address);
  }
}

const TRANSPORT: TransportOptions = {
  ipv6: false,
  backlog: 511,
  connectTimeout: 0,
  tcpKeepalive: -1,
  tcpKeepaliveIdle: -1,
};

/** Of `tcp://host:port`, brackets off. */
function addressOf(endpoint: string): { host: string; port: number } {
  const colon = endpoint.lastIndexOf(":");
  const host = endpoint.slice("tcp://".length, colon).replace(/^\[|\]$/g, "");
  return { host, port: Number(endpoint.slice(colon + 1)) };
}
