import { ProtocolError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { Pace } from "../../runtime/pace.ts";
import type { OutgoingMessage } from "../../zmtp/index.ts";
import type { AllOptions } from "../options/options.ts";
import type { Pattern, Pipe } from "../pipes/pipe.ts";
import { effort, toTopic } from "../topic.ts";
import { AwaitedSubscriptions } from "./awaited-subscriptions.ts";
import { FanOut } from "./fan-out.ts";
import { Sender } from "./sender.ts";
import type { Subscribers } from "./subscribers.ts";

/**
 * Subscriptions taken in during one turn of the event loop, by their `effort`: some milliseconds. Then whoever brings another has
 * to wait.
 */
const TAKEN_AT_ONCE = 1000;

/** What PUB and XPUB share: peers with subscriptions, within bounds, and messages for those that have subscribed. */
export abstract class PublishingPattern implements Pattern {
  protected readonly environment: Environment;
  protected readonly options: AllOptions;
  protected readonly fanOut: FanOut;
  /** Those that are connected. */
  readonly #peers = new Set<Pipe>();
  readonly #pace: Pace;
  readonly #sender: Sender;
  readonly #awaited: AwaitedSubscriptions;
  /** No option asks for more than the fan-out, which takes every message. */
  #isPlain = true;
  /** In this turn. */
  #taken = 0;
  readonly #takeMore = (): void => {
    this.#taken = 0;
  };

  constructor(environment: Environment, options: AllOptions) {
    this.environment = environment;
    this.options = options;
    this.fanOut = new FanOut(environment, (pipe) => {
      if (options.overflow === "disconnect") pipe.overflow();
      else pipe.drop();
    });
    this.#pace = new Pace(environment);
    this.#sender = new Sender(environment, options, (message) => this.#offer(message));
    this.#awaited = new AwaitedSubscriptions(environment, (topic) => this.fanOut.count(topic));
  }

  optionsChanged(): void {
    const { noDrop, invertMatching, manualLastValue } = this.options;
    this.#isPlain = !noDrop && !invertMatching && !manualLastValue;
    this.#sender.retry();
  }

  send(message: OutgoingMessage, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!this.#isPlain) return this.sendSelected(message, signal);
    this.fanOut.send(message);
    return this.#pace.done();
  }

  trySend(message: OutgoingMessage): boolean {
    if (!this.#isPlain) return this.trySendSelected(message);
    this.#pace.count(1);
    this.fanOut.send(message);
    return true;
  }

  subscribed(prefix: string | Uint8Array, count: number, signal?: AbortSignal): Promise<void> {
    // A copy: the caller may change his bytes while the call waits.
    return this.#awaited.wait(new Uint8Array(toTopic(prefix, this.environment)), count, signal);
  }

  attach(): void {}

  detach(pipe: Pipe): void {
    this.lost(pipe);
  }

  ready(pipe: Pipe): void {
    this.#peers.add(pipe);
  }

  /** The peer subscribes anew when it comes back (RFC 29: the queue and the subscriptions end with the connection). */
  lost(pipe: Pipe): void {
    this.#peers.delete(pipe);
    this.fanOut.remove(pipe);
    this.#sender.retry();
  }

  writable(): void {
    this.#sender.retry();
  }

  abstract message(pipe: Pipe, parts: Uint8Array[]): void;
  abstract subscription(pipe: Pipe, subscribe: boolean, topic: Uint8Array): void;

  isReadable(): boolean {
    return false;
  }

  isWritable(): boolean {
    return true;
  }

  orphaned(): number {
    return 0;
  }

  close(): void {
    this.#sender.close();
    this.#awaited.close();
  }

  protected sendSelected(message: OutgoingMessage, signal?: AbortSignal): Promise<void> {
    return this.#sender.send(message, signal);
  }

  protected trySendSelected(message: OutgoingMessage): boolean {
    return this.#sender.trySend(message);
  }

  /** Whether a message is for fewer than those who hold a topic that it begins with. */
  protected isAimed(_message: OutgoingMessage): boolean {
    return false;
  }

  /** The peers that hold a topic that a message begins with. */
  protected matching(message: OutgoingMessage): Set<Pipe> {
    return this.fanOut.matching(message.parts[0] as Uint8Array);
  }

  /** Adds a subscription to those that are in force. */
  protected add(pipe: Pipe, topic: Uint8Array): ReturnType<Subscribers["subscribe"]> {
    const result = this.fanOut.subscribe(pipe, topic);
    if (result !== "known") this.#awaited.subscribed();
    return result;
  }

  /** Takes a subscription out of those that are in force. */
  protected take(pipe: Pipe, topic: Uint8Array): ReturnType<Subscribers["cancel"]> {
    const result = this.fanOut.cancel(pipe, topic);
    this.#sender.retry();
    return result;
  }

  /** Whether a peer may send this topic, and have it among those it has; if not, its connection ends. */
  protected admits(pipe: Pipe, subscribe: boolean, topic: Uint8Array, held: Subscribers): boolean {
    this.#countTaken(pipe, topic);
    const { maxTopicSize, maxSubscriptionBytes } = this.options;
    if (topic.length > maxTopicSize) {
      pipe.fail(limitError("maxTopicSize", `a topic of ${topic.length} bytes, ${maxTopicSize} are allowed`));
      return false;
    }
    if (!subscribe || held.sizeWith(pipe, topic, maxSubscriptionBytes) <= maxSubscriptionBytes) return true;
    pipe.fail(limitError("maxSubscriptionBytes", `more than ${maxSubscriptionBytes} bytes of subscriptions`));
    return false;
  }

  /** A peer that subscribes to a million topics at once leaves time for others. */
  #countTaken(pipe: Pipe, topic: Uint8Array): void {
    if (this.#taken === 0) this.environment.nextTurn(this.#takeMore);
    this.#taken += effort(topic);
    if (this.#taken >= TAKEN_AT_ONCE) pipe.rest();
  }

  /** @returns false, and nobody gets the message, when `noDrop` is set and one of those that it is for has no room. */
  #offer(message: OutgoingMessage): boolean {
    const { noDrop, invertMatching } = this.options;
    if (!invertMatching && !this.isAimed(message)) {
      if (noDrop && !this.fanOut.hasRoom(message)) return false;
      this.fanOut.send(message);
      return true;
    }
    let pipes = this.matching(message);
    if (invertMatching) pipes = without(this.#peers, pipes);
    if (noDrop) for (const pipe of pipes) if (!pipe.hasRoom()) return false;
    this.fanOut.sendTo(pipes, message);
    return true;
  }
}

function without(all: ReadonlySet<Pipe>, some: ReadonlySet<Pipe>): Set<Pipe> {
  const rest = new Set<Pipe>();
  for (const pipe of all) if (!some.has(pipe)) rest.add(pipe);
  return rest;
}

function limitError(rule: string, message: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_SUBSCRIPTION_LIMIT", rule, message);
}
