import { ZmqError } from "../../errors.ts";
import type { SubscriptionForm } from "../../zmtp/index.ts";
import type { Environment } from "../context/environment.ts";
import type { AllOptions } from "../options/options.ts";
import type { Pipe } from "../pipes/pipe.ts";
import { ReceivingPattern } from "./receiving-pattern.ts";
import { Subscriptions } from "./subscriptions.ts";

/** So many calls of `confirm` may wait. */
const MAX_CONFIRMING = 1000;

/** What SUB and XSUB share: subscriptions, of which every publisher is told, and messages. */
export abstract class SubscribingPattern extends ReceivingPattern {
  readonly environment: Environment;
  protected readonly options: AllOptions;
  protected readonly subscriptions: Subscriptions = new Subscriptions();
  protected readonly pipes: Set<Pipe> = new Set();
  #confirming = 0;

  constructor(environment: Environment, options: AllOptions) {
    super(environment, options);
    this.environment = environment;
    this.options = options;
  }

  subscribe(topic: Uint8Array): void {
    if (this.subscriptions.add(topic)) this.tell(true, topic);
  }

  unsubscribe(topic: Uint8Array): void {
    if (this.subscriptions.remove(topic)) this.tell(false, topic);
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
  }

  /** Each topic once, whatever it counts (RFC 29: a publisher forgets them with the connection). */
  override ready(pipe: Pipe): void {
    for (const topic of this.subscriptions) pipe.subscribe(topic);
  }

  protected tell(subscribe: boolean, topic: Uint8Array, form?: SubscriptionForm): void {
    for (const pipe of this.pipes) {
      if (subscribe) pipe.subscribe(topic, form);
      else pipe.cancel(topic, form);
    }
  }
}
