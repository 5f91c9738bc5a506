import type { ZmqError } from "../../errors.ts";
import type { Environment } from "../../sockets/index.ts";
import { askNode } from "./ask-node.ts";
import type { AskNode } from "./cluster-view.ts";
import type { NodeAddress } from "./node-address.ts";
import { RedisMgt } from "./redis-mgt.ts";
import type { ResolvedRedisOptions } from "./redis-options.ts";

/**
 * The master that one end of the driver talks to, or tries to. What becomes of it is told to all who choose
 * among the same.
 */
export class ChosenMaster {
  readonly #mgt: RedisMgt;
  readonly #ask: AskNode;
  readonly #interval: number;
  readonly #onOut: (error: ZmqError) => void;
  #node: NodeAddress | null = null;
  #unuse: (() => void) | null = null;

  /** @param onOut it goes on without its cluster: another one is to be chosen. */
  constructor(options: ResolvedRedisOptions, environment: Environment, onOut: (error: ZmqError) => void) {
    this.#mgt = RedisMgt.getInstance(options.hosts, environment);
    this.#ask = askNode(options.connection, environment);
    this.#interval = options.topologyInterval;
    this.#onOut = onOut;
  }

  /** Null while one is looked for. */
  get node(): NodeAddress | null {
    return this.#node;
  }

  /** Rejects when nobody answers. */
  async choose(): Promise<NodeAddress> {
    this.#node = null;
    this.#node = await this.#mgt.selectNode(this.#ask);
    return this.#node;
  }

  connected(): void {
    if (this.#node === null) return;
    this.#mgt.worked(this.#node);
    this.#unuse = this.#mgt.use({
      node: this.#node,
      ask: this.#ask,
      interval: this.#interval,
      onOut: this.#onOut,
    });
  }

  /** It could not be reached, or the connection is over. */
  failed(): void {
    this.close();
    if (this.#node !== null) this.#mgt.failed(this.#node, this.#ask);
  }

  /** Somebody says that these are the masters now. */
  hinted(masters: readonly NodeAddress[]): void {
    this.#mgt.hinted(masters, this.#ask);
  }

  /** It is not in use any more. */
  close(): void {
    this.#unuse?.();
    this.#unuse = null;
  }
}
