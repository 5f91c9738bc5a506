import { setMaxListeners } from "node:events";
import type {
  Publisher,
  Pull,
  Push,
  SocketStats,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../src/sockets/index.ts";
import type { Ledger } from "./ledger.ts";
import type { Link, LinkOwner } from "./link.ts";
import type { Site } from "./site.ts";

export type AnySocket = Publisher | Subscriber | XPublisher | XSubscriber | Push | Pull;

/** A call that has been made and may take its time. It always settles in the end. */
export interface Call {
  readonly what: string;
  readonly controller: AbortController | null;
  state: "pending" | "resolved" | "rejected";
}

/** What the actors of one run share. */
export interface Scene {
  readonly site: Site;
  readonly ledger: Ledger;
  readonly calls: Call[];
  /** Something is not as it should be. Told, not thrown, for it is found out within the sockets' own calls. */
  fault(text: string): void;
  /** The other end of a connection, where it is known. */
  otherEnd(link: Link): Link | undefined;
}

/** PS-19, ZMQ_IMMEDIATE; not set: as false. */
export interface QueueOptions {
  conflate?: boolean;
  immediate?: boolean;
}

/** The reason that an aborted call is rejected with. */
export const ABORTED: unique symbol = Symbol("aborted");

/** One socket of a model, from its making to the end of its lingering, and what the model knows of it. */
export abstract class Actor<S extends AnySocket = AnySocket> implements LinkOwner {
  readonly scene: Scene;
  readonly name: string;
  readonly socket: S;
  readonly links: Link[] = [];
  /** How often an address is dialled; those that are bound. */
  readonly dials: Map<string, number> = new Map();
  readonly binds: Set<string> = new Set();
  isClosed = false;
  /** A connection has ended, with whatever was on its way. */
  hasLostLink = false;
  /** Connections that were complete and ended without our doing. */
  lost = 0;
  /** When the lingering of endpoints ends that were closed. */
  protected readonly lingerEnds: number[] = [];
  /** Until when an endpoint that was disconnected may still be sending. */
  readonly #lingering = new Map<string, number>();

  constructor(scene: Scene, name: string, makeSocket: (owner: LinkOwner) => S) {
    this.scene = scene;
    this.name = name;
    this.socket = makeSocket(this);
  }

  /** Keeps account of a call until it settles. */
  track<T>(
    what: string,
    promise: Promise<T>,
    controller: AbortController | null,
    onResolved: (value: T) => void,
    onRejected: (error: { code?: string } | symbol) => void,
  ): Call {
    const call: Call = { what: `${this.name}.${what}`, controller, state: "pending" };
    this.scene.calls.push(call);
    promise.then(
      (value) => {
        call.state = "resolved";
        onResolved(value);
      },
      (error) => {
        call.state = "rejected";
        onRejected(error);
      },
    );
    return call;
  }

  fault(text: string): void {
    this.scene.fault(`${this.name}: ${text}`);
  }

  bind(address: string): void {
    this.track(
      `bind(${address})`,
      this.socket.bind(address),
      null,
      () => this.binds.add(address),
      (error) => {
        const code = (error as { code?: string }).code;
        if (code !== "EADDRINUSE" && !(code === "EBADF" && this.isClosed))
          this.fault(`bind: ${String(error)}`);
      },
    );
  }

  unbind(address: string, linger: number): void {
    if (!this.binds.delete(address)) return;
    this.closeLinks(linger, (link) => !link.isDialled && link.address === address);
    const unbound = this.withLinger(linger, () => this.socket.unbind(address));
    this.track("unbind", unbound, null, noop, (error) => this.fault(`unbind: ${String(error)}`));
  }

  connect(address: string): void {
    const count = this.dials.get(address) ?? 0;
    this.dials.set(address, this.dialsTwice ? count + 1 : 1);
    this.socket.connect(address);
  }

  disconnect(address: string, linger: number): void {
    if (!this.dials.delete(address)) return;
    const { site } = this.scene;
    const until = linger < 0 ? Number.POSITIVE_INFINITY : site.now() + linger + site.lateness;
    this.#lingering.set(address, until);
    this.closeLinks(linger, (link) => link.isDialled && link.address === address);
    this.withLinger(linger, () => this.socket.disconnect(address));
  }

  close(linger: number): void {
    this.closeLinks(linger, () => true);
    this.isClosed = true;
    this.socket.linger = linger;
    this.track(`close(${linger})`, this.socket.close(), null, noop, (error) =>
      this.fault(`close was rejected: ${String(error)}`),
    );
  }

  /** Whether a second `connect` to an address makes a second connection (PS-23). */
  abstract get dialsTwice(): boolean;

  /** The endpoints are on their way out: what comes in from now on is nobody's. */
  protected closeLinks(linger: number, which: (link: Link) => boolean): void {
    this.lingerEnds.push(linger < 0 ? Number.POSITIVE_INFINITY : this.scene.site.now() + linger);
    for (const link of this.links) if (which(link)) link.closing = "yes";
  }

  /** Whether a disconnected endpoint may still be at work, on this address or on any. */
  isLingering(address?: string): boolean {
    const now = this.scene.site.now();
    for (const [one, until] of this.#lingering)
      if ((address === undefined || one === address) && now <= until) return true;
    return false;
  }

  liveLinks(): Link[] {
    return this.links.filter((link) => !link.isOver && link.closing !== "yes");
  }

  /** What the counters say must always hold. */
  checkCounters(stats: SocketStats = this.socket.stats()): SocketStats {
    for (const name of ["sent", "received", "dropped", "queued"] as const) {
      const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
      if (!isCount(stats[name]) || !stats.peers.every((peer) => isCount(peer[name])))
        this.fault(`${name} is no count: ${JSON.stringify(stats)}`);
    }
    return stats;
  }

  opened(link: Link): void {
    this.links.push(link);
    if (this.isClosed) link.closing = "yes";
    else if (link.isDialled && !this.dials.has(link.address)) link.closing = "yes";
    else if (link.isDialled && this.isLingering(link.address)) link.closing = "perhaps";
  }

  ended(link: Link): void {
    this.hasLostLink = true;
    if (link.heardReady && link.closing === "no") this.lost += 1;
  }

  heardSubscription(_link: Link, _subscribe: boolean, _topic: string): void {}
  readied(_link: Link): void {}
  abstract readonly side: "sender" | "receiver";
  abstract wrote(link: Link, parts: Buffer[]): void;
  abstract heard(link: Link, parts: Buffer[]): void;

  saidSubscription(_link: Link, subscribe: boolean, topic: string): void {
    this.fault(`says ${subscribe ? "SUBSCRIBE" : "CANCEL"} ${topic}`);
  }

  private withLinger<T>(linger: number, call: () => T): T {
    const before = this.socket.linger;
    this.socket.linger = linger;
    try {
      return call();
    } finally {
      this.socket.linger = before;
    }
  }
}

/** A signal for any number of calls. */
export function abortController(isAborted: boolean): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  if (isAborted) controller.abort(ABORTED);
  return controller;
}

export function noop(): void {}
