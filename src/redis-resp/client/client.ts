import type { ZmqError } from "../../errors.ts";
import { Emitter } from "../../runtime/emitter.ts";
import type { Environment } from "../../runtime/environment.ts";
import { nodeEnvironment } from "../../runtime/node.ts";
import type { RespConnection } from "../connection/connection.ts";
import { Link } from "../connection/link.ts";
import { type RedisOptions, resolveOptions } from "../connection/options.ts";
import { type Argument, checkArguments } from "../protocol/encoder.ts";
import { isRefusal } from "../protocol/errors.ts";
import type { RespValue } from "../protocol/values.ts";
import { type CallOptions, closedError } from "./call.ts";
import { RedisCommands } from "./commands.ts";
import { OfflineQueue } from "./offline-queue.ts";
import { PendingCommand, PendingCommands } from "./pending-command.ts";

/** What a client and a subscriber tell of their connection. */
export interface ConnectionEvents {
  /** Ready for commands. */
  connect: { type: "connect"; address: string };
  /** It ended. `retryIn`: ms until the next attempt. */
  disconnect: { type: "disconnect"; address: string; error: ZmqError; retryIn: number };
}

export interface ClientEvents extends ConnectionEvents {
  /** An attempt to connect has failed. */
  error: { type: "error"; error: ZmqError; retryIn: number };
}

export interface ClientStats {
  /** Commands that were taken. */
  commands: number;
  /** Of these, those that are not settled yet. */
  pending: number;
  /** Of these again, those that wait for a connection. */
  queued: number;
  /** Connections that became ready. */
  connections: number;
}

/**
 * A client of one Redis server. It connects at the first command, and again whenever the connection is lost.
 *
 * Commands are sent in order, those of one turn of the event loop in one write, and never twice: what was sent when the connection
 * ended is rejected with EUNKNOWN. What is asked for without a connection waits for one; it is rejected when the server refuses to
 * let us in (WRONGPASS, NOAUTH...). The process lives while a command waits, not because of a client that is idle.
 *
 * Commands that block (BLPOP, WAIT...), or that take long to be sent, hold up those behind them, and count as a dead server after
 * `pingInterval` and `pingTimeout`: give them a client of their own, with `pingInterval: 0`.
 *
 *     await using client = new RedisClient({ host: "127.0.0.1", port: 6379 });
 *     await client.publish("news", "hello");
 */
export class RedisClient extends RedisCommands {
  readonly events: Emitter<ClientEvents>;
  readonly #link: Link;
  readonly #pending: PendingCommands;
  readonly #queue: OfflineQueue;
  #connection: RespConnection | null = null;
  #commands = 0;
  #connections = 0;
  #isClosed = false;
  #closed: Promise<void> | null = null;

  /** @throws {ZmqError} EINVAL for an unknown option or one out of range; {TypeError} for one of the wrong kind. */
  constructor(options: RedisOptions = {}, environment: Environment = nodeEnvironment()) {
    super();
    const { locate, settings } = resolveOptions(options);
    this.events = new Emitter(environment);
    this.#pending = new PendingCommands(environment);
    this.#queue = new OfflineQueue(environment, settings);
    this.#link = new Link({
      environment,
      settings,
      locate,
      handler: {
        onReady: (connection, address) => this.#onReady(connection, address),
        onPush: () => {},
        onLost: (error, retryIn, address) => {
          this.#connection = null;
          this.events.emit({ type: "disconnect", address, error, retryIn });
        },
        onFailed: (error, retryIn) => this.#onFailed(error, retryIn),
      },
    });
  }

  /** Resolves when connected. Rejects with what keeps us from it, and goes on trying; EBADF after `close`. */
  connect(options?: CallOptions): Promise<void> {
    return this.#call(null, NOTHING, options);
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  stats(): ClientStats {
    return {
      commands: this.#commands,
      pending: this.#pending.count,
      queued: this.#queue.length,
      connections: this.#connections,
    };
  }

  /** Gives up the connection and looks for the server anew, at once: another one is responsible. What was sent has an unknown fate. */
  relocate(cause: ZmqError): void {
    this.#link.relocate(cause);
  }

  /** Takes no further command, waits for the replies to those that were sent, and ends. What was not sent is rejected: EBADF. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Ends at once. What was sent is rejected with EUNKNOWN. */
  destroy(): void {
    this.#isClosed = true;
    this.#connection = null;
    this.#queue.rejectAll(closedError());
    this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected override send<T>(
    args: readonly Argument[],
    read: (reply: RespValue) => T,
    options?: CallOptions,
  ): Promise<T> {
    checkArguments(args);
    return this.#call(args, read, options);
  }

  /** @param args null: only to be connected. */
  #call<T>(
    args: readonly Argument[] | null,
    read: (reply: RespValue) => T,
    options?: CallOptions,
  ): Promise<T> {
    if (this.#isClosed) return Promise.reject(closedError());
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const command = new PendingCommand(this.#pending, read, resolve, reject, signal);
      if (args === null) this.#waitForConnection(command);
      else this.#send(args, command);
    });
  }

  #send(args: readonly Argument[], command: PendingCommand<unknown>): void {
    this.#commands += 1;
    if (this.#connection !== null) {
      this.#connection.request(args, command);
    } else {
      this.#link.start();
      this.#queue.add(args, command);
    }
  }

  #waitForConnection(command: PendingCommand<unknown>): void {
    if (this.#connection !== null) {
      command.resolve(null);
    } else {
      this.#link.start();
      this.#queue.addConnect(command);
    }
  }

  #onReady(connection: RespConnection, address: string): void {
    this.#connection = connection;
    this.#connections += 1;
    this.#queue.sendAll(connection);
    this.events.emit({ type: "connect", address });
  }

  #onFailed(error: ZmqError, retryIn: number): void {
    if (isRefusal(error)) this.#queue.rejectAll(error);
    else this.#queue.rejectConnects(error);
    this.events.emit({ type: "error", error, retryIn });
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#queue.rejectAll(closedError());
    await this.#pending.done();
    this.destroy();
  }
}

const NOTHING = (): void => {};
