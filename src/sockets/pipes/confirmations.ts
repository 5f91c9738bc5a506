import type { Environment, Timer } from "../../runtime/environment.ts";
import type { Session } from "./session.ts";

/** ms after which a peer that does not answer a PING is taken to have done what it was sent. */
const ASSUMED_AFTER = 1000;

interface Waiting {
  readonly session: Session;
  readonly context: Uint8Array;
  /** The PING has been sent, or the peer knows none. */
  isAsked: boolean;
  timer: Timer | null;
  /** Lets the process end again. */
  readonly release: () => void;
  readonly resolve: (how: "answered" | "assumed") => void;
  readonly reject: (error: Error) => void;
}

/**
 * Finds out when a peer has done what it was sent: a PING goes behind it, and the answer comes in order (RFC 37,
 * "Connection Heartbeating"). A peer that knows no PING gets none; for it, and for one that does not answer, time has to do.
 */
export class Confirmations {
  readonly #environment: Environment;
  #waiting: Waiting[] = [];
  #count = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** @param isDue false: there are subscriptions to be sent first, and `flushed` comes after them. */
  add(session: Session, isDue: boolean): Promise<"answered" | "assumed"> {
    this.#count = (this.#count + 1) >>> 0;
    const context = new Uint8Array(4);
    new DataView(context.buffer).setUint32(0, this.#count);
    return new Promise((resolve, reject) => {
      const release = this.#environment.hold();
      this.#waiting.push({ session, context, isAsked: false, timer: null, release, resolve, reject });
      if (isDue) this.flushed();
    });
  }

  /** No subscription waits any more. When the stream has taken everything, silence counts. */
  flushed(): void {
    for (const waiting of this.#waiting) this.#ask(waiting);
    for (const waiting of this.#waiting) {
      if (waiting.timer !== null || !waiting.session.isFlushed) continue;
      waiting.timer = this.#environment.setTimer(ASSUMED_AFTER, () => this.#settle(waiting, "assumed"));
    }
  }

  answered(context: Uint8Array): void {
    const waiting = this.#waiting.find((one) => equal(one.context, context));
    if (waiting !== undefined) this.#settle(waiting, "answered");
  }

  lost(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      one.timer?.cancel();
      one.release();
      one.reject(error);
    }
  }

  #ask(waiting: Waiting): void {
    if (waiting.isAsked) return;
    waiting.isAsked = true;
    const { session, context } = waiting;
    if (session.canPing) session.ping(context);
    session.flush();
  }

  #settle(waiting: Waiting, how: "answered" | "assumed"): void {
    waiting.timer?.cancel();
    waiting.release();
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    waiting.resolve(how);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
