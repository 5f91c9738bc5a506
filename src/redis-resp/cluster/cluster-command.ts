import type { ZmqError } from "../../errors.ts";
import type { PendingCommand } from "../client/pending-command.ts";
import type { Argument } from "../protocol/encoder.ts";
import type { RespValue } from "../protocol/values.ts";
import type { NodeConnection, NodeReply } from "./node-connection.ts";
import type { NodeAddress } from "./topology.ts";

/** One command on its way through the cluster. */
export class ClusterCommand implements NodeReply {
  readonly args: readonly Argument[];
  /** Null: it has no key, any node will do. */
  readonly slot: number | null;
  readonly since: number;
  readonly #pending: PendingCommand<unknown>;
  readonly #onRefused: (command: ClusterCommand, error: ZmqError) => void;
  /** The node that has it, or had it last. */
  node: NodeAddress | null = null;
  /** How often it was refused and tried again. */
  retries = 0;

  /** @param onRefused a node did not carry it out, or its fate is unknown. Not called when nobody waits any more. */
  constructor(
    args: readonly Argument[],
    slot: number | null,
    since: number,
    pending: PendingCommand<unknown>,
    onRefused: (command: ClusterCommand, error: ZmqError) => void,
  ) {
    this.args = args;
    this.slot = slot;
    this.since = since;
    this.#pending = pending;
    this.#onRefused = onRefused;
  }

  get isSettled(): boolean {
    return this.#pending.isSettled;
  }

  sendTo(node: NodeConnection): void {
    this.node = node.address;
    node.request(this.args, this);
  }

  resolve(reply: RespValue): void {
    this.#pending.resolve(reply);
  }

  reject(error: ZmqError): void {
    if (!this.isSettled) this.#onRefused(this, error);
  }

  /** For good. */
  fail(error: ZmqError): void {
    this.#pending.reject(error);
  }
}
