import type { Context, InContext } from "./context/context.ts";
import type { CommonOptions } from "./options/common-options.ts";
import { defineOptions } from "./options/define-options.ts";
import type { InvertOptions, PublishOptions } from "./options/publish-options.ts";
import {
  CONFLATE_OPTIONS,
  type ConflateOptions,
  type OverflowOptions,
  type SendOptions,
} from "./options/queue-options.ts";
import { PublishingPattern } from "./patterns/publishing-pattern.ts";
import type { Pipe } from "./pipes/pipe.ts";
import { PublishingSocket } from "./publishing-socket.ts";

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
    defineOptions<ConflateOptions>(Publisher.prototype, CONFLATE_OPTIONS);
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
