/** Counts of messages for one peer, or one endpoint that is dialled. */
export interface PeerStats {
  /** The peer's address; the endpoint while it is not connected. */
  address: string;
  /** As the peer calls itself, e.g. `SUB`; null while it is not connected. */
  socketType: string | null;
  /** Handed over to the connection. */
  sent: number;
  /** Taken in, after the subscription filter. */
  received: number;
  /** Not sent: the queue was full, or was discarded with the peer. With `conflate` also what a newer message took the place of. */
  dropped: number;
  /** Waiting now: to be sent, and to be received by the application. */
  queued: number;
}

/** What one pipe counts, or those of a socket that are gone. */
export type Counts = Pick<PeerStats, "sent" | "received" | "dropped">;

/** Counts of messages since the socket was made. `peers` has those that are there now. */
export interface SocketStats {
  sent: number;
  received: number;
  dropped: number;
  queued: number;
  peers: PeerStats[];
}
