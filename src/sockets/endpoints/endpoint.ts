import type { PeerStats } from "../stats.ts";

/** An address that a socket has bound or dials. */
export interface Endpoint {
  readonly address: string;
  /**
   * Takes no more messages; resolves when what is queued was sent or `linger` ms (-1: any time) have passed. Never rejects.
   * Called again, only the time starts anew.
   */
  close(linger: number): Promise<void>;
  stats(): PeerStats[];
  /** Messages that wait for a peer in another process. */
  readonly unsent: number;
  /** An option was set that takes effect at once. */
  optionsChanged(): void;
}
