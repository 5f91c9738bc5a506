import { ZmqError } from "../../errors.ts";
import type { Environment, Timer } from "../../runtime/environment.ts";
import { Fifo } from "../../runtime/fifo.ts";
import type { RespConnection } from "../connection/connection.ts";
import type { Settings } from "../connection/options.ts";
import type { Argument } from "../protocol/encoder.ts";
import type { RespValue } from "../protocol/values.ts";

/** Who waits: a reply that tells when nobody waits any more. */
interface Waiting {
  readonly isSettled: boolean;
  resolve(value: RespValue): void;
  reject(error: ZmqError): void;
}

interface Queued {
  readonly args: readonly Argument[];
  readonly size: number;
  readonly since: number;
  readonly call: Waiting;
}

/** Commands that wait for a connection, in order, bounded by number, bytes and `commandTimeout`. */
export class OfflineQueue {
  readonly #environment: Environment;
  readonly #settings: Settings;
  readonly #queue = new Fifo<Queued>();
  readonly #connects = new Set<Waiting>();
  #bytes = 0;
  #timer: Timer | null = null;

  constructor(environment: Environment, settings: Settings) {
    this.#environment = environment;
    this.#settings = settings;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Rejected with ENOBUFS when the queue is full. */
  add(args: readonly Argument[], call: Waiting): void {
    const { maxQueuedCommands, maxQueuedBytes } = this.#settings;
    this.#dropSettled();
    if (this.#queue.length >= maxQueuedCommands || this.#bytes >= maxQueuedBytes) {
      call.reject(new ZmqError("ENOBUFS", "too many commands wait for a connection"));
      return;
    }
    const size = args.reduce<number>((sum, argument) => sum + sizeOf(argument), 0);
    this.#bytes += size;
    this.#queue.push({ args, size, since: this.#environment.now(), call });
    this.#watch();
  }

  /** Waits for a connection, or for an attempt that fails. */
  addConnect(call: Waiting): void {
    this.#connects.add(call);
  }

  sendAll(connection: RespConnection): void {
    for (const { args, call } of this.#takeAll()) {
      if (!call.isSettled) connection.request(args, call);
    }
    for (const call of this.#takeConnects()) call.resolve(null);
  }

  rejectConnects(error: ZmqError): void {
    for (const call of this.#takeConnects()) call.reject(error);
  }

  /** Those that wait for a connection too. */
  rejectAll(error: ZmqError): void {
    this.rejectConnects(error);
    for (const { call } of this.#takeAll()) call.reject(error);
  }

  #takeConnects(): Waiting[] {
    const calls = [...this.#connects];
    this.#connects.clear();
    return calls;
  }

  #takeAll(): Queued[] {
    const all = [...this.#queue];
    this.#queue.clear();
    this.#bytes = 0;
    this.#timer?.cancel();
    this.#timer = null;
    return all;
  }

  /** One timer, for the eldest. */
  #watch(): void {
    const { commandTimeout } = this.#settings;
    const eldest = this.#queue.peek();
    if (commandTimeout === 0 || this.#timer !== null || eldest === undefined) return;
    const wait = Math.max(1, Math.ceil(eldest.since + commandTimeout - this.#environment.now()));
    this.#timer = this.#environment.setTimer(wait, () => {
      this.#timer = null;
      this.#rejectLate(this.#environment.now() - commandTimeout);
      this.#watch();
    });
  }

  #rejectLate(since: number): void {
    const error = new ZmqError("ETIMEDOUT", "no connection in time; not sent");
    for (
      let eldest = this.#queue.peek();
      eldest !== undefined && eldest.since <= since;
      eldest = this.#queue.peek()
    ) {
      this.#shift();
      eldest.call.reject(error);
    }
  }

  /** Those given up meanwhile, as far as nobody is before them. */
  #dropSettled(): void {
    while (this.#queue.peek()?.call.isSettled) this.#shift();
  }

  #shift(): void {
    this.#bytes -= this.#queue.shift()?.size ?? 0;
  }
}

function sizeOf(argument: Argument): number {
  return typeof argument === "object" || typeof argument === "string" ? argument.length : 20;
}
