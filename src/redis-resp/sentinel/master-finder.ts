import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { firstSuccess } from "../cluster/first-success.ts";
import { NodeConnection } from "../cluster/node-connection.ts";
import { type NodeAddress, nameOf } from "../cluster/topology.ts";
import type { Settings } from "../connection/options.ts";
import { ReplyError } from "../protocol/errors.ts";
import type { SentinelSettings } from "./options.ts";
import { readMaster, readRole, readSentinels } from "./sentinel-replies.ts";

/** ms without an answer after which the next sentinel is asked as well. */
const PATIENCE = 100;
/** Sentinels that are remembered at most. */
const MOST = 100;

/** Finds the master: what a sentinel says, once the server itself says so too. */
export class MasterFinder {
  readonly #environment: Environment;
  readonly #settings: SentinelSettings;
  /** The one that helped last comes first. */
  #sentinels: readonly NodeAddress[];
  #announced: NodeAddress | null = null;
  #finding: Promise<NodeAddress> | null = null;

  constructor(environment: Environment, settings: SentinelSettings) {
    this.#environment = environment;
    this.#settings = settings;
    this.#sentinels = settings.sentinels;
  }

  /** Those that were given, and those that these know of. */
  get sentinels(): readonly NodeAddress[] {
    return this.#sentinels;
  }

  /** A sentinel says so by itself: looked at first, for the others may not know it yet. */
  announce(master: NodeAddress): void {
    this.#announced = master;
  }

  /** Several that ask at the same time share the answer. @throws {ZmqError} why the last sentinel to fail has. */
  find(): Promise<NodeAddress> {
    this.#finding ??= this.#find().finally(() => {
      this.#finding = null;
    });
    return this.#finding;
  }

  async #find(): Promise<NodeAddress> {
    const announced = this.#announced;
    this.#announced = null;
    if (announced !== null) {
      try {
        return await this.#verify(announced);
      } catch {
        // It is gone again, or not there yet: the sentinels know.
      }
    }
    return firstSuccess(this.#sentinels, (sentinel) => this.#findBy(sentinel), PATIENCE, this.#environment);
  }

  /** @throws {ZmqError} EHOSTUNREACH for a server that is no master, what it says instead, or why it cannot be reached. */
  async #verify(address: NodeAddress): Promise<NodeAddress> {
    const role = await this.#visit(address, this.#settings.masterSettings, (node) =>
      node.ask("ROLE").then(readRole, acceptIfNotAllowed),
    );
    if (role === "master") return address;
    throw new ZmqError("EHOSTUNREACH", `${nameOf(address)} is no master, its role is ${role}`);
  }

  async #findBy(sentinel: NodeAddress): Promise<NodeAddress> {
    const { name, watcherSettings } = this.#settings;
    const master = await this.#visit(sentinel, watcherSettings, async (node) => {
      const [address, others] = await Promise.all([
        node.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name).then(readMaster),
        // It answers with an error when it does not know the name, as the other command says too.
        node.ask("SENTINEL", "SENTINELS", name).then(readSentinels, () => []),
      ]);
      if (address === null)
        throw new ZmqError("ENOENT", `${nameOf(sentinel)} knows no master called ${name}`);
      this.#learn(sentinel, others);
      return address;
    });
    return this.#verify(master);
  }

  #learn(helpful: NodeAddress, others: readonly NodeAddress[]): void {
    const all = [helpful, ...this.#sentinels, ...others];
    this.#sentinels = [...new Map(all.map((one) => [nameOf(one), one])).values()].slice(0, MOST);
  }

  /** A connection for one conversation. */
  async #visit<T>(
    address: NodeAddress,
    settings: Settings,
    talk: (node: NodeConnection) => Promise<T>,
  ): Promise<T> {
    const node = new NodeConnection(address, this.#environment, settings, { onEnd() {} });
    try {
      return await talk(node);
    } finally {
      node.close(new ZmqError("ECANCELED", "no longer needed"));
    }
  }
}

/** Who may not ask for the role has to take the sentinel's word. */
function acceptIfNotAllowed(error: unknown): string {
  if (error instanceof ReplyError && error.code === "NOPERM") return "master";
  throw error;
}
