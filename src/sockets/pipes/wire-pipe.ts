import { type ProtocolError, ZmqError } from "../../errors.ts";
import type { Stream } from "../../transports/transport.ts";
import type { OutgoingMessage, SubscriptionForm } from "../../zmtp/index.ts";
import type { Core } from "../core.ts";
import type { DisconnectReason } from "../events/events.ts";
import { connectionOptions } from "../options/connection-options.ts";
import type { AllOptions } from "../options/options.ts";
import type { PeerStats } from "../stats.ts";
import { effort } from "../topic.ts";
import { Changes } from "./changes.ts";
import { Confirmations } from "./confirmations.ts";
import { Intake } from "./intake.ts";
import type { Newcomer } from "./leftovers.ts";
import type { Pipe, TopicSource } from "./pipe.ts";
import { PipeCounts } from "./pipe-counts.ts";
import { Outbox } from "./queues.ts";
import { Session, type SessionOwner } from "./session.ts";

/**
 * Subscriptions told in one turn of the event loop, by their `effort`: a stream that drains at once would take a million of them.
 */
const TOLD_AT_ONCE = 250;

/** The endpoint that a pipe belongs to: it knows whether a lost connection comes back. */
export interface PipeEndpoint {
  readonly address: string;
  /** As they were when it was bound or dialled. */
  readonly options: AllOptions;
  pipeReady(pipe: WirePipe): void;
  /** The peer is gone, but `pipeLost` has to wait until there is room for what it has sent. */
  pipeLeft(pipe: WirePipe): void;
  /** The connection is over. */
  pipeLost(pipe: WirePipe, wasReady: boolean, reason: DisconnectReason, error: Error | null): void;
  /** Lingering is over: nothing is left to send, or the time is up. */
  pipeDone(pipe: WirePipe): void;
}

/**
 * A pipe over byte streams. The queues are the pipe's; the sessions come and go. An endpoint that dials keeps its pipe, and
 * so its queue, over reconnects; one that accepts makes a pipe for each connection (RFC 30, "The PUSH Socket Type").
 */
export class WirePipe implements Pipe, SessionOwner, Newcomer {
  readonly #core: Core;
  readonly #endpoint: PipeEndpoint;
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  readonly #counts: PipeCounts;
  /** Made when there are some for the first time. */
  #changes: Changes | null = null;
  /** Subscriptions from before the connection that the peer has not been told of. */
  #replay: TopicSource | null = null;
  /** No subscription waits. While one does, no message goes out: publishers hear of subscriptions first. */
  #isTold = true;
  /** More subscriptions are told from the next turn on. */
  #isResting = false;
  readonly #confirmations: Confirmations;
  #session: Session | null = null;
  #isReady = false;
  #wasFull = false; // an offer was refused: the pattern waits for `writable`
  #closing = false;
  #overflowed = false;
  #isHeld = false; // nothing is read yet
  #isGone = false;

