import type { Context, InContext } from "./context/context.ts";
import type { CommonOptions } from "./options/common-options.ts";
import { defineOptions } from "./options/define-options.ts";
import { CONFLATE_OPTIONS, type ConflateOptions, type ReceiveOptions } from "./options/queue-options.ts";
import { ReceivingPattern } from "./patterns/receiving-pattern.ts";
import { ReceivingSocket } from "./receiving-socket.ts";

export type PullOptions = Partial<CommonOptions & ReceiveOptions & ConflateOptions> & InContext;

export interface Pull extends ConflateOptions {}

/**
 * Receives messages from its peers, one from each in turn (RFC 30, "The PULL Socket Type"). When an application does not keep up,
 * we stop reading, and TCP holds the peers up: nothing is lost.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their table below.
export class Pull extends ReceivingSocket<PullPattern> {
  static {
    defineOptions<ConflateOptions>(Pull.prototype, CONFLATE_OPTIONS);
  }

  constructor(options: PullOptions, context: Context) {
    super("PULL", PullPattern, options, context);
  }
}

export class PullPattern extends ReceivingPattern {}
