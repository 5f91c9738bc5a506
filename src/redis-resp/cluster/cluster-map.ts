import type { Environment } from "../../runtime/environment.ts";
import { closedError } from "../client/call.ts";
import type { Settings } from "../connection/options.ts";
import { askTopology } from "./ask-topology.ts";
import { firstSuccess } from "./first-success.ts";
import type { NodePool } from "./node-pool.ts";
import { type NodeAddress, nameOf, type Topology } from "./topology.ts";

/** ms without an answer after which the next node is asked as well. */
const PATIENCE = 100;

/** Knows who serves what, and finds out anew from any node that answers. */
export class ClusterMap {
  readonly #environment: Environment;
  readonly #settings: Settings;
  readonly #seeds: readonly NodeAddress[];
  readonly #pool: NodePool;
  readonly #onChange: (topology: Topology) => void;
  #topology: Topology | null = null;
  #refreshing: Promise<Topology> | null = null;
  #isClosed = false;

  constructor(
    environment: Environment,
    settings: Settings,
    seeds: readonly NodeAddress[],
    pool: NodePool,
    onChange: (topology: Topology) => void,
  ) {
    this.#environment = environment;
    this.#settings = settings;
    this.#seeds = seeds;
    this.#pool = pool;
    this.#onChange = onChange;
  }

  /** As last seen; null before the first look. */
  get topology(): Topology | null {
    return this.#topology;
  }

  /**
   * Has a new look; several that want one at the same time share it.
   * @param knows the node that is likely to know best.
   * @throws {ZmqError} what the last node to fail said, when none has answered; EBADF after `close`.
   */
  refresh(knows?: NodeAddress): Promise<Topology> {
    this.#refreshing ??= this.#look(knows).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** Nobody is asked any more. */
  close(): void {
    this.#isClosed = true;
  }

  async #look(knows: NodeAddress | undefined): Promise<Topology> {
    const topology = await firstSuccess(
      this.#candidates(knows),
      (address) => this.#ask(address),
      PATIENCE,
      this.#environment,
    );
    this.#topology = topology;
    this.#onChange(topology);
    return topology;
  }

  async #ask(address: NodeAddress): Promise<Topology> {
    if (this.#isClosed) throw closedError();
    return askTopology(this.#pool.to(address), this.#settings.tls !== null);
  }

  /** Everybody once: the likeliest to answer first, apart from that in any order. */
  #candidates(knows: NodeAddress | undefined): NodeAddress[] {
    const nodes = shuffle(this.#topology?.nodes ?? [], this.#environment);
    const alive = nodes.filter(({ health }) => health !== "failed");
    const failed = nodes.filter(({ health }) => health === "failed");
    const all: NodeAddress[] = [...alive, ...shuffle(this.#seeds, this.#environment), ...failed];
    if (knows !== undefined) all.unshift(knows);
    return [...new Map(all.map((address) => [nameOf(address), address])).values()];
  }
}

export function shuffle<T>(items: readonly T[], environment: Environment): T[] {
  return items
    .map((item) => ({ item, rank: environment.random() }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ item }) => item);
}
