import type { Core } from "../core.ts";
import { InprocPipe } from "../pipes/inproc-pipe.ts";
import type { PeerStats } from "../stats.ts";
import type { Endpoint } from "./endpoint.ts";
import { Linger } from "./linger.ts";

/** One end of a connection within the process, dialled or accepted: there is no more to it than its pipe. */
export class InprocEndpoint implements Endpoint {
  readonly address: string;
  readonly pipe: InprocPipe;
  readonly #linger: Linger;

  /** @param onGone there is nothing left to send, and nobody to hear from. */
  constructor(core: Core, address: string, onGone: (endpoint: InprocEndpoint) => void) {
    this.address = address;
    this.#linger = new Linger(core.context.environment, () => this.pipe.abandon());
    this.pipe = new InprocPipe(core, address, () => {
      onGone(this);
      this.#linger.end();
    });
  }

  /**
   * What was sent to a connected peer is the peer's, and comes through whatever `linger` says; only what waits for somebody to bind
   * the address lingers. It does so without keeping the process alive for ever, for nobody else could bind it.
   */
  close(linger: number): Promise<void> {
    const done = this.#linger.start(linger, linger !== -1);
    this.pipe.close();
    return done;
  }

  /** Whoever could take them is in this process too. */
  get unsent(): number {
    return 0;
  }

  optionsChanged(): void {
    this.pipe.optionsChanged();
  }

  stats(): PeerStats[] {
    return this.pipe.isGone ? [] : [this.pipe.stats()];
  }
}
