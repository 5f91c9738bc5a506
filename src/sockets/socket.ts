import { ZmqError } from "../errors.ts";
import type { Transport } from "../transports/transport.ts";
import { OutgoingMessage, type SocketType } from "../zmtp/index.ts";
import { Acceptor } from "./acceptor.ts";
import type { Context } from "./context.ts";
import type { Core } from "./core.ts";
import { Dialer } from "./dialer.ts";
import { Emitter } from "./emitter.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Environment } from "./environment.ts";
import type { Events } from "./events.ts";
import { type MessageLike, toParts } from "./message.ts";
import {
  type AllOptions,
  COMMON_OPTIONS,
  type CommonOptions,
  checkOption,
  defaultOptions,
  isOption,
  type OptionName,
} from "./options.ts";
import type { Pattern } from "./pipe.ts";
import type { SocketStats } from "./stats.ts";

/** How a type makes its pattern. */
export type PatternClass<P extends Pattern> = new (environment: Environment, options: AllOptions) => P;

// biome-ignore lint/correctness/noUnusedVariables: both declarations must have the same parameters.
export interface Socket<P extends Pattern = Pattern> extends CommonOptions {}

/** What all sockets share: endpoints, options, events, and their end. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export abstract class Socket<P extends Pattern = Pattern> {
  readonly #events: Events;
  readonly #core: Core;
  readonly #pattern: P;
  readonly #options: AllOptions;
  /** Those that are closed too, until they have sent what they had. */
  readonly #endpoints = new Set<Endpoint>();
  readonly #binding = new Set<Promise<void>>();
  #lastEndpoint: string | null = null;
  #isClosed = false;
  #closing: Promise<void> | null = null;

  static {
    Socket.defineOptions(Socket.prototype, COMMON_OPTIONS);
  }

  /** @param defaults those that differ from other types'. */
  protected constructor(
    type: SocketType,
    Pattern: PatternClass<P>,
    given: object,
    context: Context,
    defaults: Partial<AllOptions> = {},
  ) {
    if (typeof given !== "object" || given === null) throw new TypeError("Options must be an object");
    this.#options = { ...defaultOptions(), ...defaults };
    this.#events = new Emitter(context.environment);
    this.#pattern = new Pattern(context.environment, this.#options);
    const gone = { sent: 0, received: 0, dropped: 0 };
    this.#core = {
      type,
      context,
      options: this.#options,
      events: this.#events,
      pattern: this.#pattern,
      gone,
    };
    for (const name of Object.keys(given)) {
      if (!isOption(name) || !(name in this)) throw new TypeError(`Unknown option: ${name}`);
      const value: unknown = (given as Record<string, unknown>)[name];
      if (value !== undefined) (this as Record<string, unknown>)[name] = value;
    }
    // As in zeromq.js: a misspelt option is an error, not a new property.
    Object.seal(this);
  }

  /** What happens to its connections. @see SocketEvents */
  get events(): Events {
    return this.#events;
  }

  /** The address last bound, as it really is, or last dialled, as it was given; null at first. */
  get lastEndpoint(): string | null {
    return this.#lastEndpoint;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /**
   * Listens on an address: `tcp://host:port`, `tcp://*:*`, `ipc://path`, `ipc://*`. Resolves when connections can come in;
   * `lastEndpoint` then has the address with the real port.
   *
   * @throws {ZmqError} by rejection: EINVAL, EPROTONOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, ENODEV, EACCES, ENOENT,
   *   ENAMETOOLONG; EBADF when the socket was closed.
   */
  bind(address: string): Promise<void> {
    this.#assertOpen();
    assertAddress(address);
    const bound = this.#listen(address);
    const settled = bound.then(
      () => {},
      () => {},
    );
    this.#binding.add(settled);
    void settled.then(() => this.#binding.delete(settled));
    return bound;
  }

  /**
   * Stops listening and ends the connections that came in that way, after `linger`; resolves then. The address is the one
   * that `lastEndpoint` told.
   *
   * @throws {ZmqError} by rejection: ENOENT for what is not bound, EINVAL, EPROTONOSUPPORT; EBADF at once.
   */
  unbind(address: string): Promise<void> {
    this.#assertOpen();
    assertAddress(address);
    return this.#unlisten(address);
  }

  /**
   * Dials an address, and dials again whenever the connection is lost, until `disconnect` or `close`.
   *
   * @throws {ZmqError} at once: EINVAL, EPROTONOSUPPORT, ENAMETOOLONG for what is no address, EBADF when the socket is closed.
   *   What goes wrong later shows in `events`.
   */
  connect(address: string): void {
    this.#assertOpen();
    assertAddress(address);
    const transport = this.#transportFor(address);
    transport.check(address, "connect");
    this.#lastEndpoint = address;
    if (!this.connectsTwice && this.#find(address, Dialer).length > 0) return;
    const dialer = new Dialer(this.#core, address, transport, () => this.#endpoints.delete(dialer));
    this.#endpoints.add(dialer);
    dialer.start();
  }

  /**
   * Ends all connections dialled to this address, after `linger`.
   * @throws {ZmqError} at once: ENOENT when there are none, EINVAL, EPROTONOSUPPORT, EBADF.
   */
  disconnect(address: string): void {
    this.#assertOpen();
    assertAddress(address);
    this.#remove(address, Dialer);
  }

  /**
   * Closes the socket at once: calls that wait are settled (EAGAIN), further ones throw EBADF. Resolves when what is queued has
   * been sent or `linger` is over; never rejects. Until then the process is kept alive.
   */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Counts of messages. Costs some work for each peer. */
  stats(): SocketStats {
    const peers = [...this.#endpoints].flatMap((endpoint) => endpoint.stats());
    const sum = (name: "sent" | "received" | "dropped" | "queued"): number =>
      peers.reduce((total, peer) => total + peer[name], 0);
    const { gone } = this.#core;
    return {
      sent: gone.sent + sum("sent"),
      received: gone.received + sum("received"),
      dropped: gone.dropped + sum("dropped"),
      queued: sum("queued") + this.#pattern.left(),
      peers,
    };
  }

  /** `await using socket = ...` */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether a second `connect` to an address makes a second connection; for these types libzmq makes none. */
  protected get connectsTwice(): boolean {
    return true;
  }

  /** Turns what the caller gave into a message; null for an empty list, which is nothing to send. */
  protected outgoing(message: MessageLike | readonly MessageLike[]): OutgoingMessage | null {
    this.#assertOpen();
    const parts = toParts(message, this.#core.context.environment);
    return parts.length === 0 ? null : new OutgoingMessage(parts);
  }

  protected assertOpen(): void {
    this.#assertOpen();
  }

  protected get pattern(): P {
    return this.#pattern;
  }

  /** Makes properties of the options in a table, on the prototype of the class that has them. */
  protected static defineOptions(prototype: object, table: Readonly<Record<string, unknown>>): void {
    for (const name of Object.keys(table) as OptionName[]) {
      Object.defineProperty(prototype, name, {
        get(this: Socket<Pattern>) {
          return this.#options[name];
        },
        set(this: Socket<Pattern>, value: unknown) {
          checkOption(name, value);
          (this.#options as Record<OptionName, unknown>)[name] = value;
        },
        configurable: true,
      });
    }
  }

  async #listen(address: string): Promise<void> {
    const transport = this.#transportFor(address);
    transport.check(address, "bind");
    const acceptor = new Acceptor(this.#core);
    const release = this.#core.context.environment.hold();
    try {
      await acceptor.listen(address, transport);
    } finally {
      release();
    }
    const tooLate = this.#isClosed;
    this.#endpoints.add(acceptor);
    this.#lastEndpoint = acceptor.address;
    this.#events.emit({ type: "bind", address: acceptor.address });
    if (!tooLate) return;
    await this.#end(acceptor);
    throw new ZmqError("EBADF", undefined, { address });
  }

  async #unlisten(address: string): Promise<void> {
    await Promise.all(this.#remove(address, Acceptor));
  }

  async #close(): Promise<void> {
    this.#pattern.close();
    await Promise.all([...[...this.#endpoints].map((endpoint) => this.#end(endpoint)), ...this.#binding]);
    this.#events.emit({ type: "end" });
  }

  async #end(endpoint: Endpoint): Promise<void> {
    await endpoint.close(this.#options.linger);
    this.#endpoints.delete(endpoint);
  }

  #find(address: string, kind: typeof Acceptor | typeof Dialer): Endpoint[] {
    return [...this.#endpoints].filter(
      (endpoint) => endpoint instanceof kind && endpoint.address === address && !endpoint.isClosing,
    );
  }

  #remove(address: string, kind: typeof Acceptor | typeof Dialer): Promise<void>[] {
    this.#transportFor(address);
    const found = this.#find(address, kind);
    if (found.length === 0) throw new ZmqError("ENOENT", undefined, { address });
    return found.map((endpoint) => this.#end(endpoint));
  }

  #transportFor(address: string): Transport {
    const scheme = /^([^:]+):\/\/./.exec(address)?.[1];
    if (scheme === undefined) throw new ZmqError("EINVAL", undefined, { address });
    const transports = this.#core.context.environment.transports;
    if (!Object.hasOwn(transports, scheme)) throw new ZmqError("EPROTONOSUPPORT", undefined, { address });
    return transports[scheme] as Transport;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new ZmqError("EBADF");
  }
}

function assertAddress(address: unknown): asserts address is string {
  if (typeof address !== "string") throw new TypeError("Address must be a string");
}
