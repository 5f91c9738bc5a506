import { Deadline } from "./deadline.ts";

export interface HeartbeatOptions {
  /** ms between two PINGs; 0: none. */
  interval: number;
  /** ms of silence after a PING until the peer is taken for dead; 0: never. */
  timeout: number;
}

/**
 * Liveness of one connection (RFC 37, "Connection Heartbeating"). Time is an argument, and what happens between two of them
 * happens at the earlier one; nothing is due before `start`.
 *
 * Two deadlines, both cancelled by any traffic: the answer to our PING, and the TTL that the peer's PING asked for.
 * Neither runs while we do not read.
 */
export class Heartbeat {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #answer = new Deadline();
  readonly #timeToLive = new Deadline();
  /** The latest time that we were told of. */
  #now: number;
  #pingAt = Number.POSITIVE_INFINITY;
  #wasPinged = false;
  #isSuspended = false;
  /** What to arm again when reading resumes, in ms; 0: nothing. */
  #answerIn = 0;
  #timeToLiveIn = 0;

  constructor(options: HeartbeatOptions, now: number) {
    this.#interval = options.interval;
    this.#timeout = options.timeout;
    this.#now = now;
  }

  /** The peer has sent a PING, and so knows how to answer one. */
  get wasPinged(): boolean {
    return this.#wasPinged;
  }

  get wakeAt(): number {
    return Math.min(this.#pingAt, this.#answer.wakeAt, this.#timeToLive.wakeAt);
  }

  /** Starts to send PINGs, unless it has or the interval is 0. */
  start(): void {
    if (this.#interval === 0 || this.#pingAt !== Number.POSITIVE_INFINITY) return;
    this.#pingAt = this.#now + this.#interval;
  }

  /** Any traffic is a sign of life, not only PONG, which may be queued behind data. */
  received(now: number): void {
    this.#tell(now);
    this.#forget();
  }

  /** The peer's PING asks to be taken for dead after so many ms of silence; 0: does not ask. From now on it gets PINGs too. */
  pinged(timeToLive: number): void {
    this.#wasPinged = true;
    this.start();
    if (timeToLive === 0) return;
    this.#timeToLiveIn = timeToLive;
    if (!this.#isSuspended) this.#timeToLive.arm(this.#now + timeToLive);
  }

  suspend(): void {
    this.#isSuspended = true;
    this.#answer.disarm();
    this.#timeToLive.disarm();
  }

  resume(now: number): void {
    this.#tell(now);
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    if (this.#answerIn > 0) this.#answer.arm(now + this.#answerIn);
    if (this.#timeToLiveIn > 0) this.#timeToLive.arm(now + this.#timeToLiveIn);
  }

  stop(): void {
    this.#forget();
    this.#pingAt = Number.POSITIVE_INFINITY;
  }

  /** Calling too early is harmless. */
  tick(now: number): "idle" | "ping" | "dead" {
    this.#tell(now);
    if (this.#answer.tick(now) || this.#timeToLive.tick(now)) return "dead";
    if (now < this.#pingAt) return "idle";
    this.#pingAt = now + this.#interval;
    this.#expectAnswer(now);
    return "ping";
  }

  /** An earlier PING that is still unanswered keeps its deadline. */
  #expectAnswer(now: number): void {
    if (this.#timeout === 0 || this.#answerIn > 0) return;
    this.#answerIn = this.#timeout;
    if (!this.#isSuspended) this.#answer.arm(now + this.#timeout);
  }
  #forget(): void {
    this.#answer.disarm();
    this.#timeToLive.disarm();
    this.#answerIn = 0;
    this.#timeToLiveIn = 0;
  }

  #tell(now: number): void {
    if (now > this.#now) this.#now = now;
  }
}
