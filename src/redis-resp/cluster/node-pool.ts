import type { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import type { Settings } from "../connection/options.ts";
import { NodeConnection } from "./node-connection.ts";
import { type NodeAddress, nameOf } from "./topology.ts";

export interface PoolHandler {
  onReady(address: NodeAddress): void;
  /** It was ready, and is over, not by `close`. */
  onLost(address: NodeAddress, error: ZmqError): void;
}

/** One connection to each node that is spoken to, made when it is asked for. */
export class NodePool {
  readonly #environment: Environment;
  readonly #settings: Settings;
  readonly #handler: PoolHandler;
  readonly #connections = new Map<string, NodeConnection>();

  constructor(environment: Environment, settings: Settings, handler: PoolHandler) {
    this.#environment = environment;
    this.#settings = settings;
    this.#handler = handler;
  }

  to(address: NodeAddress): NodeConnection {
    const name = nameOf(address);
    let connection = this.#connections.get(name);
    if (connection === undefined) {
      connection = new NodeConnection(address, this.#environment, this.#settings, {
        onReady: () => this.#handler.onReady(address),
        onEnd: (error, wasReady) => {
          this.#connections.delete(name);
          if (wasReady) this.#handler.onLost(address, error);
        },
      });
      this.#connections.set(name, connection);
    }
    return connection;
  }

  /** Closes the connections for which this holds. @returns those that were ready. */
  closeIf(holds: (connection: NodeConnection) => boolean, reason: ZmqError): NodeAddress[] {
    const closed = [...this.#connections.values()].filter(holds);
    const ready = closed.filter(({ connection }) => connection !== null);
    for (const connection of closed) {
      this.#connections.delete(nameOf(connection.address));
      connection.close(reason);
    }
    return ready.map(({ address }) => address);
  }
}
