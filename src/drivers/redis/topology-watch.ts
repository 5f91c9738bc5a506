import { ZmqError } from "../../errors.ts";
import type { Environment, Timer } from "../../sockets/index.ts";
import { type AskNode, areApart, type ClusterView, disownsItself, isOut } from "./cluster-view.ts";
import { type NodeAddress, nameOf } from "./node-address.ts";

/** Somebody who is connected to a node. */
export interface NodeUser {
  readonly node: NodeAddress;
  readonly ask: AskNode;
  /** ms between two looks. */
  readonly interval: number;
  /** The node goes on without its cluster: it is to be left. */
  onOut(error: ZmqError): void;
}

/** What is known of the cluster. */
export interface Masters {
  readonly masters: readonly NodeAddress[];
  /** Those that were configured. */
  readonly seeds: readonly NodeAddress[];
  /** A node that is in the cluster lists these. */
  seen(masters: readonly NodeAddress[]): void;
}

interface Watched {
  readonly node: NodeAddress;
  readonly users: Set<NodeUser>;
  /** The last look found it out of its cluster. */
  isDoubted: boolean;
  /** No cluster, or it does not tell: not asked again. */
  isSilent: boolean;
}

/**
 * Looks from time to time whether the nodes in use are in their cluster still: one that was taken out of it
 * and goes on running (CLUSTER FORGET, RESET) shows nothing of that on its connections. A look asks the node
 * and one other master; when these two are apart, all of them. A node is left when two looks in a row have
 * found it out; a look without its answer finds nothing.
 */
export class TopologyWatch {
  readonly #environment: Pick<Environment, "now" | "random" | "setTimer">;
  readonly #known: Masters;
  readonly #watched = new Map<string, Watched>();
  #timer: Timer | null = null;
  #isLooking = false;
  /** When the last look began, or the first user came. */
  #lookedAt = 0;

  constructor(environment: Pick<Environment, "now" | "random" | "setTimer">, known: Masters) {
    this.#environment = environment;
    this.#known = known;
  }

  /** @returns to be called when it leaves the node. Without users there is no look, and no timer. */
  use(user: NodeUser): () => void {
    if (this.#watched.size === 0) this.#lookedAt = this.#environment.now();
    const name = nameOf(user.node);
    const watched = this.#watched.get(name) ?? newWatched(user.node);
    this.#watched.set(name, watched);
    watched.users.add(user);
    this.#schedule();
    return () => {
      watched.users.delete(user);
      if (watched.users.size === 0 && this.#watched.get(name) === watched) this.#watched.delete(name);
      this.#schedule();
    };
  }

  get #toAsk(): Watched[] {
    return [...this.#watched.values()].filter(({ isSilent }) => !isSilent);
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const intervals = this.#toAsk.flatMap(({ users }) => [...users].map(({ interval }) => interval));
    if (this.#isLooking || intervals.length === 0) return;
    const wait = this.#lookedAt + Math.min(...intervals) - this.#environment.now();
    this.#timer = this.#environment.setTimer(Math.max(0, wait), () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    this.#lookedAt = this.#environment.now();
    const answers = new Map<string, Promise<ClusterView | null>>();
    const askOnce = (node: NodeAddress, ask: AskNode): Promise<ClusterView | null> => {
      const answer = answers.get(nameOf(node)) ?? ask(node).catch(() => null);
      answers.set(nameOf(node), answer);
      return answer;
    };
    await Promise.all(
      this.#toAsk.map((watched) => {
        const [user] = watched.users;
        return this.#lookAt(watched, (node) => askOnce(node, user!.ask));
      }),
    );
    this.#isLooking = false;
    this.#schedule();
  }

  async #lookAt(watched: Watched, ask: (node: NodeAddress) => Promise<ClusterView | null>): Promise<void> {
    const wasDoubted = watched.isDoubted;
    watched.isDoubted = false;
    const view = await ask(watched.node);
    if (view === null) return;
    watched.isSilent = view.id === null;
    if (watched.isSilent) return;
    const others = this.#othersThan(watched.node, view);
    const other = others[Math.floor(this.#environment.random() * others.length)];
    const isSuspicious =
      wasDoubted || disownsItself(view) || (other !== undefined && areApart(view, await ask(other)));
    if (!isSuspicious) this.#known.seen(view.masters.map(({ address }) => address));
    else if (isOut(view, await Promise.all(others.map(ask)))) watched.isDoubted = true;
    if (watched.isDoubted && wasDoubted)
      for (const user of [...watched.users])
        user.onOut(new ZmqError("EHOSTDOWN", "the node has left its cluster"));
  }

  /**
   * Who serves nothing and is the only master known was taken when nobody else answered: those configured may
   * know more by now.
   */
  #othersThan(node: NodeAddress, { hasSlots }: ClusterView): NodeAddress[] {
    const isOther = (other: NodeAddress): boolean => nameOf(other) !== nameOf(node);
    const masters = this.#known.masters.filter(isOther);
    return masters.length === 0 && !hasSlots ? this.#known.seeds.filter(isOther) : masters;
  }
}

function newWatched(node: NodeAddress): Watched {
  return { node, users: new Set(), isDoubted: false, isSilent: false };
}
