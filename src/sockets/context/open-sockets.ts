import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";

/** What a context knows of a socket. */
export interface OpenSocket {
  /** Whether it has messages to send, and time for that once it is closed. */
  mustLinger(): boolean;
  close(): Promise<void>;
}

/** ms of lingering, at the end of the process, after which we say what it waits for. */
const PATIENCE = 500;

/**
 * The sockets of a context. When the process has nothing left to do, those that were never closed are closed, so that what they
 * have queued is sent: as libzmq's context does when it is terminated.
 */
export class OpenSockets {
  readonly #environment: Environment;
  readonly #isBlocky: () => boolean;
  #open = 0;
  readonly #withEndpoints = new Set<OpenSocket>();
  #leaveIdle: (() => void) | null = null;
  /** A socket without endpoints that nobody refers to any more does not count. */
  readonly #collected = new FinalizationRegistry<null>(() => {
    this.#open -= 1;
  });

  constructor(environment: Environment, isBlocky: () => boolean) {
    this.#environment = environment;
    this.#isBlocky = isBlocky;
  }

  /** @throws {ZmqError} EMFILE when there are `max` already. */
  opened(socket: OpenSocket, max: number): void {
    if (this.#open >= max) throw new ZmqError("EMFILE");
    this.#open += 1;
    this.#collected.register(socket, null, socket);
  }

  /** It has an endpoint, or is about to have one. */
  gotEndpoint(socket: OpenSocket): void {
    this.#withEndpoints.add(socket);
    this.#leaveIdle ??= this.#environment.onIdle(() => this.#closeAll());
  }

  /** Closed, and done with lingering. */
  closed(socket: OpenSocket): void {
    this.#open -= 1;
    this.#collected.unregister(socket);
    this.#withEndpoints.delete(socket);
    if (this.#withEndpoints.size > 0) return;
    this.#leaveIdle?.();
    this.#leaveIdle = null;
  }

  /** Those that have nothing to send do not matter, but may be the peers of others. */
  #closeAll(): void {
    const sockets = [...this.#withEndpoints];
    if (!sockets.some((socket) => socket.mustLinger())) return;
    const timer = this.#environment.setTimer(PATIENCE, () => this.#tell());
    void Promise.all(sockets.map((socket) => socket.close())).then(() => timer.cancel());
  }

  #tell(): void {
    const advice = this.#isBlocky() ? " Set 'context.blocky = false' to change this behaviour." : "";
    this.#environment.tell(`Waiting for queued ZeroMQ messages to be delivered.${advice}`);
  }
}
