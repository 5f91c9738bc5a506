import type { Environment } from "../../runtime/environment.ts";
import { OutgoingMessage } from "../../zmtp/index.ts";
import type { AllOptions } from "../options/options.ts";
import type { Pipe } from "../pipes/pipe.ts";
import { toTopics } from "../topic.ts";
import { ArrivalQueue } from "./arrival-queue.ts";
import { PublishingPattern } from "./publishing-pattern.ts";
import { Receiver } from "./receiver.ts";
import { Subscribers } from "./subscribers.ts";

/** What XPUB adds to PUB: it is told of subscriptions, may decide on them itself, and receives messages. */
export class XPubPattern extends PublishingPattern {
  readonly receiver: Receiver;
  readonly #arrivals = new ArrivalQueue();
  /** What the peers have asked for while the application decides: it hears of the end of each. */
  readonly #requested: Subscribers;
  /** Messages that only one peer may get. */
  readonly #targets = new WeakMap<OutgoingMessage, Pipe>();
  #isClosed = false;

  constructor(environment: Environment, options: AllOptions) {
    super(environment, options);
    this.#requested = new Subscribers(environment);
    this.receiver = new Receiver(environment, options, this.#arrivals);
  }

  get isManual(): boolean {
    return this.options.manual || this.options.manualLastValue;
  }

  subscribeLast(prefixes: readonly (string | Uint8Array)[]): void {
    for (const topic of toTopics(prefixes, this.environment)) {
      if (this.#arrivals.last !== null) this.add(this.#arrivals.last, topic);
    }
  }

  unsubscribeLast(prefixes: readonly (string | Uint8Array)[]): void {
    for (const topic of toTopics(prefixes, this.environment)) {
      if (this.#arrivals.last !== null) this.take(this.#arrivals.last, topic);
    }
  }

  override ready(pipe: Pipe): void {
    super.ready(pipe);
    this.#arrivals.join(pipe);
    this.#welcome(pipe);
  }

  override lost(pipe: Pipe): void {
    this.#arrivals.leave(pipe);
    this.#requested.remove(pipe, (topic) => this.#tellEnd(topic));
    const { verbosity } = this.options;
    if (!this.isManual) {
      this.fanOut.remove(pipe, (topic, isLast) => {
        if (isLast || verbosity === "allSubsUnsubs") this.#tellEnd(topic);
      });
    }
    super.lost(pipe);
  }

  message(pipe: Pipe, parts: Uint8Array[]): void {
    if (this.receiver.handOut(parts)) {
      pipe.countReceived();
      this.#arrivals.passed(pipe);
    } else this.#arrivals.push(pipe, parts);
  }

  subscription(pipe: Pipe, subscribe: boolean, topic: Uint8Array): void {
    if (!this.admits(pipe, subscribe, topic, this.isManual ? this.#requested : this.fanOut)) return;
    const isTold = subscribe ? this.#subscribe(pipe, topic) : this.#cancel(pipe, topic);
    if (isTold) this.message(pipe, this.#notification(subscribe, topic));
  }

  override isReadable(): boolean {
    return this.receiver.hasMessage;
  }

  override orphaned(): number {
    return this.#arrivals.orphaned();
  }

  override close(): void {
    this.#isClosed = true;
    super.close();
    this.receiver.close();
  }

  protected override sendSelected(message: OutgoingMessage, signal?: AbortSignal): Promise<void> {
    if (this.#aim(message)) this.#arrivals.forgetLast();
    return super.sendSelected(message, signal);
  }

  protected override trySendSelected(message: OutgoingMessage): boolean {
    const isAimed = this.#aim(message);
    const isTaken = super.trySendSelected(message);
    if (isAimed && isTaken) this.#arrivals.forgetLast();
    return isTaken;
  }

  protected override isAimed(message: OutgoingMessage): boolean {
    return this.#targets.has(message);
  }

  protected override matching(message: OutgoingMessage): Set<Pipe> {
    const pipes = super.matching(message);
    const target = this.#targets.get(message);
    if (target === undefined) return pipes;
    return new Set(pipes.has(target) ? [target] : []);
  }

  /** ZMQ_XPUB_MANUAL_LAST_VALUE: a message is for the peer whose message was received last, if there is one. */
  #aim(message: OutgoingMessage): boolean {
    const { last } = this.#arrivals;
    if (!this.options.manualLastValue || last === null) return false;
    this.#targets.set(message, last);
    return true;
  }

  /** @returns whether the application is told (ZMQ_XPUB_VERBOSE). */
  #subscribe(pipe: Pipe, topic: Uint8Array): boolean {
    if (this.isManual) {
      this.#requested.subscribe(pipe, topic);
      return true;
    }
    return this.add(pipe, topic) === "first" || this.options.verbosity !== null;
  }

  /**
   * @returns whether the application is told (ZMQ_XPUB_VERBOSER): also of the end of what nobody had, as by libzmq. Unlike there,
   *   not of the end of what others have, for it would take that for the last.
   */
  #cancel(pipe: Pipe, topic: Uint8Array): boolean {
    if (this.isManual) {
      this.#requested.cancel(pipe, topic);
      return true;
    }
    return this.take(pipe, topic) !== "others" || this.options.verbosity === "allSubsUnsubs";
  }

  /** A peer has gone, and a subscription of it with it. */
  #tellEnd(topic: Uint8Array): void {
    if (this.#isClosed) return;
    const parts = this.#notification(false, topic);
    if (this.receiver.handOut(parts)) this.#arrivals.passed(null);
    else this.#arrivals.add(parts);
  }

  #notification(subscribe: boolean, topic: Uint8Array): Uint8Array[] {
    const part = this.environment.allocate(1 + topic.length);
    part[0] = subscribe ? 1 : 0;
    part.set(topic, 1);
    return [part];
  }

  #welcome(pipe: Pipe): void {
    const { welcomeMessage } = this.options;
    if (welcomeMessage === null || welcomeMessage.length === 0) return;
    const part =
      typeof welcomeMessage === "string" ? this.environment.encodeText(welcomeMessage) : welcomeMessage;
    pipe.greet(new OutgoingMessage([part]));
  }
}
