import { Redial } from "../../transports/redial.ts";
import type { Transport } from "../../transports/transport.ts";
import type { Core } from "../core.ts";
import { announce } from "../events/diagnostics.ts";
import type { DisconnectReason } from "../events/events.ts";
import type { AllOptions } from "../options/options.ts";
import { type PipeEndpoint, WirePipe } from "../pipes/wire-pipe.ts";
import type { PeerStats } from "../stats.ts";
import type { Endpoint } from "./endpoint.ts";
import { handshakeError } from "./handshake-error.ts";
import { Linger } from "./linger.ts";

/** An address that is dialled, again and again, with one pipe for as long as it is wanted. */
export class Dialer implements Endpoint, PipeEndpoint {
  readonly address: string;
  readonly options: AllOptions;
  readonly #core: Core;
  readonly #pipe: WirePipe;
  readonly #redial: Redial;
  readonly #onGone: () => void;
  readonly #linger: Linger;
  #attached = true;

  /** @param onGone the peer refused us, or there will be no further attempt: the endpoint is no more. */
  constructor(core: Core, address: string, transport: Transport, onGone: () => void) {
    const { context } = core;
    const options = core.snapshot();
    this.address = address;
    this.options = options;
    this.#core = core;
    this.#onGone = onGone;
    this.#pipe = new WirePipe(core, this);
    this.#linger = new Linger(context.environment, () => this.#pipe.abandon());
    const timing = {
      interval: options.reconnectInterval,
      maxInterval: options.reconnectMaxInterval,
      ...(options.reconnectFirst >= 0 && { firstRetry: options.reconnectFirst }),
    };
    this.#redial = new Redial((done) => transport.dial(address, options, done), context.environment, timing, {
      onAttempt: () => {
        if (this.#attached && !transport.dialsAtOnce) core.events.emit({ type: "connect:delay", address });
      },
      onStream: (stream) => {
        this.#pipe.open(stream);
        if (this.#attached) announce(core, { type: "connect", address });
      },
      onFailed: (error, retryIn) => {
        if (this.#attached) this.#tellFailed(error, retryIn);
        if (retryIn === null) this.#giveUp();
      },
    });
  }

  get unsent(): number {
    return this.#pipe.unsent;
  }

  optionsChanged(): void {
    this.#pipe.optionsChanged();
  }

  start(): void {
    if (!this.options.immediate) this.#core.pattern.attach(this.#pipe);
    this.#redial.start();
  }

  close(linger: number): Promise<void> {
    this.#detach();
    const closed = this.#linger.start(linger);
    this.#pipe.close();
    return closed;
  }

  stats(): PeerStats[] {
    return this.#pipe.isGone ? [] : [this.#pipe.stats()];
  }

  pipeReady(pipe: WirePipe): void {
    this.#redial.succeeded();
    if (!this.#attached) return;
    if (this.options.immediate) this.#core.pattern.attach(pipe);
    this.#core.pattern.ready(pipe);
    announce(this.#core, { type: "handshake", address: this.address });
  }

  /** Its queue is there for the next connection, and bounded as before. */
  pipeLeft(): void {}

  pipeLost(pipe: WirePipe, wasReady: boolean, reason: DisconnectReason, error: Error | null): void {
    if (this.#linger.isOver) return;
    if (wasReady && this.#attached) this.#core.pattern.lost(pipe);
    if (wasReady && this.options.immediate) this.#letGo(pipe);
    const retryIn = reason === "refused" ? null : this.#redial.lost();
    if (this.#attached) {
      if (!wasReady) this.#core.events.emit(handshakeError(this.address, error));
      announce(this.#core, {
        type: "disconnect",
        address: this.address,
        reason,
        ...(error !== null && { error }),
        ...(retryIn !== null && { retryIn }),
      });
      this.#tellRetry(retryIn, error);
    }
    if (retryIn === null) this.#giveUp();
  }

  pipeDone(): void {
    this.#redial.stop();
    this.#pipe.retire();
    this.#linger.end();
  }

  #tellFailed(error: Error, retryIn: number | null): void {
    this.#core.events.emit({ type: "close", address: this.address, error });
    this.#tellRetry(retryIn, error);
  }

  #tellRetry(retryIn: number | null, error: Error | null): void {
    if (retryIn === null || !this.#attached) return;
    const { address } = this;
    this.#core.events.emit({
      type: "connect:retry",
      address,
      interval: retryIn,
      ...(error !== null && { error }),
    });
  }

  /** ZMQ_IMMEDIATE: the peer is one for as long as it is connected, and its queue goes with it. */
  #letGo(pipe: WirePipe): void {
    if (this.#attached) this.#core.pattern.detach(pipe);
    pipe.discard();
  }

  #giveUp(): void {
    this.#redial.stop();
    this.#pipe.discard();
    this.#pipe.retire();
    if (this.#attached) {
      this.#detach();
      this.#onGone();
    } else this.#linger.end();
  }

  #detach(): void {
    if (!this.#attached) return;
    this.#attached = false;
    this.#core.pattern.detach(this.#pipe);
  }
}
