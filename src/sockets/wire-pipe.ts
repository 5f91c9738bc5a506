import { type ProtocolError, ZmqError } from "../errors.ts";
import type { Stream } from "../transports/transport.ts";
import type { OutgoingMessage, SubscriptionForm } from "../zmtp/index.ts";
import { Confirmations } from "./confirmations.ts";
import { connectionOptions } from "./connection-options.ts";
import type { Core } from "./core.ts";
import type { DisconnectReason } from "./events.ts";
import type { AllOptions } from "./options.ts";
import type { Pipe } from "./pipe.ts";
import { Inbox, Outbox } from "./queues.ts";
import { Session, type SessionOwner } from "./session.ts";
import type { PeerStats } from "./stats.ts";

/** The endpoint that a pipe belongs to: it knows whether a lost connection comes back. */
export interface PipeEndpoint {
  readonly address: string;
  /** As they were when it was bound or dialled. */
  readonly options: AllOptions;
  pipeReady(pipe: WirePipe): void;
  /** The connection is over. */
  pipeLost(pipe: WirePipe, wasReady: boolean, reason: DisconnectReason, error: Error | null): void;
  /** Lingering is over: nothing is left to send, or the time is up. */
  pipeDone(pipe: WirePipe): void;
}

/**
 * A pipe over byte streams. The queues are the pipe's; the sessions come and go. An endpoint that dials keeps its pipe, and
 * so its queue, over reconnects; one that accepts makes a pipe for each connection (RFC 30, "The PUSH Socket Type").
 */
export class WirePipe implements Pipe, SessionOwner {
  readonly #core: Core;
  readonly #endpoint: PipeEndpoint;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #confirmations: Confirmations;
  #session: Session | null = null;
  #isReady = false;
  #wasFull = false; // an offer was refused: the pattern waits for `writable`
  #closing = false;
  #overflowed = false;
  #resuming = false; // more will be taken in from the next turn on
  readonly #resume = (): void => {
    this.#resuming = false;
    this.#inbox.allowMore();
    if (!this.#inbox.isFull) this.#session?.unblock();
  };
  #isGone = false;
  #sent = 0;
  #received = 0;
  #dropped = 0;

  constructor(core: Core, endpoint: PipeEndpoint) {
    this.#core = core;
    this.#endpoint = endpoint;
    this.#outbox = new Outbox(core.options, endpoint.options.conflate);
    this.#inbox = new Inbox(core.options, endpoint.options.conflate);
    this.#confirmations = new Confirmations(core.context.environment);
  }

  get address(): string {
    return this.#endpoint.address;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get kept(): number {
    return this.#inbox.length;
  }

