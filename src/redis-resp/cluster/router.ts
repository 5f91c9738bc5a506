import { ZmqError } from "../../errors.ts";
import type { Environment, Timer } from "../../runtime/environment.ts";
import { closedError } from "../client/call.ts";
import type { Settings } from "../connection/options.ts";
import { ReplyError } from "../protocol/errors.ts";
import type { ClusterCommand } from "./cluster-command.ts";
import { type ClusterMap, shuffle } from "./cluster-map.ts";
import type { NodeReply } from "./node-connection.ts";
import type { NodePool } from "./node-pool.ts";
import { parseRedirect, type Redirect } from "./redirect.ts";
import { type NodeAddress, nameOf, type Topology } from "./topology.ts";

/** Refused, so not carried out, for a reason that passes. */
const PASSING: ReadonlySet<string> = new Set(["TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN"]);
/** Not refused by a server, and yet not to be tried again: sent, or not wanted. */
const FINAL: ReadonlySet<string> = new Set(["EUNKNOWN", "ENOBUFS", "EBADF"]);

/** ms before the second, third... retry; the first is made at once. */
const LEAST_PAUSE = 25;
const LONGEST_PAUSE = 500;

const IGNORED: NodeReply = { isSettled: false, resolve() {}, reject() {} };

/**
 * Sends each command to the node that serves its slot, follows redirections, and tries again what was surely not carried out:
 * refused for a reason that passes, or not even sent.
 */
export class Router {
  readonly #environment: Environment;
  readonly #settings: Settings;
  readonly #pool: NodePool;
  readonly #map: ClusterMap;
  readonly #maxRetries: number;
  /** Where commands without a key go. Always the same node, as long as it lives, so that what is published stays in order. */
  #favourite: NodeAddress | null = null;
  /** Commands that no node has: they wait for a pause to end, or (null) for a look at the topology. */
  readonly #waiting = new Map<ClusterCommand, Timer | null>();
  #isClosed = false;

  /** @param maxRetries redirections included. */
  constructor(
    environment: Environment,
    settings: Settings,
    pool: NodePool,
    map: ClusterMap,
    maxRetries: number,
  ) {
    this.#environment = environment;
    this.#settings = settings;
    this.#pool = pool;
    this.#map = map;
    this.#maxRetries = maxRetries;
  }

  send(command: ClusterCommand): void {
    if (command.isSettled) return;
    const { topology } = this.#map;
    if (this.#isClosed) command.fail(closedError());
    else if (topology === null) this.#lookAndSend(command);
    else if (command.slot === null) command.sendTo(this.#pool.to(this.#anyNode(topology)));
    else {
      const owner = topology.ownerOf(command.slot);
      if (owner !== null) command.sendTo(this.#pool.to(owner));
      else this.refused(command, new ZmqError("CLUSTERDOWN", `nobody serves slot ${command.slot}`));
    }
  }

  /** A command was not carried out, or its fate is unknown. */
  refused(command: ClusterCommand, error: ZmqError): void {
    if (!(error instanceof ReplyError) && isSame(this.#favourite, command.node)) this.#favourite = null;
    const redirect =
      error instanceof ReplyError ? parseRedirect(error.message, command.node?.host ?? "") : null;
    if (command.retries >= this.#maxRetries || (redirect === null && this.#isFinal(command, error))) {
      command.fail(error);
      return;
    }
    command.retries += 1;
    if (redirect !== null) this.#follow(redirect, command);
    else this.#sendLater(command);
  }

  /** What waits to be sent is rejected, and what is refused from now on as well. */
  close(): void {
    this.#isClosed = true;
    for (const [command, timer] of this.#waiting) {
      timer?.cancel();
      command.fail(closedError());
    }
    this.#waiting.clear();
  }

  #isFinal(command: ClusterCommand, error: ZmqError): boolean {
    const { commandTimeout } = this.#settings;
    const isLate = commandTimeout > 0 && this.#environment.now() - command.since >= commandTimeout;
    if (this.#isClosed || isLate) return true;
    return error instanceof ReplyError ? !PASSING.has(error.code) : FINAL.has(error.code);
  }

  #follow({ kind, slot, target }: Redirect, command: ClusterCommand): void {
    if (target === null) {
      this.#lookAndSend(command);
      return;
    }
    const node = this.#pool.to(target);
    if (kind === "ASK") node.request(["ASKING"], IGNORED);
    else if (!isSame(this.#map.topology?.ownerOf(slot) ?? null, target)) {
      // Who has sent us on may itself know no better; the next redirection says so.
      this.#map.refresh(target).catch(() => {});
    }
    command.sendTo(node);
  }

  #sendLater(command: ClusterCommand): void {
    const most =
      command.retries === 1 ? 0 : Math.min(LONGEST_PAUSE, LEAST_PAUSE * 2 ** (command.retries - 1));
    const pause = most / 2 + (most / 2) * this.#environment.random();
    const timer = this.#environment.setTimer(pause, () => this.#lookAndSend(command));
    this.#waiting.set(command, timer);
  }

  #lookAndSend(command: ClusterCommand): void {
    this.#waiting.set(command, null);
    const looked = this.#map.refresh().finally(() => this.#waiting.delete(command));
    looked.then(
      () => this.send(command),
      (error: ZmqError) => command.reject(error),
    );
  }

  #anyNode(topology: Topology): NodeAddress {
    if (this.#favourite === null || topology.at(this.#favourite)?.health !== "online") {
      const online = topology.nodes.filter(({ health }) => health === "online");
      const masters = online.filter(({ role }) => role === "master");
      const candidates = [masters, online, topology.nodes].find(({ length }) => length > 0) ?? [];
      this.#favourite = shuffle(candidates, this.#environment)[0] as NodeAddress;
    }
    return this.#favourite;
  }
}

function isSame(one: NodeAddress | null, other: NodeAddress | null): boolean {
  return one !== null && other !== null && nameOf(one) === nameOf(other);
}
