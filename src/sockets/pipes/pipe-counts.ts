import type { Core } from "../core.ts";
import type { Counts, PeerStats } from "../stats.ts";

/** What a pipe counts, in messages. */
export class PipeCounts implements Counts {
  sent = 0;
  received = 0;
  #dropped = 0;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  get dropped(): number {
    return this.#dropped;
  }

  drop(address: string, count: number): void {
    if (count === 0) return;
    this.#dropped += count;
    const { context, type } = this.#core;
    context.diagnostics.dropped(type, address, count);
  }

  /** Once, when the pipe is gone: its counts pass to the socket. */
  retire(): void {
    const { retired } = this.#core;
    retired.sent += this.sent;
    retired.received += this.received;
    retired.dropped += this.#dropped;
  }

  /** With what else there is to tell of the pipe. */
  stats(address: string, socketType: string | null, queued: number): PeerStats {
    const { sent, received, dropped } = this;
    return { address, socketType, sent, received, dropped, queued };
  }
}
