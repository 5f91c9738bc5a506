import type { Context, InContext } from "./context/context.ts";
import type { CommonOptions } from "./options/common-options.ts";
import { defineOptions } from "./options/define-options.ts";
import { INVERT_OPTIONS, type InvertOptions } from "./options/publish-options.ts";
import { CONFLATE_OPTIONS, type ConflateOptions, type ReceiveOptions } from "./options/queue-options.ts";
import { SubscribingPattern } from "./patterns/subscribing-pattern.ts";
import type { Pipe } from "./pipes/pipe.ts";
import { SubscribingSocket } from "./subscribing-socket.ts";

export type SubscriberOptions = Partial<CommonOptions & ReceiveOptions & ConflateOptions & InvertOptions> &
  InContext;

export interface Subscriber extends ConflateOptions, InvertOptions {}

/**
 * Receives the messages whose first part begins with a topic subscribed to (RFC 29, "The SUB Socket Type"). Without a subscription
 * nothing is received. When the application does not keep up, we stop reading, and the publisher drops, as with libzmq.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export class Subscriber extends SubscribingSocket<SubPattern> {
  static {
    defineOptions<ConflateOptions & InvertOptions>(Subscriber.prototype, {
      ...CONFLATE_OPTIONS,
      ...INVERT_OPTIONS,
    });
  }

  constructor(options: SubscriberOptions, context: Context) {
    super("SUB", SubPattern, options, context, { linger: 0 });
  }

  protected override get connectsTwice(): boolean {
    return false;
  }
}

export class SubPattern extends SubscribingPattern {
  /** Whether a message is wanted that begins with a topic subscribed to. */
  #wanted = true;

  override optionsChanged(): void {
    this.#wanted = !this.options.invertMatching;
  }

  /** Checked here too: an unsubscription takes its time to reach the publisher. */
  override message(pipe: Pipe, parts: Uint8Array[]): void {
    if (this.subscriptions.matches(parts[0] as Uint8Array) === this.#wanted) super.message(pipe, parts);
  }
}
