import type { Listener, Stream, Transport } from "../transports/transport.ts";
import type { Core } from "./core.ts";
import type { Endpoint } from "./endpoint.ts";
import type { DisconnectReason } from "./events.ts";
import { Linger } from "./linger.ts";
import type { PeerStats } from "./stats.ts";
import { type PipeEndpoint, WirePipe } from "./wire-pipe.ts";

/** An address that is bound, and the connections that came in through it. */
export class Acceptor implements Endpoint, PipeEndpoint {
  readonly #core: Core;
  readonly #pipes = new Set<WirePipe>();
  readonly #linger: Linger;
  #listener: Listener | null = null;
  #closing = false;

  constructor(core: Core) {
    this.#core = core;
    this.#linger = new Linger(core.context.environment, () => {
      for (const pipe of [...this.#pipes]) pipe.abandon();
    });
  }

  /** The address really bound. */
  get address(): string {
    return this.#listener?.address ?? "";
  }

  async listen(address: string, transport: Transport): Promise<void> {
    this.#listener = await transport.listen(address, this.#core.options, (stream) => this.#accept(stream));
  }

  async close(linger: number): Promise<void> {
    this.#closing = true;
    const released = this.#listener?.close();
    const done = this.#linger.start(linger);
    for (const pipe of [...this.#pipes]) {
      if (!pipe.isReady) pipe.abandon();
      else {
        this.#core.pattern.detach(pipe);
        pipe.close();
      }
    }
    this.#endWhenEmpty();
    await done;
    await released;
    this.#core.events.emit({ type: "close", address: this.address });
  }

  stats(): PeerStats[] {
    return [...this.#pipes].filter((pipe) => pipe.isReady).map((pipe) => pipe.stats());
  }

  pipeReady(pipe: WirePipe): void {
    if (this.#closing) {
      pipe.abandon();
      return;
    }
    this.#core.pattern.attach(pipe);
    this.#core.pattern.ready(pipe);
    this.#core.events.emit({ type: "handshake", address: this.address });
  }

  pipeLost(pipe: WirePipe, wasReady: boolean, reason: DisconnectReason, error: Error | null): void {
    this.#pipes.delete(pipe);
    pipe.discard();
    this.#remember(pipe);
    if (this.#closing) {
      this.#endWhenEmpty();
      return;
    }
    if (wasReady) {
      this.#core.pattern.lost(pipe);
      this.#core.pattern.detach(pipe);
    }
    this.#core.events.emit({
      type: "disconnect",
      address: this.address,
      reason,
      ...(error !== null && { error }),
    });
  }

  pipeDone(pipe: WirePipe): void {
    this.#pipes.delete(pipe);
    this.#endWhenEmpty();
  }

  #accept(stream: Stream): void {
    if (this.#closing) {
      stream.destroy();
      return;
    }
    const pipe = new WirePipe(this.#core, this);
    this.#pipes.add(pipe);
    this.#core.events.emit({ type: "accept", address: this.address });
    pipe.open(stream);
  }

  #endWhenEmpty(): void {
    if (this.#closing && this.#pipes.size === 0) this.#linger.end();
  }

  #remember(pipe: WirePipe): void {
    const { sent, received, dropped } = pipe.stats();
    this.#core.gone.sent += sent;
    this.#core.gone.received += received;
    this.#core.gone.dropped += dropped;
  }
}
