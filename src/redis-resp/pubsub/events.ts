import type { ConnectionEvents } from "../client/client.ts";
import type { RedisOptions } from "../connection/options.ts";
import type { ChannelKind } from "./channel.ts";
import type { InboxOptions } from "./inbox.ts";
import type { GapReason } from "./losses.ts";

export interface SubscriberOptions extends RedisOptions, InboxOptions {}

export interface GapEvent {
  type: "gap";
  reason: GapReason;
  /** Where messages may be missing, by kind. Those that the server refuses now are among them. */
  channels: Buffer[];
  patterns: Buffer[];
  shardChannels: Buffer[];
  /**
   * When the server was last heard before the loss, in ms as `performance.now()` has it. One that gives up a subscriber for being
   * slow has done so earlier, behind what it still had to send.
   */
  since: number;
  /** ms from then on until all were in force again, or refused. */
  duration: number;
}

export interface SubscriberErrorEvent {
  type: "error";
  error: Error;
  /** Whose listener threw, or what the server refuses to send. Absent: an attempt to connect has failed. */
  channel?: Buffer;
  kind?: ChannelKind;
  /** ms until the next attempt to connect. */
  retryIn?: number;
}

export interface SubscriberEvents extends ConnectionEvents {
  /** Messages may have been lost. It comes when all is in force again: what is read from a database now is not older. */
  gap: GapEvent;
  error: SubscriberErrorEvent;
  /** The inbox was full: so many messages of a channel (or pattern) were dropped since the last event. */
  drop: { type: "drop"; kind: ChannelKind; channel: Buffer; count: number };
}

export interface SubscriberStats {
  channels: number;
  patterns: number;
  shardChannels: number;
  /** Messages that came. */
  received: number;
  /** Of these, dropped for a full inbox. */
  dropped: number;
  /** Of these, waiting in the inbox. */
  queued: number;
  gaps: number;
  /** Connections that became ready. */
  connections: number;
}
