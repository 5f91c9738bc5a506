// biome-ignore-all lint/complexity/noThisInStatic: bundlers rename a class that names itself, and users see its name in errors.
import { ZmqError } from "../errors.ts";
import { OutgoingMessage, type SocketType } from "../zmtp/index.ts";
import { type Context, contextOf, type InContext } from "./context/context.ts";
import type { OpenSocket } from "./context/open-sockets.ts";
import { Core, type PatternClass } from "./core.ts";
import { Observer } from "./events/observer.ts";
import { type MessageLike, toParts } from "./message.ts";
import { COMMON_OPTIONS, type CommonOptions } from "./options/common-options.ts";
import { defineOptions } from "./options/define-options.ts";
import type { AllOptions } from "./options/options.ts";
import type { Pattern } from "./pipes/pipe.ts";
import type { SocketStats } from "./stats.ts";
import { TYPE_NUMBERS } from "./type-numbers.ts";

// biome-ignore lint/correctness/noUnusedVariables: both declarations must have the same parameters.
export interface Socket<P extends Pattern = Pattern> extends CommonOptions {}

/** What all sockets share: endpoints, options, events, and their end. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export abstract class Socket<P extends Pattern = Pattern> {
  readonly #core: Core<P>;
  #observer: Observer | null = null;
  /** What the context knows of us. */
  readonly #open: OpenSocket = {
    mustLinger: () => this.#core.options.linger !== 0 && this.#core.endpoints.unsent > 0,
    close: () => this.close(),
  };
  #closing: Promise<void> | null = null;

  static {
    defineOptions<CommonOptions>(this.prototype, COMMON_OPTIONS);
  }

  /** @param defaults those that differ from other types'. */
  protected constructor(
    type: SocketType,
    Pattern: PatternClass<P>,
    given: object,
    defaultContext: Context,
    defaults: Partial<AllOptions> = {},
  ) {
    if (typeof given !== "object" || given === null) throw new TypeError("Options must be an object");
    const context = contextOf(given, defaultContext);
    this.#core = new Core(this, type, Pattern, context, defaults);
    // A misspelt or a read-only option is an error, given here or set later, and not a new property: as in zeromq.js.
    Object.seal(this);
    const { context: _, ...options } = given as InContext;
    Object.assign(this, options);
    context.sockets.opened(this.#open, context.maxSockets);
  }

  /** What happens to its connections; made when first asked for, and the same always. @see SocketEvents */
  get events(): Observer {
    this.#observer ??= new Observer(this as unknown as Socket);
    return this.#observer;
  }

  /** The address last bound, as it really is, or last dialled, as it was given; null at first. */
  get lastEndpoint(): string | null {
    return this.#core.endpoints.last;
  }

  get context(): Context {
    return this.#core.context;
  }

  /** libzmq's number of the type: ZMQ_TYPE. */
  get type(): number {
    return TYPE_NUMBERS[this.#core.type];
  }

  /** null: none. ZMQ_MECHANISM. */
  get securityMechanism(): null {
    return null;
  }

  /** ZMQ_THREAD_SAFE. */
  get threadSafe(): boolean {
    return false;
  }

  /** Whether a message waits to be received. */
  get readable(): boolean {
    return !this.#core.isClosed && this.#core.pattern.isReadable();
  }

  /** Whether a message can be sent at once. */
  get writable(): boolean {
    return !this.#core.isClosed && this.#core.pattern.isWritable();
  }

  get closed(): boolean {
    return this.#core.isClosed;
  }

  /**
   * Listens on an address: `tcp://host:port`, `tcp://*:*`, `ipc://path`, `ipc://*`, `inproc://name` (a name of up to 256 bytes, known in
   * this context). Resolves when connections can come in; `lastEndpoint` then has the address with the real port.
   *
   * @throws {ZmqError} by rejection: EINVAL, EPROTONOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, ENODEV, EACCES, ENOENT,
   *   ENAMETOOLONG; EBADF when the socket was closed.
   */
  bind(address: string): Promise<void> {
    this.assertOpen();
    assertAddress(address);
    this.#core.context.sockets.gotEndpoint(this.#open);
    return this.#core.endpoints.bind(address);
  }

  /**
   * Stops listening and ends the connections that came in that way, after `linger`; resolves then. The address is the one
   * that `lastEndpoint` told or the one given to `bind`; all that was bound or dialled by it is undone, as by `disconnect`.
   * Over inproc only the name is given up: the connections stay.
   *
   * @throws {ZmqError} by rejection: ENOENT for what is neither bound nor dialled, EINVAL, EPROTONOSUPPORT; EBADF at once.
   */
  unbind(address: string): Promise<void> {
    this.assertOpen();
    assertAddress(address);
    return this.#unbind(address);
  }

  /**
   * Dials an address, and dials again whenever the connection is lost, until `disconnect` or `close`.
   *
   * `inproc://name` is connected as soon as somebody in this context binds the name; when either end closes it is over, and not
   * dialled again. The receiver gets the very memory that was sent: do not change it. There are no events but `end`, and for a
   * connection that is cut (`overflow: "disconnect"`) `disconnect`.
   *
   * @throws {ZmqError} at once: EINVAL, EPROTONOSUPPORT, ENAMETOOLONG for what is no address, EINVAL for an inproc name that a
   *   socket of a type has bound that does not talk to this one, EBADF when the socket is closed.
   *   What goes wrong later shows in `events`.
   */
  connect(address: string): void {
    this.assertOpen();
    assertAddress(address);
    this.#core.endpoints.connect(address, this.connectsTwice);
    this.#core.context.sockets.gotEndpoint(this.#open);
  }

  /**
   * Ends all connections dialled to this address, after `linger`. What was bound by it is undone too, as by `unbind`.
   * @throws {ZmqError} at once: ENOENT for what is neither bound nor dialled, EINVAL, EPROTONOSUPPORT, EBADF.
   */
  disconnect(address: string): void {
    this.assertOpen();
    assertAddress(address);
    this.#core.endpoints.remove(address);
  }

  /**
   * Closes the socket at once: calls that wait are settled (EAGAIN), further ones throw EBADF. Resolves when what is queued has
   * been sent or `linger` is over; never rejects. Until then the process is kept alive.
   */
  close(): Promise<void> {
    this.#core.isClosed = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Counts of messages. Costs some work for each peer. */
  stats(): SocketStats {
    const peers = this.#core.endpoints.stats();
    const sum = (name: "sent" | "received" | "dropped" | "queued"): number =>
      peers.reduce((total, peer) => total + peer[name], 0);
    const { retired } = this.#core;
    return {
      sent: retired.sent + sum("sent"),
      received: retired.received + sum("received"),
      dropped: retired.dropped + sum("dropped"),
      queued: sum("queued") + this.#core.pattern.orphaned(),
      peers,
    };
  }

  /** `await using socket = ...` */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether a second `connect` to an address makes a second connection. libzmq: not for PUB and SUB. */
  protected get connectsTwice(): boolean {
    return true;
  }

  /** Turns what the caller gave into a message; null for an empty list, which is nothing to send. */
  protected outgoing(message: MessageLike | readonly MessageLike[]): OutgoingMessage | null {
    this.assertOpen();
    const parts = toParts(message, this.#core.context.environment);
    return parts.length === 0 ? null : new OutgoingMessage(parts);
  }

  protected assertOpen(): void {
    if (this.#core.isClosed) throw new ZmqError("EBADF");
  }

  protected get pattern(): P {
    return this.#core.pattern;
  }

  async #unbind(address: string): Promise<void> {
    await Promise.all(this.#core.endpoints.remove(address));
  }

  async #close(): Promise<void> {
    this.#core.pattern.close();
    await this.#core.endpoints.close();
    this.#core.context.sockets.closed(this.#open);
    this.#core.events.emit({ type: "end" });
  }
}

function assertAddress(address: unknown): asserts address is string {
  if (typeof address !== "string") throw new TypeError("Address must be a string");
}
