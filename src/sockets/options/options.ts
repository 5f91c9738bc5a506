import { COMMON_OPTIONS, type CommonOptions } from "./common-options.ts";
import type { OptionTable } from "./option-rules.ts";
import {
  INVERT_OPTIONS,
  type InvertOptions,
  PUBLISH_OPTIONS,
  type PublishOptions,
  XPUBLISH_OPTIONS,
  type XPublishOptions,
  XSUBSCRIBE_OPTIONS,
  type XSubscribeOptions,
} from "./publish-options.ts";
import {
  CONFLATE_OPTIONS,
  type ConflateOptions,
  OVERFLOW_OPTIONS,
  type OverflowOptions,
  RECEIVE_OPTIONS,
  type ReceiveOptions,
  SEND_OPTIONS,
  type SendOptions,
} from "./queue-options.ts";

/** Options of a single call that may wait. */
export interface CallOptions {
  /** Gives the call up: it rejects with the signal's reason, and nothing was sent or taken. */
  signal?: AbortSignal;
}

/** The values of one socket. Types without a use for some of them never read those. */
export type AllOptions = CommonOptions &
  SendOptions &
  ReceiveOptions &
  OverflowOptions &
  ConflateOptions &
  PublishOptions &
  InvertOptions &
  XPublishOptions &
  XSubscribeOptions;

/** What every option of the sockets takes. */
export const RULES: OptionTable<AllOptions> = {
  ...COMMON_OPTIONS,
  ...SEND_OPTIONS,
  ...RECEIVE_OPTIONS,
  ...OVERFLOW_OPTIONS,
  ...CONFLATE_OPTIONS,
  ...PUBLISH_OPTIONS,
  ...INVERT_OPTIONS,
  ...XPUBLISH_OPTIONS,
  ...XSUBSCRIBE_OPTIONS,
};

const DEFAULTS = Object.freeze(
  Object.fromEntries(Object.entries(RULES).map(([name, rule]) => [name, rule.initial])),
) as unknown as Readonly<AllOptions>;

/** Every option with its default. */
export function defaultOptions(): AllOptions {
  return { ...DEFAULTS };
}
