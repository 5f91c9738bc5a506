import type { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { OfflineQueue } from "../client/offline-queue.ts";
import { type RespConnection, whyUnanswered } from "../connection/connection.ts";
import { Link } from "../connection/link.ts";
import type { Settings } from "../connection/options.ts";
import type { Argument } from "../protocol/encoder.ts";
import type { RespPush, RespValue } from "../protocol/values.ts";
import type { NodeAddress } from "./topology.ts";

export interface NodeHandler {
  onReady?(connection: RespConnection): void;
  onPush?(push: RespPush): void;
  /** The last event, not after `close`: it is over, or could not be made (`wasReady` is false). */
  onEnd(error: ZmqError, wasReady: boolean): void;
}

/** Who waits for the reply to a command, which may have to wait for the connection first. */
export interface NodeReply {
  readonly isSettled: boolean;
  resolve(value: RespValue): void;
  /** EUNKNOWN: it was sent. ReplyError: it was refused, or we were. Any other: it was not sent. */
  reject(error: ZmqError): void;
}

/**
 * One connection to one node, from the dial on. It does not come back when it ends: another node may have taken over by then, and
 * who has something to say looks for the right one anew.
 */
export class NodeConnection {
  readonly address: NodeAddress;
  readonly #link: Link;
  readonly #queue: OfflineQueue;
  #end: ZmqError | null = null;

  constructor(address: NodeAddress, environment: Environment, settings: Settings, handler: NodeHandler) {
    this.address = address;
    this.#queue = new OfflineQueue(environment, settings);
    const end = (error: ZmqError, wasReady: boolean): void => {
      this.close(error);
      handler.onEnd(error, wasReady);
    };
    this.#link = new Link({
      environment,
      settings,
      locate: () => address,
      handler: {
        onReady: (connection) => {
          this.#queue.sendAll(connection);
          handler.onReady?.(connection);
        },
        onPush: (push) => handler.onPush?.(push),
        onLost: (error) => end(error, true),
        onFailed: (error) => end(error, false),
      },
    });
    this.#link.start();
  }

  /** Null until it is ready for commands, and after its end. */
  get connection(): RespConnection | null {
    return this.#link.connection;
  }

  request(args: readonly Argument[], reply: NodeReply): void {
    const { connection } = this.#link;
    if (connection !== null) connection.request(args, reply);
    else if (this.#end !== null) reply.reject(this.#end);
    else this.#queue.add(args, reply);
  }

  /** The same as a promise, for what changes nothing: never rejected with EUNKNOWN, but with the reason. */
  ask(...args: Argument[]): Promise<RespValue> {
    return new Promise((resolve, reject) => {
      const refuse = (error: ZmqError): void => reject(whyUnanswered(error));
      this.request(args, { isSettled: false, resolve, reject: refuse });
    });
  }

  /** What was sent is rejected with EUNKNOWN, what was not with this error. */
  close(error: ZmqError): void {
    if (this.#end !== null) return;
    this.#end = error;
    this.#link.close(error);
    this.#queue.rejectAll(error);
  }
}
