import { ZmqError } from "../../errors.ts";
import { Emitter } from "../../runtime/emitter.ts";
import type { Environment } from "../../runtime/environment.ts";
import { nodeEnvironment } from "../../runtime/node.ts";
import { type CallOptions, closedError } from "../client/call.ts";
import { RedisCommands } from "../client/commands.ts";
import { PendingCommand, PendingCommands } from "../client/pending-command.ts";
import { checkNames } from "../connection/options.ts";
import { type Argument, checkArguments } from "../protocol/encoder.ts";
import type { RespValue } from "../protocol/values.ts";
import type { InboxOptions } from "../pubsub/inbox.ts";
import { INBOX_OPTIONS, resolveInbox } from "../pubsub/inbox-options.ts";
import { ClusterCommand } from "./cluster-command.ts";
import { ClusterMap } from "./cluster-map.ts";
import { ClusterSubscriber } from "./cluster-subscriber.ts";
import { firstKey } from "./first-key.ts";
import type { NodeConnection } from "./node-connection.ts";
import { NodePool } from "./node-pool.ts";
import { type ClusterOptions, type ClusterSettings, resolveClusterOptions } from "./options.ts";
import { Router } from "./router.ts";
import { slotOf } from "./slot.ts";
import { type NodeAddress, nameOf, type Topology } from "./topology.ts";

export interface ClusterEvents {
  /** A node is ready for commands. */
  connect: { type: "connect"; address: string };
  /** The connection to a node has ended. It is made anew when a command wants it. */
  disconnect: { type: "disconnect"; address: string; error: ZmqError };
  /** Somebody has been asked who serves what. */
  topology: { type: "topology"; topology: Topology };
}

export interface ClusterStats {
  /** Commands that were taken. */
  commands: number;
  /** Of these, those that are not settled yet. */
  pending: number;
}

/**
 * A client of a Redis Cluster. Each command goes to the master that serves the slot of its first key; a command without one, PUBLISH
 * among them, goes to one node, the same as long as it lives, and what it answers (SCAN, KEYS, INFO) is that node's alone.
 *
 * Redirections (MOVED, ASK) are followed, and what was surely not carried out is tried again with growing pauses: refused with TRYAGAIN,
 * CLUSTERDOWN or LOADING, or not sent because a node was not to be reached. After `maxRedirections` it is rejected with what stood in
 * the way last. What was sent and not answered is rejected with EUNKNOWN, and never sent again.
 *
 * `maxQueuedCommands` and `maxQueuedBytes` bound what waits for an answer, in the whole cluster.
 *
 *     await using cluster = new RedisCluster({ nodes: [{ host: "10.0.0.1", port: 7000 }] });
 *     await cluster.set("user:1", "Ada");
 */
export class RedisCluster extends RedisCommands {
  readonly events: Emitter<ClusterEvents>;
  readonly #environment: Environment;
  readonly #settings: ClusterSettings;
  readonly #pending: PendingCommands;
  readonly #pool: NodePool;
  readonly #map: ClusterMap;
  readonly #router: Router;
  readonly #subscribers = new Set<ClusterSubscriber>();
  readonly #onRefused = (command: ClusterCommand, error: ZmqError): void =>
    this.#router.refused(command, error);
  #commands = 0;
  /** Of the commands that are not settled. */
  #bytes = 0;
  #isClosed = false;
  #closed: Promise<void> | null = null;

