import type { SocketType } from "../../zmtp/index.ts";

/**
 * What one end of a connection within the process knows of the other. That one may have been made by another copy of this code,
 * which shares the context: so this is all that it is asked for, and nothing that is handed over is asked for its class.
 */
export interface InprocPeer {
  readonly type: SocketType;
  /** Whether it wants only the last message to count. */
  readonly conflates: boolean;
  /** Messages and bytes that wait to be taken by its application. */
  readonly kept: number;
  readonly keptBytes: number;
  readonly receiveHighWaterMark: number;
  readonly receiveHighWaterMarkBytes: number;
  /** The two ends are connected. */
  introduce(): void;
  /** @returns false when it takes nothing any more. */
  receive(parts: Uint8Array[]): boolean;
  hear(subscribe: boolean, topic: Uint8Array): void;
  /** A message was taken that it had sent. */
  taken(): void;
  /** A high-water mark of either end may have been changed. */
  resume(): void;
  /** The other end is over, by a close or because it has cut the connection. */
  ended(wasCut: boolean): void;
}
