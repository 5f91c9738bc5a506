import type { RefusedError } from "../errors.ts";
import type { PeerInfo } from "./peer-info.ts";
import type { SubscriptionEvent } from "./subscription.ts";

/** What the peer did. Bytes in events may be views into a received chunk: copy them to keep them for long. */
export type Event =
  /** The handshake is complete; comes once, before anything else. */
  | { type: "ready"; peer: PeerInfo }
  /** A whole message; parts are at least one. */
  | { type: "message"; parts: Uint8Array[] }
  /** Only on PUB and XPUB. */
  | SubscriptionEvent
  /** The answer to a PING. */
  | { type: "pong"; context: Uint8Array }
  /** The peer sent ERROR instead of completing the handshake. The connection is closed. */
  | { type: "refused"; error: RefusedError };
