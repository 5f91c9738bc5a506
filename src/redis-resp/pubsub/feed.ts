import type { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import type { RespConnection } from "../connection/connection.ts";
import { ReplyError } from "../protocol/errors.ts";
import { bytesOf, COMMANDS } from "./channel.ts";
import type { Gap, GapReason } from "./losses.ts";
import type { Subscription } from "./subscription.ts";
import { type Command, Subscriptions } from "./subscriptions.ts";

export interface FeedHandler {
  /** The server does not allow a channel that is still wanted. */
  onRefused(subscription: Subscription, error: ZmqError): void;
  onGap(gap: Gap): void;
  /** From no use to some, or back. */
  onUse(isInUse: boolean): void;
  /** The server ended a subscription that is still wanted. It is asked for again, unless the connection is taken away. */
  onMoved?(): void;
  /** A subscription is refused. @returns true: because of the server, and not of the channel. The connection has been taken away. */
  isMisplaced?(error: ReplyError): boolean;
}

/** Subscriptions, and the connection that brings their messages, while there is one. */
export class Feed {
  readonly subscriptions: Subscriptions;
  readonly #environment: Environment;
  readonly #handler: FeedHandler;
  #connection: RespConnection | null = null;
  #sendDue = false;
  #isInUse = false;

  constructor(environment: Environment, handler: FeedHandler) {
    this.#environment = environment;
    this.#handler = handler;
    this.subscriptions = new Subscriptions({
      onRefused: (subscription, error) => handler.onRefused(subscription, error),
      onMoved: () => {
        handler.onMoved?.();
        this.changed();
      },
    });
  }

  get connection(): RespConnection | null {
    return this.#connection;
  }

  /** A connection on which nothing is subscribed yet. All that is wanted is asked for. */
  attach(connection: RespConnection): void {
    this.#connection = connection;
    this.subscriptions.connected();
    this.#send();
  }

  /** It is gone, or no longer the one to ask. */
  detach(reason: GapReason): void {
    const lastHeard = this.#connection?.lastHeard ?? this.#environment.now();
    this.#connection = null;
    this.subscriptions.lost(reason, lastHeard);
    this.changed();
  }

  /** For good. */
  close(error: ZmqError): void {
    this.#connection = null;
    this.subscriptions.close(error);
    this.changed();
  }

  /** What is wanted, or what stands in the way, is no longer the same. */
  changed(): void {
    const { isInUse } = this.subscriptions;
    if (isInUse !== this.#isInUse) {
      this.#isInUse = isInUse;
      this.#handler.onUse(isInUse);
    }
    if (this.#sendDue || this.#connection === null) return;
    this.#sendDue = true;
    // What is subscribed to in one turn goes out in one command.
    this.#environment.endOfTurn(() => {
      this.#sendDue = false;
      this.#send();
    });
  }

  #send(): void {
    const connection = this.#connection;
    if (connection === null) return;
    for (const command of this.subscriptions.next()) {
      const { verb, kind, subscriptions } = command;
      const args = [COMMANDS[kind][verb], ...subscriptions.map(({ key }) => bytesOf(key))];
      connection.fenced(args, (error) => this.#onAnswered(connection, command, error));
    }
    for (const gap of this.subscriptions.takeGaps()) this.#handler.onGap(gap);
  }

  #onAnswered(connection: RespConnection, command: Command, error: ZmqError | null): void {
    if (connection !== this.#connection) return;
    // Any other error is the connection's, of which we hear by itself.
    if (error !== null && !(error instanceof ReplyError)) return;
    const isAsked = command.verb === "subscribe";
    if (isAsked && error !== null && this.#handler.isMisplaced?.(error)) return;
    this.subscriptions.answered(command, error);
    this.changed();
  }
}
