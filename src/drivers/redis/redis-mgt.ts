import type { Environment } from "../../sockets/index.ts";
import type { AskNode } from "./cluster-view.ts";
import { type NodeAddress, nameOf } from "./node-address.ts";
import { type NodeUser, TopologyWatch } from "./topology-watch.ts";

/** Masters that one message can tell of. */
const MAX_HINTS = 1000;

export type MgtEnvironment = Pick<Environment, "now" | "random" | "setTimer">;

/** By the environment they belong to, and by the addresses they begin with. */
const instances = new WeakMap<Environment, Map<string, RedisMgt>>();

/**
 * Which Redis servers there are, and which one to talk to: any master, for a cluster passes what is published to all of its nodes.
 * One for all drivers that begin with the same addresses: what one of them learns, the others know.
 *
 * A node that failed is passed over until it has worked again, or all others have failed too. While nothing is known, or everything
 * has failed, the known nodes are asked for the masters, in turn: the first that answers tells.
 */
export class RedisMgt {
  readonly #seeds: readonly NodeAddress[];
  readonly #random: () => number;
  readonly #watch: TopologyWatch;
  /** Empty: not known. */
  #masters: readonly NodeAddress[] = [];
  /** Told by hearsay: to be asked when nobody else answers. */
  #hints: readonly NodeAddress[] = [];
  readonly #failed = new Set<string>();
  #refreshing: Promise<void> | null = null;

  /** @param seeds at least one. */
  constructor(seeds: readonly NodeAddress[], environment: MgtEnvironment) {
    const mgt = this;
    this.#seeds = seeds;
    this.#random = environment.random;
    this.#watch = new TopologyWatch(environment, {
      seeds,
      get masters() {
        return mgt.#masters;
      },
      seen: (masters) => {
        this.#masters = masters;
      },
    });
  }

  static getInstance(seeds: readonly NodeAddress[], environment: Environment): RedisMgt {
    const all = instances.get(environment) ?? new Map<string, RedisMgt>();
    instances.set(environment, all);
    const key = seeds.map(nameOf).join();
    const instance = all.get(key) ?? new RedisMgt(seeds, environment);
    all.set(key, instance);
    return instance;
  }

  get masters(): readonly NodeAddress[] {
    return this.#masters;
  }

  /** A master to talk to, by chance. Rejects when nobody answers: with what the last one asked said. */
  async selectNode(ask: AskNode): Promise<NodeAddress> {
    if (this.#working().length === 0) {
      await this.refresh(ask);
      // Those who are masters still may be back; who is not shows it soon enough.
      if (this.#working().length === 0) this.#failed.clear();
    }
    const nodes = this.#working();
    return nodes[Math.floor(this.#random() * nodes.length)]!;
  }

  /** Asks for the masters. Several at a time: the same answer for all. */
  refresh(ask: AskNode): Promise<void> {
    this.#refreshing ??= this.#refresh(ask).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /**
   * Somebody says that the masters have changed. Whoever may publish can say so, and we show our password where we connect: those
   * that we know already are asked first whether it is true.
   */
  hinted(masters: readonly NodeAddress[], ask: AskNode): void {
    this.#hints = masters.slice(0, MAX_HINTS);
    this.refresh(ask).catch(() => {}); // told by who needs a node, should there be none
  }

  /** It could not be reached, or its connection ended. In a cluster there may be another master in its place by now. */
  failed(node: NodeAddress, ask: AskNode): void {
    this.#failed.add(nameOf(node));
    if (this.#working().length > 0) this.refresh(ask).catch(() => {}); // told by who needs a node, should there be none
  }

  worked(node: NodeAddress): void {
    this.#failed.delete(nameOf(node));
  }

  /**
   * Somebody is connected to a node, and wants to hear when it leaves its cluster and the connection stays.
   * @returns to be called when he is not any more.
   */
  use(user: NodeUser): () => void {
    return user.interval === 0 ? () => {} : this.#watch.use(user);
  }

  #working(): NodeAddress[] {
    return this.#masters.filter((node) => !this.#failed.has(nameOf(node)));
  }

  /** Who names only itself may have left its cluster: the last resort, and sooner one that serves slots. */
  async #refresh(ask: AskNode): Promise<void> {
    let serving: NodeAddress | null = null;
    let idle: NodeAddress | null = null;
    let last: unknown;
    for (const node of this.#toAsk()) {
      try {
        const view = await ask(node);
        const masters = view.masters.map(({ address }) => address);
        this.worked(node);
        if (isOnly(node, masters)) {
          if (view.hasSlots) serving ??= node;
          else idle ??= node;
          continue;
        }
        this.#masters = masters;
        return;
      } catch (error) {
        this.#failed.add(nameOf(node));
        last = error;
      }
    }
    const alone = serving ?? idle;
    if (alone === null) throw last;
    this.#masters = [alone];
  }

  /** Each node once, those that work first; of those that were configured the order is kept. */
  #toAsk(): NodeAddress[] {
    const nodes = [...this.#working(), ...this.#seeds, ...this.#masters, ...this.#hints];
    return [...new Map(nodes.map((node) => [nameOf(node), node])).values()];
  }
}

function isOnly(node: NodeAddress, masters: readonly NodeAddress[]): boolean {
  // Of a plain server, and of a replica that knows no master, there is nothing to list.
  return masters.every((master) => nameOf(master) === nameOf(node));
}
