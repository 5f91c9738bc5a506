import type { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import type { RespConnection } from "../connection/connection.ts";
import type { Settings } from "../connection/options.ts";
import type { RespPush } from "../protocol/values.ts";
import { bytesOf } from "../pubsub/channel.ts";
import type { Recipients } from "../pubsub/delivery.ts";
import { NodeConnection } from "./node-connection.ts";
import type { ShardSlot } from "./shard-slot.ts";
import { slotOf } from "./slot.ts";
import { type NodeAddress, nameOf } from "./topology.ts";

export interface ShardNodeHandler {
  onReady(node: ShardNode): void;
  onPush(node: ShardNode, push: RespPush): void;
  onEnd(node: ShardNode, error: ZmqError, wasReady: boolean): void;
}

/** One node, and the slots whose messages come from there. */
export class ShardNode implements Recipients {
  readonly address: NodeAddress;
  readonly name: string;
  readonly slots: Map<number, ShardSlot> = new Map();
  readonly #connection: NodeConnection;

  constructor(address: NodeAddress, environment: Environment, settings: Settings, handler: ShardNodeHandler) {
    this.address = address;
    this.name = nameOf(address);
    this.#connection = new NodeConnection(address, environment, settings, {
      onReady: (connection) => {
        connection.enterSubscriberMode();
        for (const slot of this.slots.values()) slot.feed.attach(connection);
        handler.onReady(this);
      },
      onPush: (push) => handler.onPush(this, push),
      onEnd: (error, wasReady) => handler.onEnd(this, error, wasReady),
    });
  }

  get connection(): RespConnection | null {
    return this.#connection.connection;
  }

  add(slot: ShardSlot): void {
    slot.node = this;
    this.slots.set(slot.number, slot);
    if (this.connection !== null) slot.feed.attach(this.connection);
  }

  close(error: ZmqError): void {
    this.#connection.close(error);
  }

  match(kind: "channel" | "pattern" | "shard", name: Uint8Array): ReturnType<Recipients["match"]> {
    return this.slots.get(slotOf(name))?.feed.subscriptions.match(kind, name);
  }

  confirmed(kind: "channel" | "pattern" | "shard", key: string): void {
    this.slots.get(slotOf(bytesOf(key)))?.feed.subscriptions.confirmed(kind, key);
  }

  ended(kind: "channel" | "pattern" | "shard", key: string, now: number): void {
    this.slots.get(slotOf(bytesOf(key)))?.feed.subscriptions.ended(kind, key, now);
  }
}