  /** @throws {ZmqError} EINVAL for an unknown option or one out of range; {TypeError} for one of the wrong kind. */
  constructor(options: ClusterOptions, environment: Environment = nodeEnvironment()) {
    super();
    const settings = resolveClusterOptions(options);
    const { connection, nodes, maxRedirections } = settings;
    this.#environment = environment;
    this.#settings = settings;
    this.events = new Emitter(environment);
    this.#pending = new PendingCommands(environment);
    this.#pool = new NodePool(environment, connection, {
      onReady: (address) => this.events.emit({ type: "connect", address: nameOf(address) }),
      onLost: (address, error) => this.#onLost(address, error),
    });
    this.#map = new ClusterMap(environment, connection, nodes, this.#pool, (topology) =>
      this.#onTopology(topology),
    );
    this.#router = new Router(environment, connection, this.#pool, this.#map, maxRedirections);
  }

  /** Who serves what, as last seen; null before the first look. */
  get topology(): Topology | null {
    return this.#map.topology;
  }

  /** Has a look at who serves what. Rejects with what the last node to fail said, when none answers; EBADF after `close`. */
  refresh(): Promise<Topology> {
    return this.#isClosed ? Promise.reject(closedError()) : this.#map.refresh();
  }

  stats(): ClusterStats {
    return { commands: this.#commands, pending: this.#pending.count };
  }

  /** Subscriptions in this cluster. They end with it, if not before. @throws {ZmqError} EINVAL; {TypeError}. */
  subscriber(options: InboxOptions = {}): ClusterSubscriber {
    checkNames(options, INBOX_OPTIONS);
    if (this.#isClosed) throw closedError();
    const subscriber: ClusterSubscriber = new ClusterSubscriber(
      this.#environment,
      this.#settings,
      this.#map,
      resolveInbox(options),
      () => this.#subscribers.delete(subscriber),
    );
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** Takes no further command, ends its subscribers, waits for the replies to those that were sent, and ends. What was not sent is rejected: EBADF. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Ends at once. What was sent is rejected with EUNKNOWN. */
  destroy(): void {
    this.#isClosed = true;
    for (const subscriber of [...this.#subscribers]) void subscriber.close();
    this.#router.close();
    this.#map.close();
    this.#pool.closeIf(() => true, closedError());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected override send<T>(
    args: readonly Argument[],
    read: (reply: RespValue) => T,
    options?: CallOptions,
  ): Promise<T> {
    checkArguments(args);
    if (this.#isClosed) return Promise.reject(closedError());
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { maxQueuedCommands, maxQueuedBytes } = this.#settings.connection;
    if (this.#pending.count >= maxQueuedCommands || this.#bytes >= maxQueuedBytes) {
      return Promise.reject(new ZmqError("ENOBUFS", "too many commands wait"));
    }
    this.#commands += 1;
    const size = sizeOf(args);
    const key = firstKey(args);
    const slot = key === null ? null : slotOf(key);
    this.#bytes += size;
    const sent = new Promise<T>((resolve, reject) => {
      const pending = new PendingCommand(this.#pending, read, resolve, reject, signal);
      this.#router.send(new ClusterCommand(args, slot, this.#environment.now(), pending, this.#onRefused));
    });
    const settled = (): void => {
      this.#bytes -= size;
    };
    sent.then(settled, settled);
    return sent;
  }

  #onLost(address: NodeAddress, error: ZmqError): void {
    this.events.emit({ type: "disconnect", address: nameOf(address), error });
    if (!this.#isClosed) this.#map.refresh().catch(() => {});
  }

  #onTopology(topology: Topology): void {
    const reason = new ZmqError("EHOSTDOWN", "the node has failed, or left the cluster");
    const isGone = ({ address, connection }: NodeConnection): boolean => {
      const node = topology.at(address);
      return node === null ? connection?.pending === 0 : node.health === "failed";
    };
    for (const address of this.#pool.closeIf(isGone, reason)) {
      this.events.emit({ type: "disconnect", address: nameOf(address), error: reason });
    }
    for (const subscriber of [...this.#subscribers]) subscriber.onTopology(topology);
    this.events.emit({ type: "topology", topology });
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    for (const subscriber of [...this.#subscribers]) void subscriber.close();
    this.#router.close();
    this.#pool.closeIf(({ connection }) => connection === null, closedError());
    await this.#pending.done();
    this.destroy();
  }
}

function sizeOf(args: readonly Argument[]): number {
  let size = 0;
  for (const arg of args) size += typeof arg === "object" || typeof arg === "string" ? arg.length : 20;
  return size;
}