  constructor(core: Core, endpoint: PipeEndpoint) {
    this.#core = core;
    this.#endpoint = endpoint;
    this.#counts = new PipeCounts(core);
    const { environment } = core.context;
    const { conflate } = endpoint.options;
    this.#outbox = new Outbox(core.options, conflate);
    this.#intake = new Intake(environment, core.options, conflate, {
      block: () => this.#session?.block(),
      unblock: () => {
        if (!this.#isHeld) this.#session?.unblock();
      },
    });
    this.#confirmations = new Confirmations(environment);
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
    return this.#intake.length;
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
      connectionOptions(this.#core.type, this.#endpoint.options, this.#core.options),
      this.#core.context,
      this,
    );
  }

  offer(message: OutgoingMessage): boolean {
    if (this.#overflowed) return false;
    const session = this.#session;
    if (session?.isOpen && this.#isTold && this.#outbox.length === 0) {
      this.#counts.sent += 1;
      session.send(message);
      return true;
    }
    if (!this.hasRoom()) return false;
    const replaced = this.#outbox.push(message, this.#core.context.environment.allocateUnseen);
    if (replaced > 0) this.#counts.drop(this.address, replaced);
    return true;
  }

  greet(message: OutgoingMessage): void {
    this.#counts.sent += 1;
    this.#session?.send(message);
  }

  keep(parts: Uint8Array[]): void {
    this.#counts.received += 1;
    const replaced = this.#intake.push(parts);
    if (replaced > 0) this.#counts.drop(this.address, replaced);
  }

  take(): Uint8Array[] | undefined {
    return this.#intake.shift();
  }

  countReceived(): void {
    this.#counts.received += 1;
  }

  drop(): void {
    this.#counts.drop(this.address, 1);
    this.#core.events.emit({ type: "drop", address: this.address });
  }

  subscribe(topic: Uint8Array, form: SubscriptionForm = "negotiated"): void {
    if (!this.#isReady) return;
    if (this.#isTaking) this.#session?.tell(true, topic, form);
    else this.#change().subscribe(topic, form, true);
  }

  replay(topics: TopicSource): void {
    this.#replay = topics;
    this.#isTold = false;
    if (this.#session !== null) this.#tellChanges(this.#session);
  }

  cancel(topic: Uint8Array, form: SubscriptionForm = "negotiated"): void {
    if (!this.#isReady) return;
    if (this.#isTaking) this.#session?.tell(false, topic, form);
    else this.#change().cancel(topic, form);
  }

  repeat(subscribe: boolean, topic: Uint8Array): void {
    if (!this.#isReady) return;
    if (this.#isTaking) this.#session?.tell(subscribe, topic, "message");
    else if (subscribe) this.#change().subscribe(topic, "message", false);
  }

  confirm(): Promise<"answered" | "assumed"> {
    const session = this.#isReady ? this.#session : null;
    if (session === null) return Promise.reject(new ZmqError("EAGAIN", undefined, { address: this.address }));
    if (session.isOver) return Promise.reject(this.#lostError());
    return this.#confirmations.add(session, this.#isTold);
  }

  rest(): void {
    this.#intake.rest();
  }

  overflow(): void {
    this.#counts.drop(this.address, 1);
    this.#overflowed = true;
    this.discard();
    this.#session?.cut();
  }

  fail(error: ProtocolError): void {
    this.#session?.fail(error);
  }

  /** Drops and counts what waits to be sent. */
  discard(): void {
    this.#counts.drop(this.address, this.#outbox.clear());
  }

  /** The peer, which had dialled us, is gone: what it has sent and nobody has taken is left over. */
  leave(): void {
    this.#intake.leave(this.#core.leftovers);
  }

  /** Nothing is read before `admit`, not even the greeting. To be called when it has just been opened. */
  hold(): void {
    this.#isHeld = true;
    this.#session?.hold();
  }

  admit(): void {
    this.#isHeld = false;
    this.#session?.unblock();
  }

  /** The endpoint lets go of this pipe: its counts pass to the socket. What it has kept can still be taken. */
  retire(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#counts.retire();
  }

  /** Takes no more, sends what is queued, then closes; the endpoint hears of the end. */
  close(): void {
    this.#closing = true;
    this.#finishWhenEmpty();
    // What comes is dropped from now on; held up, it would hide that the peer has gone, for which nothing needs to be sent.
    this.#session?.unblock();
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
    this.#intake.optionsChanged();
    if (this.#wasFull && this.hasRoom()) {
      this.#wasFull = false;
      this.#core.pattern.writable(this);
    }
  }

  stats(): PeerStats {
    const session = this.#session;
    const address = session?.remoteAddress ?? this.address;
    const queued = this.#outbox.length + this.#intake.length;
    return this.#counts.stats(address, session?.peer?.socketType ?? null, queued);
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

  onLeft(): void {
    this.#confirmations.lost(this.#lostError());
    if (this.#isHeld) this.admit();
    else this.#endpoint.pipeLeft(this);
  }

  onWritable(): void {
    this.#pump();
    if (this.#isTold) this.#confirmations.flushed();
  }

  onEnd(reason: DisconnectReason, error: Error | null): void {
    const wasReady = this.#isReady;
    this.#session = null;
    this.#isReady = false;
    this.#changes = null;
    this.#replay = null;
    this.#isTold = true;
    this.#confirmations.lost(this.#lostError());
    this.#endpoint.pipeLost(this, wasReady, this.#overflowed ? "overflow" : reason, error);
    this.#overflowed = false;
    if (this.#closing) this.#finishWhenEmpty();
  }

  #lostError(): ZmqError {
    return new ZmqError("ECONNRESET", "The connection was lost", { address: this.address });
  }

  get #hasNoChanges(): boolean {
    return this.#changes === null || this.#changes.isEmpty;
  }

  #change(): Changes {
    this.#changes ??= new Changes();
    this.#isTold = false;
    return this.#changes;
  }

  /** Whether a subscription would go straight out. */
  get #isTaking(): boolean {
    return this.#session?.isOpen === true && this.#hasNoChanges;
  }

  /** What waited, as far as the stream takes it and there is time in this turn. */
  #tellChanges(session: Session): void {
    let left = this.#isResting ? 0 : TOLD_AT_ONCE;
    while (session.isOpen && left > 0 && !this.#isTold) {
      const change = this.#changes?.shift();
      if (change === undefined) left -= this.#tellNext(session);
      else {
        left -= effort(change.topic);
        if (change.cancel) session.tell(false, change.topic, change.form);
        if (change.subscribe) session.tell(true, change.topic, change.form);
      }
      this.#isTold = this.#hasNoChanges && this.#replay === null;
    }
    if (left > 0 || this.#isResting || this.#isTold) return;
    this.#isResting = true;
    this.#core.context.environment.nextTurn(() => {
      this.#isResting = false;
      if (this.#session?.isOpen) this.onWritable();
    });
  }

  /** @returns its `effort`. */
  #tellNext(session: Session): number {
    const topic = this.#replay?.next() ?? null;
    if (topic === null) {
      this.#replay = null;
      return 0;
    }
    session.tell(true, topic, "negotiated");
    return effort(topic);
  }

  /** Sends what was queued, as far as the stream takes it. */
  #pump(): void {
    const session = this.#session;
    if (session === null) return;
    this.#tellChanges(session);
    while (session.isOpen && this.#isTold) {
      const message = this.#outbox.shift();
      if (message === undefined) break;
      this.#counts.sent += 1;
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
