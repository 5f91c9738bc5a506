import { ZmqError } from "../../errors.ts";
import type { Listener, Stream, Transport } from "../../transports/transport.ts";
import type { Core } from "../core.ts";
import { announce } from "../events/diagnostics.ts";
import type { DisconnectReason } from "../events/events.ts";
import type { AllOptions } from "../options/options.ts";
import { type PipeEndpoint, WirePipe } from "../pipes/wire-pipe.ts";
import type { PeerStats } from "../stats.ts";
import type { Endpoint } from "./endpoint.ts";
import { handshakeError } from "./handshake-error.ts";
import { Linger } from "./linger.ts";

/** An address that is bound, and the connections that came in through it. */
export class Acceptor implements Endpoint, PipeEndpoint {
  readonly options: AllOptions;
  readonly #core: Core;
  readonly #pipes = new Set<WirePipe>();
  /** Those in handshake, the oldest first. */
  readonly #pending = new Set<WirePipe>();
  readonly #linger: Linger;
  #listener: Listener | null = null;
  #released: Promise<void> | null = null;

  constructor(core: Core) {
    this.options = core.snapshot();
    this.#core = core;
    this.#linger = new Linger(core.context.environment, () => {
      for (const pipe of [...this.#pipes]) pipe.abandon();
    });
  }

  get isClosing(): boolean {
    return this.#linger.hasStarted;
  }

  /** The address really bound. */
  get address(): string {
    return this.#listener?.address ?? "";
  }

  async listen(address: string, transport: Transport): Promise<void> {
    const { events } = this.#core;
    this.#listener = await transport.listen(
      address,
      this.options,
      (stream) => this.#accept(stream),
      (error) => events.emit({ type: "accept:error", address: this.address, error }),
    );
  }

  async close(linger: number): Promise<void> {
    const done = this.#linger.start(linger);
    if (this.#released === null) this.#end();
    await Promise.all([done, this.#released]);
  }

  stats(): PeerStats[] {
    return [...this.#pipes].filter((pipe) => pipe.isReady).map((pipe) => pipe.stats());
  }

  get unsent(): number {
    let count = 0;
    for (const pipe of this.#pipes) count += pipe.unsent;
    return count;
  }

  optionsChanged(): void {
    for (const pipe of [...this.#pipes]) pipe.optionsChanged();
    this.#core.leftovers.optionsChanged();
  }

  pipeReady(pipe: WirePipe): void {
    this.#pending.delete(pipe);
    this.#core.pattern.attach(pipe);
    this.#core.pattern.ready(pipe);
    announce(this.#core, { type: "handshake", address: this.address });
  }

  pipeLeft(pipe: WirePipe): void {
    pipe.leave();
  }

  pipeLost(pipe: WirePipe, wasReady: boolean, reason: DisconnectReason, error: Error | null): void {
    this.#pipes.delete(pipe);
    this.#pending.delete(pipe);
    this.#core.leftovers.forget(pipe);
    pipe.discard();
    pipe.retire();
    pipe.leave();
    if (this.isClosing) {
      this.#endWhenEmpty();
      return;
    }
    if (wasReady) {
      this.#core.pattern.lost(pipe);
      this.#core.pattern.detach(pipe);
    } else this.#core.events.emit(handshakeError(this.address, error));
    announce(this.#core, {
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
    if (this.isClosing) {
      stream.destroy();
      return;
    }
    const pipe = new WirePipe(this.#core, this);
    this.#pipes.add(pipe);
    this.#pending.add(pipe);
    pipe.open(stream);
    if (this.#core.leftovers.mustWait) {
      pipe.hold();
      this.#core.leftovers.hold(pipe);
    }
    announce(this.#core, { type: "accept", address: this.address });
    this.#boundPending();
  }

  /** A peer that means well is through its handshake soon: the one that has been in it for longest makes room. */
  #boundPending(): void {
    const { maxPendingConnections } = this.#core.options;
    for (const oldest of this.#pending) {
      if (this.#pending.size <= maxPendingConnections) return;
      this.#pending.delete(oldest);
      const message = `More than ${maxPendingConnections} connections in handshake (maxPendingConnections)`;
      oldest.evict(new ZmqError("EMFILE", message, { address: this.address }));
    }
  }

  #end(): void {
    this.#released = this.#release();
    for (const pipe of [...this.#pipes]) {
      if (!pipe.isReady) pipe.abandon();
      else {
        this.#core.pattern.detach(pipe);
        pipe.close();
      }
    }
    this.#endWhenEmpty();
  }

  async #release(): Promise<void> {
    await this.#listener?.close();
    this.#core.events.emit({ type: "close", address: this.address });
  }

  #endWhenEmpty(): void {
    if (this.isClosing && this.#pipes.size === 0) this.#linger.end();
  }
}
