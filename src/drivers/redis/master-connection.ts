import type { ZmqError } from "../../errors.ts";
import { RedisClient } from "../../redis-resp/index.ts";
import type { Emitter, Environment, Timer } from "../../sockets/index.ts";
import type { DriverEvents } from "../driver-events.ts";
import { askMasters } from "./ask-masters.ts";
import { disconnectReason } from "./disconnect-reason.ts";
import { type NodeAddress, nameOf } from "./node-address.ts";
import { type AskMasters, RedisMgt } from "./redis-mgt.ts";
import type { ResolvedRedisOptions } from "./redis-options.ts";

export interface MasterHandler {
  onReady(client: RedisClient): void;
  /** The connection is over, or an attempt has failed. */
  onLost(error: ZmqError): void;
  /** Whether to try again. */
  isWanted(): boolean;
}

/** A publisher's connection to some master: another one when that is lost, or of no use. */
export class MasterConnection {
  readonly #options: ResolvedRedisOptions;
  readonly #environment: Environment;
  readonly #events: Emitter<DriverEvents>;
  readonly #handler: MasterHandler;
  readonly #mgt: RedisMgt;
  readonly #ask: AskMasters;
  /** The connection, or the attempt to get one. */
  #current: RedisClient | null = null;
  #node: NodeAddress | null = null;
  #isReady = false;
  /** Attempts that failed since it has worked last. */
  #failures = 0;
  #retryTimer: Timer | null = null;
  #release: (() => void) | null = null;

  constructor(
    options: ResolvedRedisOptions,
    environment: Environment,
    events: Emitter<DriverEvents>,
    handler: MasterHandler,
  ) {
    this.#options = options;
    this.#environment = environment;
    this.#events = events;
    this.#handler = handler;
    this.#mgt = RedisMgt.getInstance(options.hosts, environment);
    this.#ask = askMasters(options.connection, environment);
  }

  /** Null while there is none that is ready. */
  get client(): RedisClient | null {
    return this.#isReady ? this.#current : null;
  }

  get address(): string | null {
    return this.#isReady ? `redis://${nameOf(this.#node!)}` : null;
  }

  /** Nothing when there is a connection, an attempt, or a pause before the next one. Keeps the process alive until `idle`. */
  connect(): void {
    if (this.#current !== null || this.#retryTimer !== null) return;
    this.#release ??= this.#environment.hold();
    const client = new RedisClient(
      {
        ...this.#options.connection,
        commandTimeout: Math.max(0, this.#options.sendTimeout),
        locate: async () => {
          this.#node = null;
          this.#node = await this.#mgt.selectNode(this.#ask);
          return this.#node;
        },
      },
      this.#environment,
    );
    this.#current = client;
    client.events.on("connect", () => this.#ready(client));
    client.events.on("disconnect", ({ error }) => this.failed(client, error));
    client.connect().catch((error) => {
      if (!this.#isReady) this.failed(client, error);
    });
  }

  /** It has done what it is for. */
  worked(): void {
    this.#failures = 0;
  }

  /** It is of no use any more. Nothing if this client is not the current one. */
  failed(client: RedisClient, error: ZmqError): void {
    if (client !== this.#current) return;
    const { address } = this;
    client.destroy();
    this.#current = null;
    this.#isReady = false;
    if (this.#node !== null) this.#mgt.failed(this.#node, this.#ask);
    const retryIn = this.#delay();
    this.#failures += 1;
    if (address !== null)
      this.#events.emit({ type: "lost", address, reason: disconnectReason(error), error, retryIn });
    this.#retryTimer = this.#environment.setTimer(retryIn, () => {
      this.#retryTimer = null;
      if (this.#handler.isWanted()) this.connect();
    });
    if (this.#handler.isWanted()) this.#release ??= this.#environment.hold();
    this.#handler.onLost(error);
  }

  /** Nobody waits for it: it does not keep the process alive. */
  idle(): void {
    this.#release?.();
    this.#release = null;
  }

  close(): void {
    this.idle();
    this.#retryTimer?.cancel();
    this.#current?.destroy();
    this.#current = null;
    this.#isReady = false;
  }

  #ready(client: RedisClient): void {
    if (client !== this.#current) return;
    this.#isReady = true;
    this.idle();
    this.#mgt.worked(this.#node!);
    this.#events.emit({ type: "connected", address: this.address! });
    this.#handler.onReady(client);
  }

  /** ms: the first attempt after a loss is made at once, the others later and later. */
  #delay(): number {
    if (this.#failures === 0) return 0;
    const { reconnectInterval, reconnectMaxInterval = 0 } = this.#options.connection;
    const longest = Math.min(reconnectMaxInterval, reconnectInterval! * 2 ** (this.#failures - 1));
    return longest * (0.5 + this.#environment.random() / 2);
  }
}
