import type { Environment } from "../../runtime/environment.ts";
import type { Stream } from "../../transports/transport.ts";
import { FaultState } from "./fault-state.ts";
import type { ResolvedOptions } from "./options.ts";
import { Session } from "./session.ts";
import { Store } from "./store.ts";
import { CHANNEL, PATTERN, SHARD, Topics } from "./topics.ts";

/** As the server has it. */
const DATABASES = 16;

/** What all clients of one broker share. */
export class Core {
  readonly environment: Environment;
  readonly options: ResolvedOptions;
  readonly store: Store;
  readonly channels: Topics<Session> = new Topics(CHANNEL);
  readonly patterns: Topics<Session> = new Topics(PATTERN);
  readonly shardChannels: Topics<Session> = new Topics(SHARD);
  readonly sessions: Set<Session> = new Set();
  readonly faults: FaultState = new FaultState();
  readonly counters = {
    connections: 0,
    refused: 0,
    commands: 0,
    published: 0,
    delivered: 0,
    closedForOutput: 0,
  };
  /** Where clients reach the broker. */
  address: { readonly host: string; readonly port: number } = { host: "", port: 0 };
  /** The broker, as a node of a cluster. */
  readonly nodeId: string;
  /** Those who wait until nobody is connected. */
  readonly #waiting: (() => void)[] = [];
  readonly #unflushed: Session[] = [];
  readonly #flush = (): void => {
    for (const session of this.#unflushed.splice(0)) session.flush();
  };

  constructor(environment: Environment, options: ResolvedOptions) {
    this.environment = environment;
    this.options = options;
    const hex = (): string => Math.floor(environment.random() * 16).toString(16);
    this.nodeId = Array.from({ length: 40 }, hex).join("");
    this.store = new Store(options.cluster ? 1 : DATABASES, options.maxMemory, environment.now);
  }

  accept(stream: Stream): void {
    this.counters.connections += 1;
    const session = new Session(this, stream, this.counters.connections);
    this.sessions.add(session);
    stream.start(session);
    if (this.sessions.size > this.options.maxClients) {
      this.counters.refused += 1;
      session.refuse("ERR max number of clients reached");
    } else if (this.faults.frozen) {
      session.freeze();
    }
  }

  onGone(session: Session): void {
    this.sessions.delete(session);
    if (this.sessions.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Closes all connections. Resolves when the last one is gone. */
  async end(): Promise<void> {
    for (const session of [...this.sessions]) session.destroy();
    if (this.sessions.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Writes what the session has to say, together with the rest of what this turn of the event loop brings. */
  flushSoon(session: Session): void {
    if (this.#unflushed.push(session) === 1) this.environment.nextTurn(this.#flush);
  }

  freeze(): void {
    this.faults.frozen = true;
    for (const session of this.sessions) session.freeze();
  }

  thaw(): void {
    if (!this.faults.frozen) return;
    this.faults.frozen = false;
    for (const session of [...this.sessions]) session.thaw();
  }
}
