import type { ZmqError } from "../../errors.ts";
import { RedisClient } from "../../redis-resp/index.ts";
import type { Emitter, Environment, Timer } from "../../sockets/index.ts";
import type { DriverEvents } from "../driver/driver-events.ts";
import { ChosenMaster } from "./chosen-master.ts";
import { disconnectReason } from "./disconnect-reason.ts";
import { nameOf } from "./node-address.ts";
import type { ResolvedRedisOptions } from "./redis-options.ts";

export interface MasterHandler {
  onReady(client: RedisClient): void;
  /** The connection is over, or an attempt has failed. */
  onLost(error: ZmqError): void;
  /** What this server has taken since it was connected may have reached nobody else. */
  onDoubt(): void;
  /** Whether to try again. */
  isWanted(): boolean;
}

/** A publisher's connection to some master: another one when that is lost, or of no use. */
export class MasterConnection {
  readonly #options: ResolvedRedisOptions;
  readonly #environment: Environment;
  readonly #events: Emitter<DriverEvents>;
  readonly #handler: MasterHandler;
  readonly #master: ChosenMaster;
  /** The connection, or the attempt to get one. */
  #current: RedisClient | null = null;
  #isReady = false;
  /** This connection has done what it is for. */
  #hasWorked = false;
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
    this.#master = new ChosenMaster(options, environment, (error) => this.#isOut(error));
  }

  /** Null while there is none that is ready. */
  get client(): RedisClient | null {
    return this.#isReady ? this.#current : null;
  }

  get address(): string | null {
    return this.#isReady ? `redis://${nameOf(this.#master.node!)}` : null;
  }

  /**
   * Nothing when there is a connection. Keeps the process alive until `idle`, also in a pause before the next
   * attempt.
   */
  connect(): void {
    if (this.#isReady) return;
    this.#release ??= this.#environment.hold();
    if (this.#current !== null || this.#retryTimer !== null) return;
    const client = new RedisClient(
      {
        ...this.#options.connection,
        commandTimeout: Math.max(0, this.#options.sendTimeout),
        locate: () => this.#master.choose(),
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
    this.#hasWorked = true;
  }

  /** It is of no use any more. Nothing if this client is not the current one. */
  failed(client: RedisClient, error: ZmqError): void {
    if (client !== this.#current) return;
    const { address } = this;
    this.#end();
    this.#master.failed();
    const retryIn = this.#delay();
    this.#failures += 1;
    if (address !== null)
      this.#events.emit({ type: "lost", address, reason: disconnectReason(error), error, retryIn });
    this.#retryTimer = this.#environment.setTimer(retryIn, () => {
      this.#retryTimer = null;
      if (this.#handler.isWanted()) this.connect();
      else this.idle();
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
    this.#master.close();
    this.#retryTimer?.cancel();
    this.#end();
  }

  #end(): void {
    this.#current?.destroy();
    this.#current = null;
    this.#isReady = false;
  }

  #ready(client: RedisClient): void {
    if (client !== this.#current) return;
    this.#isReady = true;
    this.idle();
    this.#hasWorked = false;
    this.#master.connected();
    this.#events.emit({ type: "connected", address: this.address! });
    this.#handler.onReady(client);
  }

  #isOut(error: ZmqError): void {
    const isDoubtful = this.#hasWorked;
    this.failed(this.#current!, error);
    if (isDoubtful) this.#handler.onDoubt();
  }

  /** ms: the first attempt after a loss is made at once, the others later and later. */
  #delay(): number {
    if (this.#failures === 0) return 0;
    const { reconnectInterval, reconnectMaxInterval = 0 } = this.#options.connection;
    const longest = Math.min(reconnectMaxInterval, reconnectInterval! * 2 ** (this.#failures - 1));
    return longest * (0.5 + this.#environment.random() / 2);
  }
}
