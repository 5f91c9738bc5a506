import type { Environment } from "../../runtime/environment.ts";
import { Pace } from "../../runtime/pace.ts";
import { WaitingLine } from "../../runtime/waiting-line.ts";
import type { OutgoingMessage } from "../../zmtp/index.ts";
import type { AllOptions } from "../options/options.ts";

/** The sending half of a socket whose `send` waits for room. Calls that overlap are served in order. */
export class Sender {
  readonly #environment: Environment;
  readonly #options: AllOptions;
  readonly #offer: (message: OutgoingMessage) => boolean;
  readonly #writers: WaitingLine<OutgoingMessage, void>;
  readonly #pace: Pace;

  /** @param offer hands a message to a peer that has room; false when none has. */
  constructor(environment: Environment, options: AllOptions, offer: (message: OutgoingMessage) => boolean) {
    this.#environment = environment;
    this.#options = options;
    this.#offer = offer;
    this.#writers = new WaitingLine(environment);
    this.#pace = new Pace(environment);
  }

  get hasWaiting(): boolean {
    return this.#writers.length > 0;
  }

  trySend(message: OutgoingMessage): boolean {
    this.#pace.count(1);
    return this.#writers.length === 0 && this.#offer(message);
  }

  send(message: OutgoingMessage, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#writers.length === 0 && this.#offer(message)) return this.#pace.done();
    // The caller's small parts are the caller's again when this returns.
    message.wire(this.#environment.allocateUnseen);
    return this.#writers.wait(message, this.#options.sendTimeout, this.#options.sendHighWaterMark, signal);
  }

  /** There may be room again. */
  retry(): void {
    for (let first = this.#writers.peek(); first !== undefined; first = this.#writers.peek()) {
      if (!this.#offer(first)) return;
      this.#writers.settle();
    }
  }

  close(): void {
    this.#writers.close();
  }
}
