import type { CommonOptions } from "./common-options.ts";
import type { Context, InContext } from "./context.ts";
import type { Pipe } from "./pipe.ts";
import {
  INVERT_OPTIONS,
  type InvertOptions,
  PUBLISH_OPTIONS,
  type PublishOptions,
} from "./publish-options.ts";
import { PublishingPattern } from "./publishing-pattern.ts";
import { PublishingSocket } from "./publishing-socket.ts";
import {
  CONFLATE_OPTIONS,
  type ConflateOptions,
  OVERFLOW_OPTIONS,
  type OverflowOptions,
  SEND_OPTIONS,
  type SendOptions,
} from "./queue-options.ts";
import { Socket } from "./socket.ts";

export type PublisherOptions = Partial<
  CommonOptions & SendOptions & OverflowOptions & ConflateOptions & PublishOptions & InvertOptions
> &
  InContext;

export interface Publisher extends ConflateOptions {}

/**
 * Sends each message to all peers that have subscribed to a prefix of its first part (RFC 29, "The PUB Socket Type"). Never
 * waits, unless `noDrop` is set: a peer whose queue is full misses the message, which is counted, or is disconnected (`overflow`).
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export class Publisher extends PublishingSocket<PubPattern> {
  static {
    Socket.defineOptions(Publisher.prototype, {
      ...SEND_OPTIONS,
      ...OVERFLOW_OPTIONS,
      ...CONFLATE_OPTIONS,
      ...PUBLISH_OPTIONS,
      ...INVERT_OPTIONS,
    });
  }

  constructor(options: PublisherOptions, context: Context) {
    super("PUB", PubPattern, options, context);
  }

  protected override get connectsTwice(): boolean {
    return false;
  }
}

export class PubPattern extends PublishingPattern {
  /** A SUB has nothing to say but its subscriptions; what comes all the same is dropped, so that it holds up nobody. */
  message(): void {}

  subscription(pipe: Pipe, subscribe: boolean, topic: Uint8Array): void {
    if (!this.admits(pipe, subscribe, topic, this.fanOut)) return;
    if (subscribe) this.add(pipe, topic);
    else this.take(pipe, topic);
  }
}