  hasRoom(): boolean {
    if (this.#overflowed) return false;
    if (!this.#outbox.isFull) return true;
    this.#wasFull = true;
    return false;
  }

  /** Messages that wait to be sent. */
  get unsent(): number {
    return this.#outbox.length;
  }

  open(stream: Stream): void {
    this.#session = new Session(
      stream,
      connectionOptions(this.#core.type, this.#endpoint.options),
      this.#core.context,
      this,
    );
  }

  offer(message: OutgoingMessage): boolean {
    if (this.#overflowed) return false;
    const session = this.#session;
    if (session?.isOpen && this.#outbox.length === 0) {
      this.#sent += 1;
      session.send(message);
      return true;
    }
    if (this.#outbox.isFull) {
      this.#wasFull = true;
      return false;
    }
    const replaced = this.#outbox.push(message, this.#core.context.environment.allocate);
    if (replaced > 0) this.#countDropped(replaced);
    return true;
  }

  keep(parts: Uint8Array[]): void {
    this.#received += 1;
    const replaced = this.#inbox.push(parts);
    if (replaced > 0) this.#countDropped(replaced);
    if (this.#inbox.isEnough) this.#holdUp();
  }

  take(): Uint8Array[] | undefined {
    const parts = this.#inbox.shift();
    if (this.#inbox.isLow) {
      this.#inbox.allowMore();
      this.#session?.unblock();
    }
    return parts;
  }

  countReceived(): void {
    this.#received += 1;
  }

  drop(): void {
    this.#countDropped(1);
    this.#core.events.emit({ type: "drop", address: this.address });
  }

  subscribe(topic: Uint8Array, form?: SubscriptionForm): void {
    if (this.#isReady) this.#session?.subscribe(topic, form);
  }

  cancel(topic: Uint8Array, form?: SubscriptionForm): void {
    if (this.#isReady) this.#session?.cancel(topic, form);
  }

  confirm(): Promise<"answered" | "assumed"> {
    const session = this.#isReady ? this.#session : null;
    if (session === null) return Promise.reject(new ZmqError("EAGAIN", undefined, { address: this.address }));
    return this.#confirmations.add(session);
  }

  overflow(): void {
    this.#countDropped(1);
    this.#overflowed = true;
    this.discard();
    this.#session?.cut();
  }

  fail(error: ProtocolError): void {
    this.#session?.fail(error);
  }

  /** Drops and counts what waits to be sent. */
  discard(): void {
    const discarded = this.#outbox.clear();
    if (discarded > 0) this.#countDropped(discarded);
  }

  /** The endpoint lets go of this pipe: its counts pass to the socket. What it has kept can still be taken. */
  retire(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const { retired } = this.#core;
    retired.sent += this.#sent;
    retired.received += this.#received;
    retired.dropped += this.#dropped;
  }

  /** Takes no more, sends what is queued, then closes; the endpoint hears of the end. */
  close(): void {
    this.#closing = true;
    this.#finishWhenEmpty();
  }

  /** Ends a connection that is in handshake, for this reason. */
  evict(error: ZmqError): void {
    this.#session?.abort(error);
  }

  /** The time for lingering is up. */
  abandon(): void {
    this.#closing = true;
    this.discard();
    if (this.#session === null) this.#endpoint.pipeDone(this);
    else this.#session.cut();
  }

  /** A high-water mark may have been changed: what was held up by it goes on. */
  optionsChanged(): void {
    if (this.#closing) return;
    if (!this.#resuming && !this.#inbox.isFull) {
      this.#inbox.allowMore();
      this.#session?.unblock();
    }
    if (this.#wasFull && this.hasRoom()) {
      this.#wasFull = false;
      this.#core.pattern.writable(this);
    }
  }

  stats(): PeerStats {
    return {
      address: this.#session?.remoteAddress ?? this.address,
      socketType: this.#session?.peer?.socketType ?? null,
      sent: this.#sent,
      received: this.#received,
      dropped: this.#dropped,
      queued: this.#outbox.length + this.#inbox.length,
    };
  }

  onReady(): void {
    this.#isReady = true;
    this.#endpoint.pipeReady(this);
    this.#pump();
  }

  onMessage(parts: Uint8Array[]): void {
    if (!this.#closing) this.#core.pattern.message(this, parts);
  }

  onSubscription(subscribe: boolean, topic: Uint8Array): void {
    if (!this.#closing) this.#core.pattern.subscription(this, subscribe, topic);
  }

  onPong(context: Uint8Array): void {
    this.#confirmations.answered(context);
  }

  onWritable(): void {
    this.#pump();
    this.#confirmations.flushed();
  }

  onEnd(reason: DisconnectReason, error: Error | null): void {
    const wasReady = this.#isReady;
    this.#session = null;
    this.#isReady = false;
    this.#confirmations.lost(
      new ZmqError("ECONNRESET", "The connection was lost", { address: this.address }),
    );
    this.#endpoint.pipeLost(this, wasReady, this.#overflowed ? "overflow" : reason, error);
    this.#overflowed = false;
    if (this.#closing) this.#finishWhenEmpty();
  }

  /** Takes in no more until the application has taken what there is, or, below the high-water mark, until the next turn. */
  #holdUp(): void {
    this.#session?.block();
    if (this.#inbox.isFull || this.#resuming) return;
    this.#resuming = true;
    this.#core.context.environment.nextTurn(this.#resume);
  }

  #countDropped(count: number): void {
    this.#dropped += count;
    const { context, type } = this.#core;
    context.diagnostics.dropped(type, this.address, count);
  }

  /** Sends what was queued, as far as the stream takes it. */
  #pump(): void {
    const session = this.#session;
    if (session === null) return;
    while (session.isOpen) {
      const message = this.#outbox.shift();
      if (message === undefined) break;
      this.#sent += 1;
      session.send(message);
    }
    session.flush();
    if (this.#closing) this.#finishWhenEmpty();
    else if (this.#wasFull && this.#outbox.isLow) {
      this.#wasFull = false;
      this.#core.pattern.writable(this);
    }
  }

  #finishWhenEmpty(): void {
    if (this.#session === null) {
      if (this.#outbox.length === 0) this.#endpoint.pipeDone(this);
    } else if (this.#outbox.length === 0) this.#session.finish();
  }
}
