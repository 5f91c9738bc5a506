import { delay, handshakeDelay } from "./backoff.ts";
import type { Dial, Stream } from "./transport.ts";

/** ms that a connection must have been up for the next loss to start again with a short delay. */
const STABLE_TIME = 5000;

export interface RedialOptions {
  /** ms before a new attempt; -1 or 0: there is none (RC-3). */
  interval: number;
  /** ms up to which the delay grows; 0: it does not. */
  maxInterval: number;
  /** After the loss of a connection with no failure before it, the first attempt waits 0 to this many ms. */
  firstRetry?: number;
}

export interface RedialClock {
  now(): number;
  setTimer(milliseconds: number, callback: () => void): { cancel(): void };
  random(): number;
}

export interface RedialHandler {
  /** An attempt begins. */
  onAttempt?(): void;
  /** Connected. The stream is the handler's, which calls `succeeded` and `lost`. */
  onStream(stream: Stream): void;
  /** An attempt failed. @param retryIn ms until the next, null when there will be none. */
  onFailed(error: Error, retryIn: number | null): void;
}

type DialOnce = (done: (error: Error | null, stream: Stream | null) => void) => Dial;

/**
 * Keeps one outgoing stream alive and knows nothing of what it carries.
 *
 * The delay before an attempt is {@link delay}'s after a dial that failed and after a loss, {@link handshakeDelay}'s
 * after a stream that ended before `succeeded`. Both shrink back only after a connection that was up for 5 s: a peer
 * that accepts and then closes is no better than one that refuses.
 */
export class Redial {
  readonly #dialOnce: DialOnce;
  readonly #clock: RedialClock;
  readonly #options: RedialOptions;
  readonly #handler: RedialHandler;
  #state: "new" | "dialling" | "open" | "waiting" | "stopped" = "new";
  #dial: Dial | null = null;
  #timer: { cancel(): void } | null = null;
  #succeededAt: number | null = null;
  #retries = 0;
  #failedHandshakes = 0;
  #undisturbed = true;

  constructor(dial: DialOnce, clock: RedialClock, options: RedialOptions, handler: RedialHandler) {
    this.#dialOnce = dial;
    this.#clock = clock;
    this.#options = options;
    this.#handler = handler;
  }

  /** Makes the first attempt, at once. Harmless when called again. */
  start(): void {
    if (this.#state === "new") this.#attempt();
  }

  /** The handshake over the stream is complete: from now on it counts as up. */
  succeeded(): void {
    if (this.#state === "open" && this.#succeededAt === null) this.#succeededAt = this.#clock.now();
  }

  /**
   * The stream has ended before `succeeded`, and not because the peer wants something else: it counts as nobody found.
   * @returns as `lost`.
   */
  failed(): number | null {
    return this.#state === "open" ? this.#schedule(this.#afterFailure()) : null;
  }

  /**
   * The stream has ended. Schedules the next attempt.
   * @returns ms until then; null when there will be none, and when there was no stream to lose.
   */
  lost(): number | null {
    if (this.#state !== "open") return null;
    return this.#schedule(this.#succeededAt === null ? this.#afterHandshake() : this.#afterLoss());
  }

  /** Final: no further attempt, no further call of the handler. A stream it was given stays the handler's. */
  stop(): void {
    this.#state = "stopped";
    this.#dial?.cancel();
    this.#timer?.cancel();
    this.#dial = null;
    this.#timer = null;
  }

  #attempt(): void {
    this.#state = "dialling";
    this.#handler.onAttempt?.();
    if (this.#state !== "dialling") return;
    this.#dial = this.#dialOnce((error, stream) => {
      if (this.#state !== "dialling") return;
      this.#dial = null;
      if (error !== null) {
        this.#handler.onFailed(error, this.#schedule(this.#afterFailure()));
        return;
      }
      this.#state = "open";
      this.#succeededAt = null;
      this.#handler.onStream(stream as Stream);
    });
  }

  #schedule(milliseconds: number): number | null {
    if (this.#options.interval <= 0) {
      this.#state = "stopped";
      return null;
    }
    this.#state = "waiting";
    this.#timer = this.#clock.setTimer(milliseconds, () => {
      this.#timer = null;
      if (this.#state === "waiting") this.#attempt();
    });
    return milliseconds;
  }

  #afterFailure(): number {
    this.#undisturbed = false;
    return delay(this.#options, this.#retries++, this.#clock.random());
  }

  #afterHandshake(): number {
    this.#undisturbed = false;
    this.#retries++;
    return handshakeDelay(this.#options.interval, this.#failedHandshakes++, this.#clock.random());
  }

  #afterLoss(): number {
    if (this.#clock.now() - (this.#succeededAt as number) >= STABLE_TIME) {
      this.#retries = 0;
      this.#failedHandshakes = 0;
      this.#undisturbed = true;
    }
    const { firstRetry } = this.#options;
    const atOnce = this.#undisturbed && firstRetry !== undefined;
    this.#undisturbed = false;
    if (atOnce) return Math.floor(this.#clock.random() * firstRetry);
    return delay(this.#options, this.#retries++, this.#clock.random());
  }
}
