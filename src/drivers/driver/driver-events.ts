import type { DisconnectReason } from "../../sockets/index.ts";
import type { DecodeError } from "../errors.ts";
import type { GapReason, SyncReason } from "../sync/sync.ts";

/** What publishers, subscribers and the service tell of themselves. */
export interface DriverEvents {
  /** A connection to this address, or through it, is up. */
  connected: { type: "connected"; address: string };
  /** It ended. `retryIn`: ms until the next attempt, where we are the one who dials. */
  lost: { type: "lost"; address: string; reason: DisconnectReason; error?: Error; retryIn?: number };
  /** All registered topics are in force at this address. */
  inForce: { type: "inForce"; address: string };
  /** Something may have been missed; a `sync` follows. */
  gap: { type: "gap"; reason: "lost" | GapReason; address: string };
  /** The callback has taken a `sync`. */
  sync: { type: "sync"; reasons: readonly SyncReason[]; periodic: boolean };
  /** A message was no event. */
  decodeError: { type: "decodeError"; error: DecodeError };
  /** The callback failed. */
  callbackError: { type: "callbackError"; error: unknown };
  /** So many events were not sent, and those who miss them do not know. */
  dropped: { type: "dropped"; count: number };
}
