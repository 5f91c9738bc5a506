import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import type { SubscriptionForm } from "../../zmtp/index.ts";
import type { AllOptions } from "../options/options.ts";
import type { Pipe } from "../pipes/pipe.ts";
import { ReceivingPattern } from "./receiving-pattern.ts";
import { Replay } from "./replay.ts";
import { Subscriptions } from "./subscriptions.ts";

/** So many calls of `confirm` may wait. */
const MAX_CONFIRMING = 1000;

/** What SUB and XSUB share: subscriptions, of which every publisher is told, and messages. */
export abstract class SubscribingPattern extends ReceivingPattern {
  readonly environment: Environment;
  protected readonly options: AllOptions;
  protected readonly subscriptions: Subscriptions = new Subscriptions();
  protected readonly pipes: Set<Pipe> = new Set();
  /** Those of the connections there are, also of those that are done. */
  readonly #replays = new Map<Pipe, Replay>();
  #confirming = 0;

  constructor(environment: Environment, options: AllOptions) {
    super(environment, options);
    this.environment = environment;
    this.options = options;
  }

  subscribe(topic: Uint8Array): void {
    const id = this.subscriptions.add(topic);
    if (id !== 0) this.tell(true, topic, id);
  }

  unsubscribe(topic: Uint8Array): void {
    const id = this.subscriptions.remove(topic);
    if (id !== 0) this.tell(false, topic, id);
  }

  async confirm(): Promise<"answered" | "assumed"> {
    const ready = [...this.pipes].filter((pipe) => pipe.isReady);
    if (ready.length === 0) throw new ZmqError("EAGAIN");
    if (this.#confirming >= MAX_CONFIRMING)
      throw new ZmqError("EBUSY", "Socket is busy; too many operations are waiting");
    this.#confirming += 1;
    try {
      const answers = await Promise.all(ready.map((pipe) => pipe.confirm()));
      return answers.every((answer) => answer === "answered") ? "answered" : "assumed";
    } finally {
      this.#confirming -= 1;
    }
  }

  override attach(pipe: Pipe): void {
    this.pipes.add(pipe);
  }

  override detach(pipe: Pipe): void {
    this.pipes.delete(pipe);
    this.#replays.delete(pipe);
  }

  /** Each topic once, whatever it counts (RFC 29: a publisher forgets them with the connection). */
  override ready(pipe: Pipe): void {
    const replay = new Replay(this.subscriptions);
    this.#replays.set(pipe, replay);
    pipe.replay(replay);
  }

  override lost(pipe: Pipe): void {
    this.#replays.delete(pipe);
    super.lost(pipe);
  }

  /** @param id the topic's number among the subscriptions. */
  protected tell(subscribe: boolean, topic: Uint8Array, id: number, form?: SubscriptionForm): void {
    for (const pipe of this.pipes) {
      // Its turn will come, if it is still there then.
      if (this.#replays.get(pipe)?.isAhead(id)) continue;
      if (subscribe) pipe.subscribe(topic, form);
      else pipe.cancel(topic, form);
    }
  }

  /** Tells once more, as a message, what changes nothing: those who have been told of the topic, if it is one. */
  protected repeat(subscribe: boolean, topic: Uint8Array): void {
    const id = this.subscriptions.find(topic);
    for (const pipe of this.pipes) if (!this.#replays.get(pipe)?.isAhead(id)) pipe.repeat(subscribe, topic);
  }
}
