import { ZmqError } from "../../errors.ts";
import { wholeNumber } from "../connection/options.ts";
import type { InboxOptions } from "./inbox.ts";

export const INBOX_OPTIONS: readonly string[] = ["maxInboxMessages", "maxInboxBytes", "overflow"];

/** @throws {ZmqError} EINVAL out of range; {TypeError} for one of the wrong kind. */
export function resolveInbox(options: InboxOptions): Required<InboxOptions> {
  const { overflow = "drop-newest" } = options;
  if (typeof overflow !== "string") throw new TypeError("overflow must be a string");
  if (overflow !== "drop-newest" && overflow !== "drop-oldest")
    throw new ZmqError("EINVAL", "overflow must be drop-newest or drop-oldest");
  return {
    maxInboxMessages: wholeNumber("maxInboxMessages", options.maxInboxMessages, 100_000, 1),
    maxInboxBytes: wholeNumber("maxInboxBytes", options.maxInboxBytes, 64 * 2 ** 20, 1),
    overflow,
  };
}
