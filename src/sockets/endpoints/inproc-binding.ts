import type { SocketType } from "../../zmtp/index.ts";
import type { Core } from "../core.ts";
import type { InprocPipe } from "../pipes/inproc-pipe.ts";
import type { PeerStats } from "../stats.ts";
import type { Endpoint } from "./endpoint.ts";

/** An inproc name that a socket has bound. The connections that come in by it live on without it (libzmq, ctx_t). */
export class InprocBinding implements Endpoint {
  readonly address: string;
  readonly #core: Core;
  readonly #newPipe: () => InprocPipe;

  /** @param newPipe makes this socket's end of a connection. */
  constructor(core: Core, address: string, newPipe: () => InprocPipe) {
    this.address = address;
    this.#core = core;
    this.#newPipe = newPipe;
  }

  get type(): SocketType {
    return this.#core.type;
  }

  /** A pipe of another socket has been given this address. */
  accept(dialled: InprocPipe): void {
    const accepted = this.#newPipe();
    accepted.link(dialled);
    dialled.link(accepted);
  }

  warn(message: string): void {
    this.#core.context.environment.warn(message);
  }

  /** The name is free at once. */
  close(): Promise<void> {
    this.#core.context.inproc.unbind(this);
    return Promise.resolve();
  }

  get unsent(): number {
    return 0;
  }

  optionsChanged(): void {}

  stats(): PeerStats[] {
    return [];
  }
}
